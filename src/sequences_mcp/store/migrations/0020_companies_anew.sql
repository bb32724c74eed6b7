-- What makes two people colleagues is read anew: more legal forms and mail providers, owners of shared domains.

UPDATE contact SET company_root = company_root(company_host) WHERE company_host IS NOT NULL;
UPDATE contact SET company_key = company_key(company) WHERE company IS NOT NULL;

-- Whoever was stored under a second spelling of somebody's address is found at that address too, as one who had it.

INSERT OR IGNORE INTO former_address (contact_no, key, until)
SELECT no, address_key(email), updated_at FROM contact WHERE email IS NOT NULL AND email_key <> address_key(email);

UPDATE contact SET email_host = domain_of(email) WHERE email IS NOT NULL AND email_key <> address_key(email);
