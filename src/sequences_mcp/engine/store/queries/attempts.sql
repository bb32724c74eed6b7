-- next_lease --
-- The next number of the counter; it only ever rises.
SELECT coalesce(max(lease), 0) + 1 AS lease FROM attempt

-- insert --
-- One attempt to send, with what will be sent.
INSERT INTO attempt (lease, key, generation, sender, message_id, message_digest, claimed_at)
VALUES (:lease, :key, :generation, :sender, :message_id, :message_digest, :claimed_at)

-- give_back --
-- Nothing was accepted: the attempt uses up nothing.
UPDATE attempt SET counted = 0 WHERE lease = :lease

-- newest --
-- When this mailbox was last used.
SELECT max(claimed_at) AS at FROM attempt WHERE sender = :sender AND counted = 1

-- nth_newest --
-- When this mailbox was used, some uses ago.
SELECT claimed_at AS at FROM attempt WHERE sender = :sender AND counted = 1
ORDER BY claimed_at DESC LIMIT 1 OFFSET :skip

-- count_since --
-- How often sending one text was attempted since an instant.
SELECT count(*) AS found FROM attempt WHERE key = :key AND generation = :generation AND claimed_at >= :since

-- find --
-- One attempt.
SELECT * FROM attempt WHERE lease = :lease
