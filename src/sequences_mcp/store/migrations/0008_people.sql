-- A phone number is not a person: several people may have one. SQLite can only drop a uniqueness with the table.

CREATE TABLE contact_anew (
  no             INTEGER PRIMARY KEY,
  id             TEXT NOT NULL UNIQUE,
  email          TEXT,
  email_key      TEXT UNIQUE,
  email_host     TEXT,
  phone          TEXT CHECK (phone GLOB '+[1-9]*'),
  first_name     TEXT,
  last_name      TEXT,
  company        TEXT,
  company_domain TEXT,
  company_host   TEXT,
  company_key    TEXT,
  job_title      TEXT,
  location       TEXT,
  country        TEXT CHECK (country GLOB '[A-Z][A-Z]'),
  time_zone      TEXT,
  language       TEXT,
  linkedin_url   TEXT,
  notes          TEXT NOT NULL,
  search         TEXT NOT NULL,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  CHECK (email_key IS NOT NULL OR phone IS NOT NULL)
) STRICT;

INSERT INTO contact_anew
SELECT no, id, email, email_key, email_host, phone, first_name, last_name, company, company_domain, company_host,
       company_key, job_title, location, country, time_zone, language, linkedin_url, notes, search, created_at,
       updated_at
FROM contact;

DROP TABLE contact;
ALTER TABLE contact_anew RENAME TO contact;

CREATE INDEX contact_email_host ON contact (email_host) WHERE email_host IS NOT NULL;
CREATE INDEX contact_company_host ON contact (company_host) WHERE company_host IS NOT NULL;
CREATE INDEX contact_company_key ON contact (company_key) WHERE company_key IS NOT NULL;
CREATE INDEX contact_phone ON contact (phone) WHERE phone IS NOT NULL;

-- Addresses that people had before: whoever is never to be contacted at one of them is not to be at a newer one.

CREATE TABLE former_address (
  contact_no INTEGER NOT NULL REFERENCES contact (no),
  key        TEXT NOT NULL,
  until      INTEGER NOT NULL,
  PRIMARY KEY (contact_no, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX former_address_key ON former_address (key);

-- The address a run writes to. It never changes, whatever becomes of the person's row, and has one live run at most.

ALTER TABLE sequence ADD COLUMN address_key TEXT;

CREATE UNIQUE INDEX sequence_one_live_per_address ON sequence (address_key)
  WHERE address_key IS NOT NULL AND status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER');

UPDATE OR IGNORE sequence SET address_key = coalesce(
  (SELECT address_key(recipient) FROM step_run
   WHERE sequence_no = sequence.no AND replaced = 0 AND recipient LIKE '%_@_%' AND recipient NOT LIKE '%/%'
   ORDER BY step LIMIT 1),
  CASE WHEN provider <> 'local' THEN coalesce(
    (SELECT address_key(json_extract(handover, '$.email')) WHERE json_extract(handover, '$.email') LIKE '%_@_%'),
    (SELECT email_key FROM contact WHERE contact.no = contact_no AND email IS NOT NULL)
  ) END
)
WHERE status IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER');

CREATE INDEX sequence_address ON sequence (address_key)
  WHERE address_key IS NOT NULL AND status IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER');

CREATE TRIGGER sequence_address_is_never_changed BEFORE UPDATE OF address_key ON sequence
WHEN NEW.address_key IS NOT OLD.address_key
BEGIN SELECT RAISE(ABORT, 'the address a run writes to never changes'); END;
