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
