-- insert --
-- A write to a vendor that is about to be made.
INSERT INTO vendor_operation (id, provider, tool, subject, key, fingerprint, request, state, actor, created_at,
                              lease_expires_at)
VALUES (:id, :provider, :tool, :subject, :key, :fingerprint, :request, 'begun', :actor, :now, :lease_expires_at)

-- by_id --
-- One operation.
SELECT * FROM vendor_operation WHERE id = :id

-- by_key --
-- The operation a key belongs to.
SELECT * FROM vendor_operation WHERE key = :key

-- open_on --
-- Operations on one thing that are not settled.
SELECT * FROM vendor_operation WHERE subject = :subject AND state IN ('begun', 'unknown') ORDER BY no

-- open_starts_of --
-- Starts of one blueprint that are not settled.
SELECT o.* FROM vendor_operation o JOIN plan ON plan.id = o.subject JOIN blueprint_version v ON v.no = plan.version_no
WHERE o.state IN ('begun', 'unknown') AND v.blueprint_id = :blueprint_id ORDER BY o.no

-- unknown --
-- Operations whose outcome nobody knows, oldest first.
SELECT * FROM vendor_operation
WHERE state = 'unknown' OR (state = 'begun' AND lease_expires_at <= :now) ORDER BY no LIMIT :size

-- first_unknown --
-- When the outcome of one of them is unknown at the latest, where nothing is heard of those under way: 0 is now.
SELECT min(CASE state WHEN 'unknown' THEN 0 ELSE lease_expires_at END) AS at
FROM vendor_operation WHERE state IN ('begun', 'unknown')

-- mark_unknown --
-- Nobody knows what became of it.
UPDATE vendor_operation SET state = 'unknown', answer = :answer WHERE id = :id AND state = 'begun'

-- conclude --
-- What became of it. One that was not done lets go of its key.
UPDATE vendor_operation
SET state = :state, answer = :answer, actor = :actor, settled_at = :now,
    key = CASE :state WHEN 'done' THEN key ELSE NULL END
WHERE id = :id AND state IN ('begun', 'unknown')

-- outcome --
-- How far the handing over of a plan's people is.
SELECT count(*) FILTER (WHERE fate = 'done') AS done, count(*) FILTER (WHERE fate = 'unknown') AS unknown,
       count(*) FILTER (WHERE fate = 'not_done') AS not_done, count(*) FILTER (WHERE fate = 'waiting') AS waiting
FROM (SELECT CASE WHEN status = 'FOUND' AND operation_id IS NULL OR status = 'ACTIVE' AND reason IS :taken THEN 'waiting'
                  WHEN operation_id IS NULL OR status = 'FAILED' AND remote_id IS NULL THEN 'not_done'
                  WHEN status = 'WAITING_FOR_USER' AND remote_id IS NULL THEN 'unknown'
                  ELSE 'done' END AS fate
      FROM sequence WHERE plan_no = (SELECT no FROM plan WHERE id = :plan_id)) AS fates

-- reasons --
-- Why a vendor has not, or may have, some of a plan's people, where it is not the vendor's own answer.
SELECT DISTINCT reason FROM sequence
WHERE plan_no = (SELECT no FROM plan WHERE id = :plan_id) AND reason IS NOT NULL
  AND no NOT IN (SELECT sequence_no FROM vendor_error)
  AND status IN ('FOUND', 'FAILED', 'REFUSED', 'WAITING_FOR_USER') LIMIT :size

-- last_paces --
-- The last pause, resumption or stop of each run of a JSON list of ids that was done through here.
SELECT o.subject, o.tool, o.request FROM json_each(:subjects) wanted
CROSS JOIN vendor_operation o ON o.no = (
  SELECT no FROM vendor_operation
  WHERE subject = wanted.value AND state = 'done'
    AND tool IN ('pause_sequence', 'resume_sequence', 'stop_sequence')
  ORDER BY no DESC LIMIT 1)
