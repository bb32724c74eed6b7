-- One key for all spellings of an address: domains in ASCII after IDNA 2008, nothing invisible. Where two people were
-- stored under two spellings of one address, the second keeps its old key; whoever it is, the address decides.

UPDATE OR IGNORE contact SET email_key = address_key(email), email_host = domain_of(email)
WHERE email IS NOT NULL AND (email GLOB '*[^ -~]*' OR email LIKE '%xn--%') AND email_key <> address_key(email);

UPDATE contact SET company_host = host_key(company_host)
WHERE company_host IS NOT NULL AND (company_host GLOB '*[^ -~]*' OR company_host LIKE '%xn--%');

UPDATE OR IGNORE suppression SET value = address_key(value)
WHERE kind = 'address' AND (value GLOB '*[^ -~]*' OR value LIKE '%xn--%');

UPDATE OR IGNORE suppression SET value = host_key(value)
WHERE kind = 'domain' AND (value GLOB '*[^ -~]*' OR value LIKE '%xn--%');
