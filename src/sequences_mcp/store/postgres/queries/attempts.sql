-- next_lease --
-- The next number of the counter; it only ever rises.
SELECT nextval('attempt_lease') AS lease

-- newest --
-- When this mailbox was last used, whatever came of it, and for which text: one row also where it never was.
SELECT a.claimed_at AS at, a.key
FROM (VALUES (1)) AS one(no) LEFT JOIN LATERAL (
  SELECT claimed_at, key FROM attempt WHERE sender = :sender ORDER BY claimed_at DESC, lease DESC LIMIT 1
) AS a ON true
