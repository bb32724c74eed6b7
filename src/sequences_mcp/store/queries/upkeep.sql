-- newest --
-- The latest instants at which a run changed and a mailbox was used.
SELECT (SELECT max(updated_at) FROM sequence) AS run,
       (SELECT max(claimed_at) FROM attempt WHERE sender = :sender) AS attempt

-- of_the_future --
-- Live runs that changed after now.
SELECT id FROM sequence INDEXED BY sequence_updated
WHERE updated_at > :now AND status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER') ORDER BY no

-- pull_back_over --
-- Other runs that changed after now.
UPDATE sequence SET updated_at = :now WHERE updated_at > :now

-- pull_back_open_texts --
-- Tasks that wait since after now.
UPDATE step_run SET changed_at = :now WHERE state = 'open' AND replaced = 0 AND changed_at > :now

-- pull_back_held_texts --
-- Texts that wait for a person since after now.
UPDATE step_run SET changed_at = :now
WHERE state IN ('held', 'unknown') AND until IS NULL AND replaced = 0 AND changed_at > :now

-- pull_back_vendor_operations --
-- Requests to vendors that were begun after now: nobody waits for their answers any more.
UPDATE vendor_operation SET lease_expires_at = :now WHERE state = 'begun' AND created_at > :now

-- waiting_too_long --
-- Plans that would wait for a person until after an instant.
SELECT id FROM plan WHERE status = 'waiting' AND expires_at > :latest ORDER BY no

-- pull_back_plans --
-- Plans that were made after now.
UPDATE plan SET key_expires_at = :now + (key_expires_at - created_at), created_at = :now WHERE created_at > :now

-- pull_back_decisions --
-- Plans that were decided after now.
UPDATE plan SET decided_at = :now WHERE decided_at > :now

-- pull_back_operations --
-- Calls that were answered after now: their keys are kept no longer than any other.
UPDATE operation SET expires_at = :now + (expires_at - created_at), created_at = :now WHERE created_at > :now

-- has_old_answers --
-- Whether answers are kept from before an instant.
SELECT EXISTS (SELECT 1 FROM operation WHERE created_at < :before)
    OR EXISTS (SELECT 1 FROM plan WHERE created_at < :before AND learnt IS NOT NULL)
    OR EXISTS (SELECT 1 FROM vendor_operation WHERE settled_at < :before AND answer <> '{}') AS found

-- forget_operations --
-- Forget calls of write tools and their answers.
DELETE FROM operation WHERE created_at < :before

-- forget_starts --
-- Forget the keys of starts, and who was left out of them.
UPDATE plan SET call_key = NULL, fingerprint = NULL, key_expires_at = NULL, learnt = NULL
WHERE created_at < :before AND learnt IS NOT NULL

-- forget_vendor_answers --
-- Forget the answers of vendors, and the keys under which they were repeated; the operations stay.
UPDATE vendor_operation SET answer = '{}', key = NULL WHERE settled_at < :before AND answer <> '{}'
