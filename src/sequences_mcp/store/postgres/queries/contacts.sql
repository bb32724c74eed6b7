-- like_company --
-- People with a live or found run here who may look like colleagues: at one mail provider, or with a like name.
SELECT contact.* FROM contact
WHERE (email_host = :host OR company_key = :word OR company_key LIKE replace(:pattern, '*', '%'))
  AND no IN (SELECT contact_no FROM sequence
             WHERE status IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER'))
LIMIT 1000
