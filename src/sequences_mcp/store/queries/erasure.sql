-- numbers --
-- The numbers of people of a JSON list of ids who are not erased.
SELECT contact.no, contact.id FROM json_each(:ids) wanted CROSS JOIN contact ON contact.id = wanted.value
WHERE erased_at IS NULL ORDER BY contact.no

-- addresses --
-- Every address that a person has or had, and to which an e-mail of theirs went or would go.
SELECT key AS address FROM former_address WHERE contact_no = :no
UNION SELECT address_key FROM sequence WHERE contact_no = :no AND address_key IS NOT NULL
UNION SELECT r.recipient FROM sequence s JOIN step_run r ON r.sequence_no = s.no
  WHERE s.contact_no = :no AND r.recipient LIKE '%_@_%' AND r.recipient NOT LIKE '%/%'

-- runs --
-- A person's runs, whatever became of them.
SELECT sequence.no, sequence.id, plan.id AS plan_id, provider, remote_id, handover, sequence.status, operation_id
FROM sequence JOIN plan ON plan.no = plan_no WHERE contact_no = :no ORDER BY sequence.no

-- steps --
-- The keys of a person's steps, with the texts and leases that they had.
SELECT DISTINCT r.key, r.lease, r.content IS NOT NULL AS is_written FROM sequence s JOIN step_run r ON r.sequence_no = s.no
WHERE s.contact_no = :no

-- in_flight --
-- What of a person is being sent now, until when.
SELECT s.id, r.state, r.lease_expires_at FROM sequence s JOIN step_run r ON r.sequence_no = s.no AND r.replaced = 0
WHERE s.contact_no = :no AND r.state IN ('claimed', 'handed_over')

-- open_requests --
-- Requests to vendors about these things whose answer is awaited or unknown.
SELECT id, provider, state FROM vendor_operation
WHERE state IN ('begun', 'unknown') AND (subject IN (SELECT value FROM json_each(:subjects)) OR id IN (
  SELECT operation_id FROM sequence WHERE contact_no = :no AND operation_id IS NOT NULL AND remote_id IS NULL
    AND status IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER')))

-- message_ids --
-- The Message-IDs under which e-mails of these steps left, or may have.
SELECT DISTINCT message_id, lease FROM attempt WHERE key IN (SELECT value FROM json_each(:keys))

-- shared --
-- Which of a JSON list of words other people have as theirs too.
SELECT wanted.value AS word FROM json_each(:words) wanted
WHERE EXISTS (SELECT 1 FROM contact WHERE contact.no NOT IN (SELECT value FROM json_each(:numbers))
  AND (phone = wanted.value OR linkedin_url = wanted.value OR consent = wanted.value OR source = wanted.value
       OR lower(first_name || ' ' || last_name) = lower(wanted.value)
       OR lower(last_name || ', ' || first_name) = lower(wanted.value)
       OR lower(last_name || ' ' || first_name) = lower(wanted.value)
       OR lower(last_name || first_name) = lower(wanted.value)))

-- addresses_of_others --
-- Which of a JSON list of addresses people have now who are not of a JSON list of numbers.
SELECT wanted.value AS address FROM json_each(:keys) wanted CROSS JOIN contact ON contact.email_key = wanted.value
WHERE contact.no NOT IN (SELECT value FROM json_each(:numbers))

-- senders --
-- From whom something came, as it stands there.
SELECT sender FROM inbound UNION SELECT sender FROM unmatched_mail
UNION SELECT recipient FROM left_unseen WHERE recipient IS NOT NULL
UNION SELECT recipient FROM step_run WHERE recipient IS NOT NULL

-- terms --
-- For whom and by whom plans were made.
SELECT DISTINCT terms FROM plan

-- others_at --
-- Runs that write to one of a JSON list of addresses, and whether they are over.
SELECT no, id, status NOT IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER') AS is_over
FROM sequence WHERE address_key IN (SELECT value FROM json_each(:keys))

-- forget_address --
-- The address of a run that is over.
UPDATE sequence SET address_key = NULL WHERE no = :no

-- forget_recipients --
-- Where e-mails of a run went, for some addresses.
UPDATE step_run SET recipient = NULL
WHERE sequence_no = :no AND lower(recipient) IN (SELECT value FROM json_each(:senders))

-- begin --
-- Let a row lose what otherwise never changes, in this transaction.
INSERT INTO erasing (kind, no) VALUES (:kind, :no) ON CONFLICT DO NOTHING

-- end --
-- Nothing changes any more that never changes.
DELETE FROM erasing

-- forget_contact --
-- What is left of a person: a number and an id of ours.
UPDATE contact SET id = :id, email = NULL, email_key = 'erased:' || no, email_host = NULL, phone = NULL, first_name = NULL,
  last_name = NULL, company = NULL, company_domain = NULL, company_host = NULL, company_root = NULL, company_key = NULL,
  job_title = NULL, location = NULL, country = NULL, time_zone = NULL, language = NULL, linkedin_url = NULL,
  source = NULL, found_at = NULL, basis = NULL, consent = NULL, notes = '', search = '', updated_at = :now,
  erased_at = :now
WHERE no = :no

-- forget_runs --
-- What a person's runs were about; what became of them stays, to be counted.
UPDATE sequence SET variables = '{}', reason = NULL, findings = NULL, time_zone = 'UTC', remote_id = NULL,
  handover = CASE WHEN provider = 'local' THEN NULL ELSE '{}' END, address_key = NULL, next_run_at = NULL
WHERE contact_no = :no

-- forget_texts --
-- The texts of a person's runs, in every generation. One of unknown fate counts as failed: nobody can look any more.
-- That an e-mail reached the outbox folder alone stays, so that it does not count as sent.
UPDATE step_run SET recipient = NULL, reason = NULL, message_id = NULL,
  server_reply = CASE WHEN state = 'sent' AND server_reply LIKE :in_outbox THEN :outbox END,
  state = CASE state WHEN 'unknown' THEN 'failed' ELSE state END,
  subject = CASE WHEN subject IS NULL THEN NULL ELSE '' END, content = CASE WHEN content IS NULL THEN NULL ELSE '' END
WHERE sequence_no IN (SELECT no FROM sequence WHERE contact_no = :no)

-- forget_replies --
-- What came in about a person's runs, or from one of their addresses about another one; its kind stays, to be counted.
UPDATE inbound SET sender = '', subject = '', text = '', why = '', message_id = '', refers_to = ''
WHERE sequence_no IN (SELECT no FROM sequence WHERE contact_no = :no)
   OR lower(sender) IN (SELECT value FROM json_each(:senders))

-- forget_unmatched --
-- What came from one of their addresses and is about no run.
DELETE FROM unmatched_mail WHERE lower(sender) IN (SELECT value FROM json_each(:senders))

-- forget_former --
-- The addresses that a person had before, and theirs among those that others had before.
DELETE FROM former_address WHERE contact_no = :no OR key IN (SELECT value FROM json_each(:addresses))

-- forget_readings --
-- What vendors told of a person's runs.
DELETE FROM vendor_reading WHERE sequence_no IN (SELECT no FROM sequence WHERE contact_no = :no)

-- forget_vendor_errors --
-- What vendors answered about a person.
DELETE FROM vendor_error WHERE sequence_no IN (SELECT no FROM sequence WHERE contact_no = :no)

-- forget_unseen --
-- To whom something left without this database knowing.
UPDATE left_unseen SET recipient = NULL, facts = '{}', told = 1
WHERE key IN (SELECT value FROM json_each(:keys)) OR lower(recipient) IN (SELECT value FROM json_each(:senders))

-- forget_suppressions --
-- The list's own words for a person: from now on a keyed hash stands for them.
DELETE FROM suppression WHERE kind = 'address' AND value IN (SELECT value FROM json_each(:addresses))
   OR kind = 'contact' AND value IN (SELECT value FROM json_each(:ids))

-- was_suppressed --
-- Whether a person was on the list under one of these names.
SELECT 1 FROM suppression WHERE kind = 'address' AND value IN (SELECT value FROM json_each(:addresses))
   OR kind = 'contact' AND value IN (SELECT value FROM json_each(:ids)) LIMIT 1

-- forget_requests --
-- What was asked of vendors about these things.
UPDATE vendor_operation SET subject = :erased, request = '{}', fingerprint = '', key = NULL,
  answer = CASE WHEN answer IS NULL THEN NULL ELSE '{}' END
WHERE subject IN (SELECT value FROM json_each(:subjects)) AND state IN ('done', 'not_done')

-- forget_changes --
-- Changes that were asked for about a person; one that waits is over.
UPDATE asked_change SET arguments = '{}', earlier = '{}', reason = NULL,
  refused_by = CASE WHEN approved_by IS NULL AND refused_by IS NULL THEN :actor ELSE refused_by END,
  decided_at = coalesce(decided_at, :now),
  subject = CASE WHEN subject IN (SELECT value FROM json_each(:ids)) THEN :erased ELSE subject END
WHERE subject IN (SELECT value FROM json_each(:subjects))

-- forget_calls --
-- Calls by their ids, with their answers: the same call is a new one from now on.
DELETE FROM operation WHERE id IN (SELECT value FROM json_each(:ids))

-- calls --
-- Calls of write tools and their answers.
SELECT id, key, answer FROM operation

-- forget_call_of_plan --
-- By which call a plan was made whose only person is erased.
UPDATE plan SET call_key = NULL, fingerprint = NULL, key_expires_at = NULL
WHERE id = :id AND NOT EXISTS (SELECT 1 FROM sequence JOIN contact ON contact.no = contact_no
                               WHERE plan_no = plan.no AND erased_at IS NULL)

-- mentions --
-- A table's texts that may name somebody, put in from fixed parts.
SELECT /* key */ AS row_key, /* columns */ FROM /* table */

-- rewrite --
-- One such text without them.
UPDATE /* table */ SET /* column */ = :value WHERE /* key */ = :row_key

-- texts_naming --
-- Texts and values of runs that have one of a JSON list of patterns in them, and whether their run is over.
SELECT r.no, r.key, s.no AS run_no, s.id, r.subject, r.content,
       s.status NOT IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER') AS is_over
FROM step_run r JOIN sequence s ON s.no = r.sequence_no
WHERE EXISTS (SELECT 1 FROM json_each(:patterns) p
              WHERE r.content LIKE p.value ESCAPE '\' OR r.subject LIKE p.value ESCAPE '\')

-- rewrite_text --
-- A text of a run that is over, without somebody's marks.
UPDATE step_run SET subject = :subject, content = :content WHERE no = :no

-- runs_naming --
-- Runs whose values, or what a vendor is given, have one of a JSON list of patterns in them.
SELECT no, id, variables, handover,
       status NOT IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER') AS is_over
FROM sequence WHERE EXISTS (SELECT 1 FROM json_each(:patterns) p
                            WHERE variables LIKE p.value ESCAPE '\' OR handover LIKE p.value ESCAPE '\')

-- rewrite_values --
-- The values of a run that is over, without somebody's marks.
UPDATE sequence SET variables = :variables, handover = :handover WHERE no = :no

-- versions_naming --
-- Blueprints whose fixed texts have one of a JSON list of patterns in them.
SELECT blueprint_id AS id, name, steps AS told FROM blueprint_version WHERE EXISTS (
  SELECT 1 FROM json_each(:patterns) p WHERE steps LIKE p.value ESCAPE '\' OR name LIKE p.value ESCAPE '\')
UNION SELECT blueprint_id, reason, NULL FROM waiver WHERE EXISTS (
  SELECT 1 FROM json_each(:patterns) p WHERE reason LIKE p.value ESCAPE '\')

-- audit_of --
-- Rows of the audit about these things, or with one of a JSON list of patterns in them.
SELECT * FROM audit WHERE action <> :kept AND (subject IN (SELECT value FROM json_each(:subjects)) OR EXISTS (
  SELECT 1 FROM json_each(:patterns) p
  WHERE detail LIKE p.value ESCAPE '\' OR subject LIKE p.value ESCAPE '\' OR actor LIKE p.value ESCAPE '\'))
ORDER BY no

-- redact_audit --
-- A row of the audit without what it told of somebody; its hash stays, and the chain goes on over it.
UPDATE audit SET actor = :actor, subject = :subject, detail = :detail WHERE no = :no

-- keep_hash --
-- By what somebody is known again, as a keyed hash.
INSERT INTO erased_key (hash, reason, actor, at) VALUES (:hash, :reason, :actor, :at) ON CONFLICT DO NOTHING

-- regain_hash --
-- A hash that the journal has and the database had not: it was put back to before somebody was erased.
INSERT INTO erased_key (hash, reason, actor, at, regained) VALUES (:hash, :reason, :actor, :at, 1)
ON CONFLICT DO NOTHING

-- regained --
-- The hashes whose people are still to be erased once more.
SELECT hash FROM erased_key WHERE regained = 1

-- end_regained --
-- They were.
UPDATE erased_key SET regained = 0 WHERE regained = 1

-- present_ids --
-- Everybody who is not erased.
SELECT id FROM contact WHERE erased_at IS NULL ORDER BY no

-- count_as_not_done --
-- Requests about people whose outcome was known when they were erased, and about nobody else who is under way.
UPDATE vendor_operation SET state = 'not_done', settled_at = :now
WHERE state IN ('begun', 'unknown') AND (subject IN (SELECT value FROM json_each(:subjects)) OR id IN (
  SELECT operation_id FROM sequence
  WHERE contact_no IN (SELECT value FROM json_each(:numbers)) AND operation_id IS NOT NULL
) AND id NOT IN (
  SELECT operation_id FROM sequence
  WHERE contact_no NOT IN (SELECT value FROM json_each(:numbers)) AND operation_id IS NOT NULL
    AND status IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER')))

-- latest_hash --
-- When the last of the hashes was kept.
SELECT max(at) AS at FROM erased_key

-- hashes_beside --
-- The hashes of whoever has a hash: those that were kept at its instant, which are nobody else's.
SELECT other.hash, other.at FROM erased_key present JOIN erased_key other ON other.at = present.at
WHERE present.hash = :hash ORDER BY other.hash

-- lift_hash --
-- A person may be stored again.
DELETE FROM erased_key WHERE hash = :hash AND at <= :at

-- has_hashes --
-- Whether anybody's hash is kept.
SELECT EXISTS (SELECT 1 FROM erased_key) AS found

-- hashes --
-- Which of a JSON list of hashes in hexadecimal are kept.
SELECT hash FROM json_each(:hashes) wanted CROSS JOIN erased_key ON hash = wanted.value

-- all_hashes --
-- Every hash that is kept.
SELECT hash, reason, actor, at FROM erased_key ORDER BY at, hash

-- due --
-- People whose last step, answer or run's end lies before an instant, and of whom nothing is under way or waits.
SELECT c.id FROM contact c WHERE erased_at IS NULL
  AND EXISTS (SELECT 1 FROM sequence s WHERE s.contact_no = c.no)
  AND NOT EXISTS (SELECT 1 FROM sequence s WHERE s.contact_no = c.no AND (s.updated_at > :before
    OR s.status IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER')))
  AND NOT EXISTS (SELECT 1 FROM inbound i JOIN sequence s ON s.no = i.sequence_no
                  WHERE s.contact_no = c.no AND i.found_at > :before)
  AND NOT EXISTS (SELECT 1 FROM recorded_reply r WHERE r.contact_no = c.no AND r.recorded_at > :before)
ORDER BY c.no LIMIT :size

-- looks --
-- When it was looked for such people before.
SELECT at FROM erasure_look ORDER BY at

-- forget_looks --
-- Those in the future, which a clock that was ahead has written, and those that prove nothing more.
DELETE FROM erasure_look WHERE at > :now OR at < :proven

-- note_look --
-- It is looked for them now.
INSERT INTO erasure_look (at) VALUES (:now) ON CONFLICT DO NOTHING

-- unsweep --
-- Bytes of what was erased may still stand in the file.
INSERT INTO unswept ("only", since) VALUES (1, :since) ON CONFLICT DO NOTHING

-- unswept --
-- Since when they may.
SELECT since FROM unswept

-- swept --
-- They do not any more.
DELETE FROM unswept

-- own_rows --
-- The rows of a table that are a person's own; table and condition are fixed parts.
SELECT * FROM /* table */ WHERE /* condition */
