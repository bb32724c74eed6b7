-- moved --
-- Where this database was moved to.
SELECT place, at FROM moved_database

-- present --
-- Where this database belongs. A file is on no server's line.
SELECT *, NULL AS line, NULL AS present_line FROM lineage

-- is_new --
-- Whether anything was ever done with this database.
SELECT NOT EXISTS (SELECT 1 FROM audit) AND NOT EXISTS (SELECT 1 FROM contact)
   AND NOT EXISTS (SELECT 1 FROM suppression) AS new

-- adopt --
-- The place it belongs to from now on.
INSERT INTO lineage (only, mark, machine, file) VALUES (1, :mark, :machine, :file)
ON CONFLICT DO UPDATE SET mark = excluded.mark, machine = excluded.machine, file = excluded.file

-- sent_read --
-- How far the journal of what was sent was compared.
UPDATE lineage SET sent_read = :sent_read

-- line_read --
-- A line of that journal is known, and so is all before it.
UPDATE lineage SET sent_read = :sent_read WHERE sent_read = :begun

-- suppressions_read --
-- How far the other journal was compared.
UPDATE lineage SET suppressions_read = :suppressions_read

-- brings_back --
-- Whether people who were erased are in the database again, because it was put back to before.
SELECT 1 FROM erased_key WHERE regained = 1 LIMIT 1

-- stand_still --
-- A reason for which nothing leaves, since its first time.
INSERT INTO standstill (kind, since) VALUES (:kind, :since) ON CONFLICT DO NOTHING

-- standstills --
-- Why nothing leaves.
SELECT kind, since FROM standstill ORDER BY since, kind

-- go_on --
-- A person has said so.
DELETE FROM standstill

-- knows_email --
-- Whether it is known here that an e-mail was handed over. Where the attempt alone is, an older state was put back.
SELECT 1 FROM attempt a WHERE lease = :lease AND message_id = :message_id AND (answer IS NULL OR answer <> 'died')
  AND NOT EXISTS (SELECT 1 FROM step_run r WHERE r.key = a.key AND r.generation = a.generation AND r.lease = a.lease AND r.state = 'claimed')

-- knows_operation --
-- Whether a write to a vendor is known here.
SELECT 1 FROM vendor_operation WHERE id = :id

-- insert_unseen --
-- Something that left without this database knowing, or may have.
INSERT INTO left_unseen (kind, at, key, recipient, facts, why, found_at)
VALUES (:kind, :at, :key, :recipient, :facts, :why, :found_at)

-- open_unseen --
-- What left unseen and is not told yet.
SELECT * FROM left_unseen WHERE told = 0 ORDER BY no

-- unseen_by_key --
-- The newest that left unseen of one step.
SELECT * FROM left_unseen WHERE key = :key AND told = 0 ORDER BY no DESC LIMIT 1

-- unseen_to --
-- The newest that left unseen to one address.
SELECT * FROM left_unseen WHERE recipient = :recipient AND told = 0 ORDER BY no DESC LIMIT 1

-- told --
-- The step it was of is unknown from now on.
UPDATE left_unseen SET told = 1 WHERE key = :key

-- unseen_since --
-- How much left unseen, and when that was noticed first.
SELECT count(*) AS number, min(found_at) AS since, min(at) AS first_at FROM left_unseen WHERE kind = :kind

-- going --
-- Runs of which an e-mail may leave, now or after an approval.
SELECT id FROM sequence WHERE provider = 'local'
  AND status IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER') ORDER BY no

-- unsettled --
-- What left unseen and is not settled, and since when that is known.
SELECT count(*) AS number, min(found_at) AS since FROM left_unseen one
WHERE told = 0 OR EXISTS (SELECT 1 FROM step_run WHERE key = one.key AND state = 'unknown' AND replaced = 0)
  OR EXISTS (SELECT 1 FROM vendor_operation WHERE id = one.key AND state IN ('begun', 'unknown'))
