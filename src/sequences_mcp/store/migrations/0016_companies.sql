-- A company is its registered domain and everything below it, or its name without case, accents and legal form.

ALTER TABLE contact ADD COLUMN company_root TEXT;

UPDATE contact SET company_root = company_root(company_host) WHERE company_host IS NOT NULL;
UPDATE contact SET company_key = company_key(company) WHERE company IS NOT NULL;

CREATE INDEX contact_company_root ON contact (company_root) WHERE company_root IS NOT NULL;
