-- insert --
-- A plan that is still being written.
INSERT INTO plan (id, version_no, status, terms, expires_at, covered, digest, people, missing_texts, to_read,
                  warnings, created_at, digest_version, account)
SELECT :id, no, 'drafting', :terms, :expires_at, :covered, '', 0, 0, 0, 0, :created_at, :digest_version, :account
FROM blueprint_version WHERE blueprint_id = :blueprint_id AND version = :version

-- insert_texts --
-- The plan's list of text digests, empty.
INSERT INTO plan_texts (plan_no, digests) SELECT no, x'' FROM plan WHERE id = :id

-- find --
-- One plan with its blueprint.
SELECT plan.*, blueprint_id, version, name FROM plan JOIN blueprint_version v ON v.no = plan.version_no
WHERE plan.id = :id

-- update --
-- What may change of a plan.
UPDATE plan SET status = :status, terms = :terms, expires_at = :expires_at, digest = :digest, people = :people,
  missing_texts = :missing_texts, to_read = :to_read, warnings = :warnings, decided_at = :decided_at,
  decided_by = :decided_by, reason = :reason, ending = :ending, unsettled = :unsettled, account = :account
WHERE id = :id

-- cover --
-- The warnings about everybody that an approval of a plan covers.
UPDATE plan SET covered = :covered WHERE id = :id

-- mark_decision_applied --
-- Everybody in the plan has been told of the decision.
UPDATE plan SET unsettled = 0 WHERE id = :id

-- set_call --
-- The call that made a plan, and what was learnt meanwhile.
UPDATE plan SET call_tool = :tool, call_key = :key, fingerprint = :fingerprint, key_expires_at = :expires_at,
  left_out = :left_out, learnt = :learnt
WHERE id = :id

-- free_key --
-- Let go of a key whose time is over.
UPDATE plan SET call_key = NULL WHERE call_key = :key AND key_expires_at <= :now

-- learnt --
-- What was learnt while a plan was made.
SELECT left_out, learnt FROM plan WHERE id = :id

-- set_texts --
-- The digests of the plan's texts.
UPDATE plan_texts SET digests = :digests WHERE plan_no = (SELECT no FROM plan WHERE id = :id)

-- texts --
-- The digests of the plan's texts.
SELECT digests FROM plan_texts WHERE plan_no = (SELECT no FROM plan WHERE id = :id)

-- texts_of_people --
-- How many texts of people who wait are missing, and how many a person has to read, by the steps named.
SELECT count(*) FILTER (WHERE content IS NULL) AS missing_texts,
       count(*) FILTER (WHERE content IS NOT NULL AND (step IN (SELECT value FROM json_each(:read_steps))
                                                  OR coalesce(same_as, generation) > 0)) AS to_read
FROM sequence s JOIN step_run r ON r.sequence_no = s.no AND r.replaced = 0
WHERE s.plan_no = (SELECT no FROM plan WHERE id = :id) AND +s.status = 'FOUND' -- by the plan, not by status
  AND s.operation_id IS NULL

-- people_left --
-- How many people of a plan an approval still concerns, and how many warnings there are about them.
SELECT count(*) AS people, coalesce(sum(warnings), 0) AS warnings FROM sequence
WHERE plan_no = (SELECT no FROM plan WHERE id = :id)
  AND (status = 'FOUND' AND operation_id IS NULL OR status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER'))

-- pauses --
-- Who of those whom an approval of a plan concerns is paused, and until when.
SELECT id, paused_until FROM sequence
WHERE plan_no = (SELECT no FROM plan WHERE id = :id) AND paused_until IS NOT NULL
  AND (status = 'FOUND' AND operation_id IS NULL OR status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER'))
ORDER BY ordinal

-- emptied --
-- Plans that wait for a person although nobody is left in them.
SELECT id FROM plan p WHERE status IN ('waiting', 'void') AND NOT EXISTS (
  SELECT 1 FROM sequence WHERE plan_no = p.no
    AND (status = 'FOUND' AND operation_id IS NULL OR status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER')))

-- waiting --
-- Plans that wait for a person, and others by a JSON list of their ids, the oldest first.
SELECT plan.*, blueprint_id, version, name FROM plan JOIN blueprint_version v ON v.no = plan.version_no
WHERE status IN ('waiting', 'void') OR plan.id IN (SELECT value FROM json_each(:others)) ORDER BY plan.no LIMIT :size OFFSET :skip

-- count_waiting --
-- How many plans wait for a person, with others by a JSON list of their ids.
SELECT count(*) AS found FROM plan
WHERE status IN ('waiting', 'void') OR id IN (SELECT value FROM json_each(:others))

-- going_on --
-- Approved plans with people under way here, or still to be handed over to a vendor.
SELECT plan.*, blueprint_id, version, name FROM plan JOIN blueprint_version v ON v.no = plan.version_no
WHERE status = 'approved' AND terms <> :terms AND (
  unsettled = 1 AND blueprint_id NOT LIKE 'local:%' OR blueprint_id LIKE 'local:%' AND EXISTS (
    SELECT 1 FROM sequence WHERE plan_no = plan.no AND status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER')))

-- of_other_terms --
-- Approved and void plans of a JSON list of ids that were made for other terms than these.
SELECT plan.*, blueprint_id, version, name FROM json_each(:ids) wanted CROSS JOIN plan ON plan.id = wanted.value
CROSS JOIN blueprint_version v ON v.no = plan.version_no
WHERE status IN ('approved', 'void') AND terms <> :terms

-- overdue --
-- Plans that waited too long, or that nobody finished writing.
SELECT id FROM plan
WHERE (status = 'waiting' AND expires_at <= :now) OR (status = 'drafting' AND created_at <= :abandoned)

-- first_to_end --
-- When the first plan has waited too long, and when the oldest was begun that nobody has finished writing.
SELECT min(expires_at) FILTER (WHERE status = 'waiting') AS expires,
       min(created_at) FILTER (WHERE status = 'drafting') AS begun FROM plan WHERE status IN ('waiting', 'drafting')

-- unsettled --
-- Plans that are decided while some of their people do not know it.
SELECT id FROM plan WHERE unsettled = 1

-- approve --
-- A person's approval.
INSERT INTO approval (subject, digest, actor, at) VALUES (:subject, :digest, :actor, :at)

-- approval --
-- The latest yes to exactly this.
SELECT max(at) AS at FROM approval WHERE subject = :subject AND digest = :digest

-- approvers --
-- Who said yes to exactly this, in order.
SELECT actor FROM approval WHERE subject = :subject AND digest = :digest ORDER BY no

-- any_approval --
-- Whether anything of a subject was ever approved.
SELECT 1 AS found FROM approval WHERE subject = :subject LIMIT 1

-- sign --
-- What a passkey signed for the approval that was just recorded.
INSERT INTO approval_signature (approval_no, assertion)
SELECT max(no), :assertion FROM approval WHERE subject = :subject AND digest = :digest

-- signature --
-- What a passkey signed for the latest yes to exactly this that carries a signature.
SELECT assertion FROM approval JOIN approval_signature ON approval_no = no
WHERE subject = :subject AND digest = :digest ORDER BY no DESC LIMIT 1

-- resend --
-- What the approval that was just recorded was given to: a text, after an attempt of unknown outcome.
INSERT INTO resend (approval_no, text_digest, lease)
SELECT max(no), :text_digest, :lease FROM approval WHERE subject = :subject AND digest = :digest

-- yeses --
-- Every yes to one text, to itself or to sending it again, the oldest first, with what a passkey signed for it.
SELECT approval.digest AS digest, approval.at AS at, resend.lease AS lease, assertion
FROM approval
LEFT JOIN resend ON resend.approval_no = approval.no
LEFT JOIN approval_signature ON approval_signature.approval_no = approval.no
WHERE approval.subject = :subject
  AND ((resend.approval_no IS NULL AND approval.digest = :digest) OR resend.text_digest = :digest)
ORDER BY approval.no

-- ids_of --
-- The ids of plans by a JSON list of their numbers.
SELECT id FROM plan WHERE no IN (SELECT value FROM json_each(:numbers)) ORDER BY no

-- redact --
-- The digest that a plan has without somebody who was erased, and the one that stands for it.
INSERT INTO plan_redaction (plan_no, present, sealed) SELECT no, :present, :sealed FROM plan WHERE id = :id
ON CONFLICT (plan_no) DO UPDATE SET present = excluded.present, sealed = excluded.sealed

-- redaction --
-- The same, of a plan that has it.
SELECT present, sealed FROM plan_redaction JOIN plan ON plan.no = plan_no WHERE id = :id

-- erased_places --
-- The places in a plan of people who were erased since.
SELECT ordinal FROM sequence JOIN contact ON contact.no = contact_no
WHERE plan_no = (SELECT no FROM plan WHERE id = :id) AND erased_at IS NOT NULL
