-- tally --
-- How many people of a plan wait, how many of them with warnings, how many are under way here, and how many were
-- taken out of it or never began.
SELECT count(*) FILTER (WHERE status = 'FOUND' AND operation_id IS NULL) AS waiting,
       count(*) FILTER (WHERE provider = 'local' AND status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER'))
         AS live,
       count(*) FILTER (WHERE status = 'FOUND' AND operation_id IS NULL AND warnings > 0) AS warned,
       count(*) FILTER (WHERE status IN ('REFUSED', 'STOPPED_EARLY')) AS refused
FROM sequence WHERE plan_no = (SELECT no FROM plan WHERE id = :plan_id)

-- messages --
-- How many people of a plan whom an approval concerns would still get each of its steps.
SELECT r.step, count(r.recipient) FILTER (WHERE s.status = 'FOUND' AND s.operation_id IS NULL
         OR s.status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER') AND r.state IN ('planned', 'held'))
         AS found
FROM sequence s JOIN step_run r ON r.sequence_no = s.no AND r.replaced = 0
WHERE s.plan_no = (SELECT no FROM plan WHERE id = :plan_id)
GROUP BY r.step ORDER BY r.step

-- steps --
-- In which state each step of a plan's people is, of those who began here.
SELECT r.step, r.state, count(*) AS found
FROM sequence s JOIN step_run r ON r.sequence_no = s.no AND r.replaced = 0
WHERE s.plan_no = (SELECT no FROM plan WHERE id = :plan_id) AND s.provider = 'local'
  AND s.status NOT IN ('FOUND', 'REFUSED')
GROUP BY r.step, r.state ORDER BY r.step, r.state

-- statuses --
-- How many of a plan's people are in each status.
SELECT status, count(*) AS found FROM sequence WHERE plan_no = (SELECT no FROM plan WHERE id = :plan_id)
GROUP BY status

-- reasons --
-- Why people of a plan are in a status.
SELECT status, reason, count(*) AS found FROM sequence
WHERE plan_no = (SELECT no FROM plan WHERE id = :plan_id) AND reason IS NOT NULL
GROUP BY status, reason

-- people --
-- A page of a plan's people who meet the conditions, which are put in from fixed parts: those who wait, those with
-- warnings first, then those with a text that was changed for them, then whoever was taken out.
SELECT s.id FROM sequence s WHERE s.plan_no = (SELECT no FROM plan WHERE id = :plan_id) /* among */
ORDER BY /* order */ LIMIT :size OFFSET :skip

-- count_people --
-- How many people of a plan meet the conditions.
SELECT count(*) AS found FROM sequence s WHERE s.plan_no = (SELECT no FROM plan WHERE id = :plan_id) /* among */

-- place --
-- The place of one person in that list, from 1.
SELECT place FROM (
  SELECT s.id, row_number() OVER (ORDER BY /* order */) AS place
  FROM sequence s WHERE s.plan_no = (SELECT no FROM plan WHERE id = :plan_id) /* among */
) AS places WHERE id = :sequence_id

-- unread --
-- How many people of a plan wait with a text of their own that was not opened, and the first of them after a place in
-- the list, or from its beginning on.
WITH unread AS (
  SELECT s.id, row_number() OVER (ORDER BY /* order */) AS place, /* unread */ AS is_unread
  FROM sequence s WHERE s.plan_no = (SELECT no FROM plan WHERE id = :plan_id)
)
SELECT id, count(*) OVER () AS found FROM unread WHERE is_unread
ORDER BY place <= coalesce((SELECT place FROM unread WHERE id = :after), 0), place LIMIT 1

-- variants --
-- How many people of a plan wait for each variant of each step, unchanged; the first of them in the list; and one of
-- them whose text was opened.
WITH waiting AS (
  SELECT s.no, s.id, row_number() OVER (ORDER BY /* order */) AS place
  FROM sequence s WHERE s.plan_no = (SELECT no FROM plan WHERE id = :plan_id) AND s.status = 'FOUND'
    AND s.operation_id IS NULL
)
SELECT DISTINCT r.step, r.variant, count(*) OVER same AS people,
  first_value(w.id) OVER (PARTITION BY r.step, r.variant ORDER BY w.place) AS id,
  max(CASE WHEN r.key IN (SELECT value FROM json_each(:opened)) THEN w.id END) OVER same AS opened
FROM waiting w JOIN step_run r ON r.sequence_no = w.no AND r.replaced = 0
WHERE r.variant IS NOT NULL AND r.recipient IS NOT NULL AND coalesce(r.same_as, r.generation) = 0
WINDOW same AS (PARTITION BY r.step, r.variant)
ORDER BY r.step, r.variant

-- mails --
-- E-mails that were given to the mail server or written to the outbox, the newest first, each once.
SELECT a.key, a.generation, a.claimed_at, a.message_id FROM attempt a
WHERE a.lease = (SELECT max(lease) FROM attempt b WHERE b.key = a.key AND b.generation = a.generation)
ORDER BY a.lease DESC LIMIT :size OFFSET :skip

-- count_mails --
-- How many e-mails were given to the mail server or written to the outbox.
SELECT count(DISTINCT key || ':' || generation) AS found FROM attempt

-- suppressions --
-- A page of the list of those who must never be contacted, the newest first.
SELECT * FROM suppression ORDER BY created_at DESC, kind, value LIMIT :size OFFSET :skip

-- count_suppressions --
-- How long the list is.
SELECT count(*) AS found FROM suppression

-- audit --
-- What happened, the newest first, without what a reader does not see (empty: whoever sees all).
SELECT * FROM audit WHERE :reader = '' OR subject NOT IN (
  SELECT blueprint_id FROM blueprint_owner WHERE private_since IS NOT NULL AND owner <> :reader)
ORDER BY no DESC LIMIT :size OFFSET :skip

-- count_audit --
-- How many things happened that a reader sees: the chain has no gaps.
SELECT coalesce(max(no), 0) - (SELECT count(*) FROM audit WHERE :reader <> '' AND subject IN (
  SELECT blueprint_id FROM blueprint_owner WHERE private_since IS NOT NULL AND owner <> :reader)) AS found FROM audit
