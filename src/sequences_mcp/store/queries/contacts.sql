-- insert --
-- A new person.
INSERT INTO contact (id, email, email_key, email_host, phone, first_name, last_name, company, company_domain,
                     company_host, company_root, company_key, job_title, location, country, time_zone, language,
                     linkedin_url, source, found_at, basis, consent, notes, search, created_at, updated_at)
VALUES (:id, :email, :email_key, :email_host, :phone, :first_name, :last_name, :company, :company_domain,
        :company_host, :company_root, :company_key, :job_title, :location, :country, :time_zone, :language,
        :linkedin_url, :source, :found_at, :basis, :consent, :notes, :search, :created_at, :updated_at)

-- update --
-- A person's new facts.
UPDATE contact SET
  email = :email, email_key = :email_key, email_host = :email_host, phone = :phone, first_name = :first_name,
  last_name = :last_name, company = :company, company_domain = :company_domain, company_host = :company_host,
  company_root = :company_root, company_key = :company_key, job_title = :job_title, location = :location, country = :country,
  time_zone = :time_zone, language = :language, linkedin_url = :linkedin_url, source = :source, found_at = :found_at,
  basis = :basis, consent = :consent, notes = :notes, search = :search,
  updated_at = :updated_at
WHERE id = :id

-- insert_staged --
-- New people, from a table that has been filled before.
INSERT INTO contact (
  id, email, email_key, email_host, phone, first_name, last_name, company, company_domain, company_host,
  company_root, company_key, job_title, location, country, time_zone, language, linkedin_url, source, found_at,
  basis, consent, notes, search, created_at, updated_at)
SELECT
  id, email, email_key, email_host, phone, first_name, last_name, company, company_domain, company_host,
  company_root, company_key, job_title, location, country, time_zone, language, linkedin_url, source, found_at,
  basis, consent, notes, search, created_at, updated_at
FROM staged_contact WHERE place > :after AND place <= :last AND is_new = 1 ORDER BY place

-- update_staged --
-- New facts of people, from that table.
UPDATE contact SET
  email = staged.email, email_key = staged.email_key, email_host = staged.email_host, phone = staged.phone,
  first_name = staged.first_name, last_name = staged.last_name, company = staged.company,
  company_domain = staged.company_domain, company_host = staged.company_host, company_root = staged.company_root,
  company_key = staged.company_key, job_title = staged.job_title, location = staged.location,
  country = staged.country, time_zone = staged.time_zone, language = staged.language,
  linkedin_url = staged.linkedin_url, source = staged.source, found_at = staged.found_at, basis = staged.basis,
  consent = staged.consent, notes = staged.notes, search = staged.search, updated_at = staged.updated_at
FROM staged_contact AS staged
WHERE staged.place > :after AND staged.place <= :last AND staged.is_new = 0 AND contact.id = staged.id

-- left_staged --
-- The addresses that people of that table no longer have.
INSERT INTO former_address (contact_no, key, until)
SELECT contact.no, staged.left_key, staged.updated_at
FROM staged_contact AS staged CROSS JOIN contact ON contact.id = staged.id
WHERE staged.place > :after AND staged.place <= :last AND staged.left_key IS NOT NULL
ON CONFLICT (contact_no, key) DO UPDATE SET until = excluded.until

-- staged --
-- Some of the people of that table, in its order, and whether each is new.
SELECT id, is_new FROM staged_contact WHERE place > :after AND place <= :last ORDER BY place

-- by_ids --
-- People by a JSON list of ids, in its order.
SELECT contact.* FROM json_each(:ids) wanted CROSS JOIN contact ON contact.id = wanted.value ORDER BY wanted.key

-- missing --
-- Which of a JSON list of ids nobody has.
SELECT DISTINCT value AS id FROM json_each(:ids) WHERE value NOT IN (SELECT id FROM contact WHERE id = value)
ORDER BY value

-- by_email --
-- The person with this address, whatever its case.
SELECT * FROM contact WHERE email_key = :email_key

-- by_emails --
-- The people with the addresses of a JSON list.
SELECT contact.* FROM json_each(:email_keys) wanted CROSS JOIN contact ON contact.email_key = wanted.value

-- by_phone --
-- People with this number.
SELECT * FROM contact WHERE phone = :phone ORDER BY no

-- by_phones --
-- The people with the numbers of a JSON list.
SELECT contact.* FROM json_each(:phones) wanted CROSS JOIN contact ON contact.phone = wanted.value ORDER BY contact.no

-- left --
-- An address that a person no longer has.
INSERT INTO former_address (contact_no, key, until)
SELECT no, :key, :until FROM contact WHERE id = :id ON CONFLICT (contact_no, key) DO UPDATE SET until = :until

-- former_addresses --
-- The addresses that people of a JSON list of ids had before.
SELECT contact.id, former_address.key FROM json_each(:ids) wanted CROSS JOIN contact ON contact.id = wanted.value
CROSS JOIN former_address ON contact_no = contact.no

-- formerly_at --
-- People who had an address before.
SELECT contact.id FROM former_address JOIN contact ON contact.no = contact_no WHERE key = :key

-- count --
-- How many people a search finds.
SELECT count(*) AS found FROM contact WHERE erased_at IS NULL AND (:pattern IS NULL OR search LIKE :pattern ESCAPE '\'
   OR :other IS NOT NULL AND (linkedin_url LIKE :other ESCAPE '\' OR phone LIKE :other ESCAPE '\'))

-- page --
-- The people a search finds, the oldest first.
SELECT * FROM contact WHERE erased_at IS NULL AND (:pattern IS NULL OR search LIKE :pattern ESCAPE '\'
   OR :other IS NOT NULL AND (linkedin_url LIKE :other ESCAPE '\' OR phone LIKE :other ESCAPE '\'))
ORDER BY no LIMIT :size OFFSET :skip

-- after --
-- Some of everybody who was not erased, in the order in which they were stored.
SELECT * FROM contact WHERE no > :no AND erased_at IS NULL ORDER BY no LIMIT :size

-- at_company --
-- People who may work at one company: by its domain, or by its name.
SELECT * FROM contact WHERE company_root = :root
UNION
SELECT * FROM contact WHERE company_key = :key

-- like_company --
-- People with a live or found run here who may look like colleagues: at one mail provider, or with a like name.
SELECT contact.* FROM contact
WHERE (email_host = :host OR company_key = :word OR company_key >= :first AND company_key < :past)
  AND no IN (SELECT contact_no FROM sequence
             WHERE status IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER'))
LIMIT 1000

-- at_domain --
-- People whose address or company is at a domain or below it.
SELECT id FROM contact
WHERE email_host = :domain OR company_host = :domain
   OR email_host LIKE :below ESCAPE '\' OR company_host LIKE :below ESCAPE '\'

-- erased --
-- Whether a person was erased.
SELECT 1 FROM contact WHERE id = :id AND erased_at IS NOT NULL
