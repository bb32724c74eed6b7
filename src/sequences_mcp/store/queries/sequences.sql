-- next_no --
-- The number the next sequence gets.
SELECT coalesce(max(no), 0) + 1 AS no FROM sequence

-- insert --
-- A person's run, found.
INSERT INTO sequence (no, id, plan_no, version_no, contact_no, ordinal, status, variables, time_zone, warnings, findings,
                      created_at, updated_at, lane, provider, handover, address_key)
VALUES (:no, :id, :plan_no, :version_no, (SELECT no FROM contact WHERE id = :contact_id), :ordinal, 'FOUND',
        :variables, :time_zone, :warnings, :findings, :created_at, :created_at, 'free', :provider, :handover,
        coalesce(:address_key, CASE WHEN :provider <> 'local' THEN
          (SELECT email_key FROM contact WHERE id = :contact_id AND email IS NOT NULL) END))

-- insert_run --
-- One step of a run.
INSERT INTO step_run (sequence_no, step, generation, key, recipient, subject, content, state, reason, changed_at,
                      variant)
VALUES (:sequence_no, :step, 0, :key, :recipient, :subject, :content, :state, :reason, :changed_at, :variant)

-- by_ids --
-- Runs by a JSON list of ids, in its order; the order of the columns counts.
SELECT s.no, s.id, plan.id, blueprint_id, version, contact.id, s.status, s.ordinal, steps, s.created_at, s.updated_at,
       s.anchor, s.variables, s.paused_since, s.paused_until, s.stop_reason, s.time_zone, s.warnings, s.reason,
       s.provider, s.handover, s.remote_id, s.operation_id, s.findings, digest_version
FROM json_each(:ids) wanted CROSS JOIN sequence s ON s.id = wanted.value
CROSS JOIN plan ON plan.no = s.plan_no CROSS JOIN contact ON contact.no = s.contact_no
CROSS JOIN blueprint_version v ON v.no = s.version_no
ORDER BY wanted.key

-- runs_of --
-- The present steps of runs by a JSON list of their numbers; the order of the columns counts.
SELECT r.sequence_no, r.step, r.key, r.recipient, r.subject, r.content, r.generation, r.state, r.reason, r.until,
       r.executed_at, r.accepted_at, r.anchor, r.lease, r.lease_expires_at, r.message_id, r.server_reply, r.same_as,
       r.variant
FROM json_each(:numbers) wanted CROSS JOIN step_run r ON r.sequence_no = wanted.value AND r.replaced = 0
ORDER BY wanted.key, r.step

-- by_id --
-- One run, with the same columns in the same order.
SELECT s.no, s.id, plan.id, blueprint_id, version, contact.id, s.status, s.ordinal, steps, s.created_at, s.updated_at,
       s.anchor, s.variables, s.paused_since, s.paused_until, s.stop_reason, s.time_zone, s.warnings, s.reason,
       s.provider, s.handover, s.remote_id, s.operation_id, s.findings, digest_version
FROM sequence s CROSS JOIN plan ON plan.no = s.plan_no CROSS JOIN contact ON contact.no = s.contact_no
CROSS JOIN blueprint_version v ON v.no = s.version_no
WHERE s.id = :id

-- runs_of_one --
-- The present steps of one run, with the same columns in the same order.
SELECT r.sequence_no, r.step, r.key, r.recipient, r.subject, r.content, r.generation, r.state, r.reason, r.until,
       r.executed_at, r.accepted_at, r.anchor, r.lease, r.lease_expires_at, r.message_id, r.server_reply, r.same_as,
       r.variant
FROM step_run r WHERE r.sequence_no = (SELECT no FROM sequence WHERE id = :id) AND r.replaced = 0
ORDER BY r.step

-- update --
-- What may change of a run.
UPDATE sequence SET status = :status, anchor = :anchor, variables = :variables, warnings = :warnings, paused_since = :paused_since,
  paused_until = :paused_until, stop_reason = :stop_reason, reason = :reason, updated_at = :updated_at,
  next_run_at = :next_run_at, lane = :lane, remote_id = :remote_id, operation_id = :operation_id,
  findings = :findings
WHERE id = :id

-- update_run --
-- What may change of a step.
UPDATE step_run SET subject = :subject, content = :content, state = :state, reason = :reason, until = :until,
  executed_at = :executed_at, accepted_at = :accepted_at, anchor = :anchor, lease = :lease,
  lease_expires_at = :lease_expires_at, message_id = :message_id, server_reply = :server_reply,
  changed_at = :changed_at
WHERE key = :key AND generation = :generation

-- update_flight --
-- What may change of a step in flight, for the holder of its lease alone.
UPDATE step_run SET subject = :subject, content = :content, state = :state, reason = :reason, until = :until,
  executed_at = :executed_at, accepted_at = :accepted_at, anchor = :anchor, lease = :lease,
  lease_expires_at = :lease_expires_at, message_id = :message_id, server_reply = :server_reply,
  changed_at = :changed_at
WHERE key = :key AND generation = :generation AND lease = :held_lease

-- replace_run --
-- The end of a text that is being rewritten.
UPDATE step_run SET replaced = 1 WHERE key = :key AND generation = :generation

-- insert_generation --
-- A rewritten text.
INSERT INTO step_run (sequence_no, step, generation, key, recipient, subject, content, state, reason, until,
                      executed_at, accepted_at, anchor, lease, lease_expires_at, message_id, server_reply,
                      same_as, changed_at, variant)
SELECT sequence_no, step, :generation, key, recipient, :subject, :content, :state, :reason, :until,
       :executed_at, :accepted_at, :anchor, :lease, :lease_expires_at, :message_id, :server_reply, :same_as, :changed_at,
       variant
FROM step_run WHERE key = :key AND generation = :replaced_generation

-- variants_of --
-- Which variant of each step people of a JSON list of ids were given in runs of a blueprint, the newest run last.
SELECT contact.id AS contact_id, v.version, r.step, r.variant
FROM json_each(:ids) wanted CROSS JOIN contact ON contact.id = wanted.value
CROSS JOIN sequence s INDEXED BY sequence_contact ON s.contact_no = contact.no
CROSS JOIN blueprint_version v ON v.no = s.version_no
CROSS JOIN step_run r ON r.sequence_no = s.no AND r.replaced = 0
WHERE v.blueprint_id = :blueprint_id AND r.variant IS NOT NULL
ORDER BY s.no, r.step

-- generation_of --
-- The first generation of a step that had this very text.
SELECT min(coalesce(same_as, generation)) AS found FROM step_run
WHERE key = :key AND subject IS :subject AND content = :content

-- found_elsewhere --
-- Runs in other plans that nothing has begun of, of contacts of a JSON list of ids: each by its contact, since
-- SQLite would rather go through every run in FOUND once for each of them.
SELECT s.id FROM json_each(:ids) wanted CROSS JOIN contact ON contact.id = wanted.value
CROSS JOIN sequence s INDEXED BY sequence_contact ON s.contact_no = contact.no
WHERE s.status = 'FOUND' AND s.operation_id IS NULL AND s.plan_no <> (SELECT no FROM plan WHERE id = :plan_id)
ORDER BY s.no

-- park --
-- Take a run that cannot even be read off the schedule.
UPDATE sequence SET next_run_at = NULL, reason = :reason WHERE id = :id

-- id_of_run --
-- The run a step belongs to.
SELECT s.id FROM step_run r JOIN sequence s ON s.no = r.sequence_no WHERE r.key = :key LIMIT 1

-- next_due --
-- When the next thing is due in a lane before an instant, and what: of plans made for these terms; of others the end
-- of a lease alone.
SELECT s.id, next_run_at FROM sequence s CROSS JOIN plan p ON p.no = s.plan_no
WHERE s.lane = :lane AND next_run_at IS NOT NULL AND next_run_at <= :before AND (p.terms = :terms OR EXISTS (
  SELECT 1 FROM step_run r WHERE r.sequence_no = s.no AND r.replaced = 0 AND r.state IN ('claimed', 'handed_over')))
ORDER BY next_run_at, s.no LIMIT 1

-- due_of --
-- The same of one run alone.
SELECT s.id, next_run_at FROM sequence s CROSS JOIN plan p ON p.no = s.plan_no
WHERE s.id = :id AND s.lane = :lane AND next_run_at IS NOT NULL AND next_run_at <= :before AND (p.terms = :terms
  OR EXISTS (SELECT 1 FROM step_run r
             WHERE r.sequence_no = s.no AND r.replaced = 0 AND r.state IN ('claimed', 'handed_over')))

-- due_under --
-- Runs that are due and wait for nothing else, of plans made for these terms.
SELECT s.id FROM sequence s CROSS JOIN plan p ON p.no = s.plan_no
WHERE s.lane IN ('mailbox', 'free') AND s.next_run_at <= :now AND s.status = 'ACTIVE' AND p.terms = :terms
  AND NOT EXISTS (SELECT 1 FROM step_run r
                  WHERE r.sequence_no = s.no AND r.replaced = 0 AND r.state IN ('claimed', 'handed_over'))
ORDER BY s.next_run_at, s.no LIMIT :size

-- held_because --
-- Live runs whose step is held for a reason, of approved plans made for these terms.
SELECT s.id FROM step_run r CROSS JOIN sequence s ON s.no = r.sequence_no CROSS JOIN plan p ON p.no = s.plan_no
WHERE r.state IN ('held', 'unknown') AND r.until IS NULL AND r.replaced = 0 AND r.state = 'held' -- as the index has it
  AND r.reason LIKE :reason AND s.status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER')
  AND p.status = 'approved' AND p.terms = :terms
LIMIT :size

-- live_of_contacts --
-- Contacts of a JSON list of ids who have a live run, or whose address has one under another person's row.
SELECT contact.id AS contact_id, s.id AS sequence_id
FROM json_each(:ids) wanted CROSS JOIN contact ON contact.id = wanted.value
CROSS JOIN sequence s ON s.contact_no = contact.no
WHERE s.status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER')
   OR s.status = 'FOUND' AND s.operation_id IS NOT NULL
UNION ALL
SELECT contact.id, s.id
FROM json_each(:ids) wanted CROSS JOIN contact ON contact.id = wanted.value
CROSS JOIN sequence s INDEXED BY sequence_address ON s.address_key = contact.email_key
WHERE s.status IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER')
  AND (s.status <> 'FOUND' OR s.operation_id IS NOT NULL)

-- earlier_of_contacts --
-- Of contacts of a JSON list of ids: who has answered, or was won or lost, and who has come to the end of a blueprint
-- before. Runs to their present address count as theirs where another person's row has them.
WITH known AS (
  SELECT contact.id, contact.no AS contact_no, NULL AS address
  FROM json_each(:ids) wanted CROSS JOIN contact ON contact.id = wanted.value
  UNION ALL
  SELECT contact.id, former_address.contact_no, contact.email_key
  FROM json_each(:ids) wanted CROSS JOIN contact ON contact.id = wanted.value
  CROSS JOIN former_address ON former_address.key = contact.email_key
), earlier AS (
  SELECT known.id, s.no, s.status, s.stop_reason, s.version_no
  FROM known CROSS JOIN sequence s ON s.contact_no = known.contact_no
  WHERE known.address IS NULL OR s.address_key = known.address
)
SELECT id AS contact_id,
  MAX(CASE WHEN status = 'SUCCEEDED' OR stop_reason IS NOT NULL
    OR no IN (SELECT sequence_no FROM inbound_decision WHERE decision = 'about_run')
    OR EXISTS (SELECT 1 FROM recorded_reply r WHERE r.sequence_no = earlier.no AND r.answer <> 'out_of_office')
    OR EXISTS (SELECT 1 FROM inbound i LEFT JOIN inbound_decision d ON d.inbound_no = i.no
               WHERE i.sequence_no = earlier.no AND i.kind IN ('reply', 'opt_out', 'complaint')
                 AND i.basis <> 'company' AND d.decision IS NULL)
    THEN 1 ELSE 0 END) AS has_answered,
  MAX(CASE WHEN status = 'COMPLETED'
    AND version_no IN (SELECT no FROM blueprint_version WHERE blueprint_id = :blueprint_id)
    THEN 1 ELSE 0 END) AS has_completed
FROM earlier GROUP BY id
UNION ALL
SELECT contact.id, 1, 0 FROM json_each(:ids) wanted CROSS JOIN contact ON contact.id = wanted.value
WHERE contact.no IN (SELECT contact_no FROM recorded_reply WHERE sequence_no IS NULL AND answer <> 'out_of_office')

-- live_at_address --
-- A live run that writes to an address, other than one.
SELECT id FROM sequence INDEXED BY sequence_address
WHERE address_key = :address_key AND id <> :id
  AND status IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER')
  AND (status <> 'FOUND' OR operation_id IS NOT NULL)
LIMIT 1

-- live_with_further_addresses --
-- Live runs whose vendor was given more than one address of the person, with those beside the first.
SELECT id, json_extract(handover, :further) AS further FROM sequence INDEXED BY sequence_operation
WHERE operation_id IS NOT NULL AND status IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER')
  AND json_extract(handover, :further) IS NOT NULL

-- live_as --
-- Live runs whose person has one of a JSON list of a vendor's ids, whichever candidate of theirs it began with.
SELECT json_extract(handover, :talent) AS vendor_id, id AS sequence_id
FROM sequence INDEXED BY sequence_operation
WHERE operation_id IS NOT NULL AND status IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER')
  AND json_extract(handover, :talent) IN (SELECT value FROM json_each(:ids))

-- addressed --
-- The addresses of contacts of a JSON list of ids, as they are compared.
SELECT contact.id, contact.email_key FROM json_each(:ids) wanted CROSS JOIN contact ON contact.id = wanted.value
WHERE contact.email_key IS NOT NULL

-- going_of_contacts --
-- Runs that are live here or may become live anywhere, of contacts of a JSON list of ids.
SELECT s.id AS sequence_id
FROM json_each(:ids) wanted CROSS JOIN contact ON contact.id = wanted.value
CROSS JOIN sequence s ON s.contact_no = contact.no
WHERE (s.status = 'FOUND' AND s.operation_id IS NULL
       OR s.provider = 'local' AND s.status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER'))
  AND (:blueprint_id IS NULL
       OR s.version_no IN (SELECT no FROM blueprint_version WHERE blueprint_id = :blueprint_id))
ORDER BY s.no

-- of_contact --
-- The newest runs of a contact.
SELECT s.id FROM sequence s WHERE s.contact_no = (SELECT no FROM contact WHERE id = :contact_id) ORDER BY s.no DESC
LIMIT 20

-- found_in_plan --
-- Some of a plan's people who do not know its outcome yet, in order.
SELECT id FROM sequence
WHERE plan_no = (SELECT no FROM plan WHERE id = :plan_id) AND status = 'FOUND' AND operation_id IS NULL
  AND ordinal > :after
ORDER BY ordinal LIMIT :size

-- live_in_plan --
-- Some of a plan's runs that are live here, in order.
SELECT id FROM sequence
WHERE plan_no = (SELECT no FROM plan WHERE id = :plan_id) AND ordinal > :after AND provider = 'local'
  AND status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER')
ORDER BY ordinal LIMIT :size

-- findings_in_plan --
-- What was found about those whom an approval of a plan concerns or concerned, each once, in order.
SELECT findings FROM sequence
WHERE plan_no = (SELECT no FROM plan WHERE id = :plan_id) AND findings IS NOT NULL
  AND status NOT IN ('COMPLETED', 'SUCCEEDED', 'FAILED', 'STOPPED_EARLY', 'REFUSED')
GROUP BY findings ORDER BY min(ordinal)

-- without_texts --
-- The first people of a plan for whom a text is still to be written.
SELECT id FROM sequence s
WHERE plan_no = (SELECT no FROM plan WHERE id = :plan_id) AND +status = 'FOUND' AND operation_id IS NULL
  AND EXISTS (SELECT 1 FROM step_run r WHERE r.sequence_no = s.no AND r.replaced = 0 AND r.content IS NULL)
ORDER BY ordinal LIMIT :size

-- in_plan --
-- A page of a plan's people, in order.
SELECT id FROM sequence WHERE plan_no = (SELECT no FROM plan WHERE id = :plan_id)
ORDER BY ordinal LIMIT :size OFFSET :skip

-- count_in_plan --
-- How many people a plan has.
SELECT count(*) AS found FROM sequence WHERE plan_no = (SELECT no FROM plan WHERE id = :plan_id)

-- of_operation --
-- Whom one write hands over to a vendor, in order.
SELECT id FROM sequence WHERE operation_id = :operation_id ORDER BY ordinal

-- of_remote --
-- The newest run with this id at its vendor.
SELECT id FROM sequence WHERE remote_id = :remote_id ORDER BY no DESC LIMIT 1

-- given_as --
-- The newest run at a vendor that was given this id for the person.
SELECT id FROM sequence s INDEXED BY sequence_at_vendor
WHERE s.provider <> 'local' AND EXISTS (SELECT 1 FROM json_each(s.handover) given WHERE given.value = :vendor_id)
ORDER BY no DESC LIMIT 1

-- live_at_vendors --
-- Live runs that vendors have or may have: of the contacts of a JSON list of ids, or whose vendor was given something
-- like one of a JSON list of patterns.
SELECT s.id FROM sequence s INDEXED BY sequence_operation JOIN contact ON contact.no = s.contact_no
WHERE s.operation_id IS NOT NULL AND s.status IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER')
  AND (contact.id IN (SELECT value FROM json_each(:ids))
       OR EXISTS (SELECT 1 FROM json_each(:patterns) p WHERE s.handover LIKE p.value ESCAPE '\'))
ORDER BY s.no

-- page --
-- A page of runs; the conditions and the order are put in from fixed parts.
SELECT id FROM sequence /* where */ ORDER BY /* order */ LIMIT :size OFFSET :skip

-- count --
-- How many runs there are of each status; the conditions are put in from fixed parts.
SELECT status, count(*) AS found FROM sequence /* where */ GROUP BY status

-- open_tasks --
-- Steps that wait to be done by hand, the oldest first; not those of somebody who is paused.
SELECT r.key FROM step_run r CROSS JOIN sequence s ON s.no = r.sequence_no
WHERE r.state = 'open' AND r.replaced = 0 AND (s.paused_until IS NULL OR s.paused_until <= :now)
ORDER BY r.changed_at, r.no LIMIT :size OFFSET :skip

-- count_open_tasks --
-- How many steps wait to be done by hand; not those of somebody who is paused.
SELECT count(*) AS found FROM step_run r CROSS JOIN sequence s ON s.no = r.sequence_no
WHERE r.state = 'open' AND r.replaced = 0 AND (s.paused_until IS NULL OR s.paused_until <= :now)

-- waiting_texts --
-- Texts of started runs that wait for a person, the oldest first.
SELECT key FROM step_run
WHERE state IN ('held', 'unknown') AND until IS NULL AND replaced = 0
  AND (reason IS NULL OR reason NOT LIKE :plan_reason)
ORDER BY changed_at, no LIMIT :size OFFSET :skip

-- count_waiting_texts --
-- How many texts of started runs wait for a person.
SELECT count(*) AS found FROM step_run
WHERE state IN ('held', 'unknown') AND until IS NULL AND replaced = 0
  AND (reason IS NULL OR reason NOT LIKE :plan_reason)

-- texts_in_plan --
-- Texts of a plan that are missing or were written or changed for one person, in order.
SELECT key FROM sequence s JOIN step_run r ON r.sequence_no = s.no AND r.replaced = 0
WHERE s.plan_no = (SELECT no FROM plan WHERE id = :plan_id) AND +s.status = 'FOUND' -- by the plan, not by status
  AND s.operation_id IS NULL
  AND (r.content IS NULL OR r.step IN (SELECT value FROM json_each(:read_steps)) OR coalesce(r.same_as, r.generation) > 0)
ORDER BY s.ordinal, r.step LIMIT :size OFFSET :skip

-- count_texts_in_plan --
-- How many texts of a plan are missing or were written or changed for one person.
SELECT count(*) AS found FROM sequence s JOIN step_run r ON r.sequence_no = s.no AND r.replaced = 0
WHERE s.plan_no = (SELECT no FROM plan WHERE id = :plan_id) AND +s.status = 'FOUND' -- by the plan, not by status
  AND s.operation_id IS NULL
  AND (r.content IS NULL OR r.step IN (SELECT value FROM json_each(:read_steps)) OR coalesce(r.same_as, r.generation) > 0)

-- unpaused --
-- Live runs of the embedded engine that no pause keeps until an instant, by id.
SELECT id FROM sequence
WHERE provider = 'local' AND status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER') AND id > :after
  AND (paused_until IS NULL OR paused_until < :until)
ORDER BY id LIMIT :size

-- paused_together --
-- Runs of the embedded engine that were paused at one instant until another.
SELECT id FROM sequence
WHERE provider = 'local' AND status = 'WAITING_FOR_LEAD' AND paused_since = :since AND paused_until = :until
LIMIT :size

-- all_of_contact --
-- Every run of a person, the oldest first.
SELECT id FROM sequence WHERE contact_no = (SELECT no FROM contact WHERE id = :contact_id) ORDER BY no

-- after --
-- Some of all runs but those of people who were erased, in the order in which they were planned.
SELECT no, id FROM sequence
WHERE no > :no AND contact_no NOT IN (SELECT no FROM contact WHERE erased_at IS NOT NULL) ORDER BY no LIMIT :size
