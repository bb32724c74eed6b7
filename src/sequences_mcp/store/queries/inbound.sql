-- folders --
-- How far the folders of a mailbox were read.
SELECT folder, uidvalidity, last_uid, modseq FROM mailbox_folder WHERE mailbox = :mailbox

-- keep_folder --
-- A folder was read up to a UID; under one counting it never goes back.
INSERT INTO mailbox_folder (mailbox, folder, uidvalidity, last_uid, modseq)
VALUES (:mailbox, :folder, :uidvalidity, :last_uid, :modseq)
ON CONFLICT (mailbox, folder) DO UPDATE SET
  last_uid = CASE WHEN mailbox_folder.uidvalidity = :uidvalidity AND mailbox_folder.last_uid > :last_uid
                  THEN mailbox_folder.last_uid ELSE :last_uid END,
  modseq = CASE WHEN mailbox_folder.uidvalidity = :uidvalidity AND mailbox_folder.modseq > :modseq
                THEN mailbox_folder.modseq ELSE :modseq END,
  uidvalidity = :uidvalidity

-- keep_folder_anew --
-- A folder was read up to a UID that its server had given out before.
INSERT INTO mailbox_folder (mailbox, folder, uidvalidity, last_uid, modseq)
VALUES (:mailbox, :folder, :uidvalidity, :last_uid, :modseq)
ON CONFLICT (mailbox, folder) DO UPDATE SET last_uid = :last_uid, modseq = :modseq, uidvalidity = :uidvalidity

-- begun_first --
-- When the oldest of the runs was started that somebody may still answer.
SELECT min(created_at) AS at FROM sequence
WHERE provider = 'local' AND status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER')

-- reading --
-- Up to when a mailbox was read, and what stands in the way.
SELECT * FROM mailbox_reading WHERE mailbox = :mailbox

-- read --
-- Every folder of a mailbox has answered.
INSERT INTO mailbox_reading (mailbox, read_up_to, tried_at, left_out) VALUES (:mailbox, :began, :began, :left_out)
ON CONFLICT (mailbox) DO UPDATE SET
  read_up_to = CASE
    WHEN mailbox_reading.read_up_to > :began AND mailbox_reading.read_up_to <= :now THEN mailbox_reading.read_up_to
    ELSE :began END,
  tried_at = :began, error = NULL, reply = '', error_since = NULL, left_out = :left_out

-- failed --
-- A mailbox could not be read.
INSERT INTO mailbox_reading (mailbox, tried_at, error, reply, error_since)
VALUES (:mailbox, :now, :error, :reply, :now)
ON CONFLICT (mailbox) DO UPDATE SET
  tried_at = :now, error = :error, reply = :reply, error_since = coalesce(mailbox_reading.error_since, :now)

-- see --
-- A message is looked at, if it was not before.
INSERT INTO inbound_seen (hash, at) VALUES (:hash, :at) ON CONFLICT DO NOTHING

-- seen --
-- Whether a message was looked at.
SELECT 1 AS found FROM inbound_seen WHERE hash = :hash

-- forget --
-- What was looked at so long ago that no walk comes upon it again.
DELETE FROM inbound_seen WHERE at < :before

-- insert --
-- What came in about a run.
INSERT INTO inbound (hash, mailbox, kind, basis, sender, subject, text, why, sequence_no, key, effect, sent_at, until,
                     found_at, message_id, refers_to)
VALUES (:hash, :mailbox, :kind, :basis, :sender, :subject, :text, :why, (SELECT no FROM sequence WHERE id = :sequence_id),
        :key, :effect, :sent_at, :until, :found_at, :message_id, :refers_to)

-- count_kinds --
-- How often something of these kinds (a JSON list) came in about a run.
SELECT count(*) AS found FROM inbound
WHERE sequence_no = (SELECT no FROM sequence WHERE id = :sequence_id)
  AND kind IN (SELECT value FROM json_each(:kinds))

-- attempts_of --
-- The attempts that had one of a JSON list of Message-IDs, in brackets and lower case, the newest first.
SELECT a.key, a.lease FROM json_each(:ids) wanted
CROSS JOIN attempt a INDEXED BY attempt_message_id ON lower(a.message_id) = wanted.value ORDER BY a.lease DESC

-- keys_of_provider --
-- The steps that a mail server passed on under one of a JSON list of ids.
SELECT key FROM provider_message WHERE id IN (SELECT value FROM json_each(:ids))

-- keep_provider_id --
-- The id under which a mail server passed on a step's e-mail.
INSERT INTO provider_message (id, key) VALUES (:id, :key) ON CONFLICT (id) DO UPDATE SET key = :key

-- texts_of --
-- Every text that a run has had, with its subject.
SELECT subject, content FROM step_run
WHERE sequence_no = (SELECT no FROM sequence WHERE id = :sequence_id) AND content IS NOT NULL

-- unknown_named --
-- Steps of unknown outcome that something which came in names.
SELECT r.key FROM step_run r
WHERE r.state = 'unknown' AND r.until IS NULL AND r.replaced = 0 AND r.state IN ('held', 'unknown')
  AND EXISTS (SELECT 1 FROM inbound i INDEXED BY inbound_key
              WHERE i.key = r.key AND i.key IS NOT NULL AND i.basis IN ('message_id', 'provider_id'))

-- live_at_host --
-- Live runs that write to an address at a host, a few.
SELECT id FROM sequence INDEXED BY sequence_address
WHERE address_key LIKE :pattern ESCAPE '\' AND address_key IS NOT NULL AND provider = 'local'
  AND status IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER') AND status <> 'FOUND' -- as the index has it
LIMIT 20

-- replies --
-- A page of what came back, read or recorded by hand, the newest first: which, whether it waits for a person's
-- decision, and how many there are in all. Somebody else's words wait until
-- they are decided about, but for those about a run that is over; a hold while a run of the same person is held.
WITH received AS (
  SELECT 'e' AS source, i.no, i.kind, i.found_at AS at, coalesce(d.sequence_no, i.sequence_no) AS sequence_no,
         s.contact_no, CASE WHEN i.basis = 'company' AND d.decision IS NOT 'about_run' THEN 1 ELSE 0 END AS unmatched,
         CASE WHEN d.inbound_no IS NULL AND (i.basis = 'company' AND i.effect NOT LIKE 'noted%'
                OR i.effect LIKE '%' || :held || '%' AND EXISTS (
           SELECT 1 FROM sequence h JOIN step_run r ON r.sequence_no = h.no AND r.replaced = 0
           WHERE h.contact_no = s.contact_no AND h.status IN ('ACTIVE', 'WAITING_FOR_USER')
             AND r.state = 'held' AND r.until IS NULL)) THEN 1 ELSE 0 END AS waits
  FROM inbound i JOIN sequence s ON s.no = i.sequence_no LEFT JOIN inbound_decision d ON d.inbound_no = i.no
  UNION ALL
  SELECT 'h', no, answer, recorded_at, sequence_no, contact_no, 0, 0 FROM recorded_reply
  UNION ALL
  SELECT 'u', no, kind, found_at, NULL, NULL, 1,
         CASE WHEN decision IS NULL AND kind = 'opt_out' AND effect LIKE 'shown%' THEN 1 ELSE 0 END
  FROM unmatched_mail WHERE decision IS NOT 'about_run'
)
SELECT source, no, waits, unmatched, count(*) OVER () AS found FROM received
WHERE (:kinds IS NULL OR CASE WHEN unmatched = 1 THEN 'unmatched' ELSE kind END IN (SELECT value FROM json_each(:kinds)))
  AND (CAST(:since AS bigint) IS NULL OR at >= :since)
  AND (:sequence_id IS NULL OR sequence_no = (SELECT no FROM sequence WHERE id = :sequence_id))
  AND (:blueprint_id IS NULL OR sequence_no IN (
    SELECT q.no FROM sequence q JOIN blueprint_version v ON v.no = q.version_no WHERE v.blueprint_id = :blueprint_id))
  AND (:contact IS NULL OR contact_no IN (
    SELECT no FROM contact WHERE lower(id) = :contact OR search LIKE :contact_pattern ESCAPE '\'))
  AND (waits = 1 OR :waiting = 0) AND (source <> 'u' OR waits = 1 OR :kinds IS NOT NULL OR :source = 'u')
  AND (:source IS NULL OR source = :source AND no = :no)
ORDER BY at DESC, source, no DESC LIMIT :size OFFSET :skip

-- unmatched_replies --
-- What came in about no run under a JSON list of numbers.
SELECT no, kind AS stored_kind, '' AS contact_id, NULL AS sequence_id, NULL AS key, effect, found_at AS at, until,
       sent_at, mailbox, sender, subject, text, why, message_id, refers_to, NULL AS recorded_by, decision,
       0 AS is_authenticated
FROM unmatched_mail WHERE no IN (SELECT value FROM json_each(:numbers))

-- keep_unmatched --
-- What came in about no run.
INSERT INTO unmatched_mail (hash, mailbox, kind, sender, subject, text, why, effect, sent_at, until, found_at,
                            message_id, refers_to)
VALUES (:hash, :mailbox, :kind, :sender, :subject, :text, :why, :effect, :sent_at, :until, :found_at, :message_id,
        :refers_to)
ON CONFLICT DO NOTHING

-- drop_unmatched --
-- What is too old, and of one mailbox all but the newest.
DELETE FROM unmatched_mail WHERE found_at < :before
  OR mailbox = :mailbox AND no <= (SELECT no FROM unmatched_mail WHERE mailbox = :mailbox ORDER BY no DESC LIMIT 1 OFFSET :most)

-- decide_unmatched --
-- A person decides about what came in about no run, once.
UPDATE unmatched_mail SET decision = :decision, actor = :actor, decided_at = :at WHERE no = :no AND decision IS NULL

-- assign_unmatched --
-- What a person says is about a run is as what was found to be; who wrote it nobody else can say.
INSERT INTO inbound (hash, mailbox, kind, basis, sender, subject, text, why, sequence_no, key, effect, sent_at, until,
                     found_at, message_id, refers_to)
SELECT hash, mailbox, kind, 'company', sender, subject, text, why, (SELECT no FROM sequence WHERE id = :sequence_id),
       NULL, effect, sent_at, until, found_at, message_id, refers_to
FROM unmatched_mail WHERE no = :no

-- assigned --
-- Under which number something stands that a person said is about a run.
SELECT i.no FROM inbound i JOIN unmatched_mail u ON u.hash = i.hash WHERE u.no = :no

-- has_written --
-- Whether an e-mail left from an address, or may have, between two instants.
SELECT 1 AS found FROM attempt WHERE sender = :sender AND claimed_at BETWEEN :since AND :until LIMIT 1

-- came_back --
-- For how many of the runs that meet the conditions something of each kind came back; `told_as` is a JSON object of
-- the kinds by the words that are stored. The conditions are put in from fixed parts.
SELECT json_extract(:told_as, '$.' || a.kind) AS kind, count(DISTINCT sequence.no) AS found
FROM (
  SELECT coalesce(d.sequence_no, i.sequence_no) AS sequence_no, i.kind
  FROM inbound i LEFT JOIN inbound_decision d ON d.inbound_no = i.no
  WHERE i.basis <> 'company' OR d.decision = 'about_run'
  UNION ALL
  SELECT sequence_no, answer FROM recorded_reply WHERE sequence_no IS NOT NULL
) a CROSS JOIN sequence ON sequence.no = a.sequence_no /* where */
GROUP BY 1

-- read_replies --
-- What came in by e-mail under a JSON list of numbers, with what a person decided about it.
SELECT i.no, i.kind AS stored_kind, c.id AS contact_id, s.id AS sequence_id, i.key, i.effect, i.found_at AS at, i.until,
       i.sent_at, i.mailbox, i.sender, i.subject, i.text, i.why, i.message_id, i.refers_to, NULL AS recorded_by,
       d.decision, i.basis IN ('message_id', 'provider_id') AS is_authenticated
FROM inbound i LEFT JOIN inbound_decision d ON d.inbound_no = i.no
JOIN sequence s ON s.no = coalesce(d.sequence_no, i.sequence_no) JOIN contact c ON c.no = s.contact_no
WHERE i.no IN (SELECT value FROM json_each(:numbers))

-- recorded_replies --
-- What was recorded by hand under a JSON list of numbers.
SELECT r.no, r.answer AS stored_kind, c.id AS contact_id, s.id AS sequence_id, NULL AS key, r.effect,
       r.recorded_at AS at, r.until, NULL AS sent_at, '' AS mailbox, '' AS sender, '' AS subject, '' AS text, '' AS why,
       '' AS message_id, '' AS refers_to, r.actor AS recorded_by, NULL AS decision, 1 AS is_authenticated
FROM recorded_reply r JOIN contact c ON c.no = r.contact_no LEFT JOIN sequence s ON s.no = r.sequence_no
WHERE r.no IN (SELECT value FROM json_each(:numbers))

-- record --
-- Somebody's answer is recorded by hand, about the run that was under way, or else their newest.
INSERT INTO recorded_reply (answer, contact_no, sequence_no, until, effect, actor, recorded_at)
SELECT :answer, c.no,
       coalesce((SELECT no FROM sequence WHERE id = :sequence_id),
                (SELECT max(no) FROM sequence WHERE contact_no = c.no AND status <> 'REFUSED')),
       :until, :effect, :actor, :at
FROM contact c WHERE c.id = :contact_id

-- decide --
-- A person decides about what came in, once.
INSERT INTO inbound_decision (inbound_no, decision, sequence_no, actor, decided_at)
VALUES (:no, :decision, (SELECT no FROM sequence WHERE id = :sequence_id), :actor, :at) ON CONFLICT DO NOTHING

-- after --
-- Some of what came back from one source (e: read about a run, h: recorded by hand, u: read about no run), in order,
-- but for what is of people who were erased.
SELECT 'e' AS source, i.no, 0 AS waits,
       CASE WHEN i.basis = 'company' AND d.decision IS NOT 'about_run' THEN 1 ELSE 0 END AS unmatched
FROM inbound i LEFT JOIN inbound_decision d ON d.inbound_no = i.no
JOIN sequence s ON s.no = coalesce(d.sequence_no, i.sequence_no)
WHERE :source = 'e' AND i.no > :no AND s.contact_no NOT IN (SELECT no FROM contact WHERE erased_at IS NOT NULL)
UNION ALL
SELECT 'h', no, 0, 0 FROM recorded_reply
WHERE :source = 'h' AND no > :no AND contact_no NOT IN (SELECT no FROM contact WHERE erased_at IS NOT NULL)
UNION ALL
SELECT 'u', no, 0, 1 FROM unmatched_mail WHERE :source = 'u' AND no > :no AND decision IS NOT 'about_run'
ORDER BY no LIMIT :size
