-- next_lease --
-- The next number of the counter; it only ever rises.
SELECT coalesce(max(lease), 0) + 1 AS lease FROM attempt

-- insert --
-- One attempt to send, with what will be sent.
INSERT INTO attempt (lease, key, generation, sender, message_id, message_digest, claimed_at)
VALUES (:lease, :key, :generation, :sender, :message_id, :message_digest, :claimed_at)

-- sender_of --
-- Which mailbox an attempt was made from.
SELECT sender FROM attempt WHERE lease = :lease

-- give_back --
-- Nothing was accepted: the attempt uses up nothing.
UPDATE attempt SET counted = 0 WHERE lease = :lease

-- answer --
-- What an attempt was answered, and what a refusal is known by.
UPDATE attempt SET answer = :answer, code = :code WHERE lease = :lease

-- answered --
-- What a mailbox was answered, the newest first.
SELECT key, answer, code FROM attempt
WHERE sender = :sender AND answer IS NOT NULL AND answer <> 'died' ORDER BY lease DESC LIMIT :size

-- accepted_since_refused --
-- Whether an e-mail of a mailbox was accepted after a text was refused.
SELECT EXISTS (
  SELECT 1 FROM attempt
  WHERE sender = :sender AND answer = 'accepted'
    AND lease > (SELECT max(lease) FROM attempt
                 WHERE key = :key AND generation = :generation AND claimed_at >= :since
                   AND answer IN ('doubtful', 'recipient'))
) AS found

-- newest --
-- When this mailbox was last used, whatever came of it, and for which text.
SELECT claimed_at AS at, key FROM attempt WHERE sender = :sender ORDER BY claimed_at DESC, lease DESC LIMIT 1

-- first --
-- When this mailbox first sent something.
SELECT min(claimed_at) AS at FROM attempt WHERE sender = :sender AND counted = 1

-- to_others --
-- When this mailbox wrote to the people of other runs since an instant, the newest first.
SELECT a.claimed_at AS at, r.recipient AS recipient
FROM attempt a JOIN step_run r ON r.key = a.key AND r.generation = a.generation JOIN sequence s ON s.no = r.sequence_no
WHERE a.sender = :sender AND a.claimed_at > :since AND s.id <> :but AND r.recipient IS NOT NULL
ORDER BY a.claimed_at DESC, a.lease DESC LIMIT 1000

-- held_until --
-- The latest end of a hold for a reason that ends by itself.
SELECT max(until) AS at FROM step_run
WHERE state = 'held' AND until IS NOT NULL AND replaced = 0 AND reason = :reason AND until > :now

-- pull_back --
-- What lies after the present instant counts as now.
UPDATE attempt SET claimed_at = :now WHERE sender = :sender AND claimed_at > :now

-- nth_newest --
-- When this mailbox was used, some uses ago.
SELECT claimed_at AS at FROM attempt WHERE sender = :sender AND counted = 1
ORDER BY claimed_at DESC LIMIT 1 OFFSET :skip

-- count_since --
-- How often sending one text came to its recipient, or ended the program, since an instant.
SELECT count(*) AS found FROM attempt
WHERE key = :key AND generation = :generation AND claimed_at >= :since AND answer IN ('recipient', 'died')

-- longest_rest --
-- The longest time, in microseconds, in which this mailbox had nothing accepted between two instants.
SELECT max(at - earlier) AS rest FROM (
  SELECT at, lag(at, 1, :since) OVER (ORDER BY at) AS earlier FROM (
    SELECT claimed_at AS at FROM attempt
    WHERE sender = :sender AND counted = 1 AND claimed_at BETWEEN :since AND :until
    UNION ALL SELECT :until
  ) AS uses
) AS rests
