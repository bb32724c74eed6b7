-- keep_folder --
-- A folder was read up to a UID; under one counting it never goes back.
INSERT INTO mailbox_folder (mailbox, folder, uidvalidity, last_uid, modseq)
VALUES (:mailbox, :folder, :uidvalidity, :last_uid, :modseq)
ON CONFLICT (mailbox, folder) DO UPDATE SET
  last_uid = CASE WHEN mailbox_folder.uidvalidity = :uidvalidity
                  THEN greatest(mailbox_folder.last_uid, :last_uid) ELSE :last_uid END,
  modseq = CASE WHEN mailbox_folder.uidvalidity = :uidvalidity
                THEN greatest(mailbox_folder.modseq, :modseq) ELSE :modseq END,
  uidvalidity = :uidvalidity

-- replies --
-- A page of what came back, read or recorded by hand, the newest first: which, whether it waits for a person's
-- decision, and how many there are in all. Somebody else's words wait until
-- they are decided about, but for those about a run that is over; a hold while a run of the same person is held.
WITH received AS (
  SELECT 'e' AS source, i.no, i.kind, i.found_at AS at, coalesce(d.sequence_no, i.sequence_no) AS sequence_no,
         s.contact_no, i.basis = 'company' AND d.decision IS NOT 'about_run' AS unmatched,
         d.inbound_no IS NULL AND (i.basis = 'company' AND i.effect NOT LIKE 'noted%' OR i.effect LIKE '%' || :held || '%' AND EXISTS (
           SELECT 1 FROM sequence h JOIN step_run r ON r.sequence_no = h.no AND r.replaced = 0
           WHERE h.contact_no = s.contact_no AND h.status IN ('ACTIVE', 'WAITING_FOR_USER')
             AND r.state = 'held' AND r.until IS NULL)) AS waits
  FROM inbound i JOIN sequence s ON s.no = i.sequence_no LEFT JOIN inbound_decision d ON d.inbound_no = i.no
  UNION ALL
  SELECT 'h', no, answer, recorded_at, sequence_no, contact_no, false, false FROM recorded_reply
  UNION ALL
  SELECT 'u', no, kind, found_at, NULL, NULL, true, decision IS NULL AND kind = 'opt_out' AND effect LIKE 'shown%'
  FROM unmatched_mail WHERE decision IS NOT 'about_run'
)
SELECT source, no, waits, unmatched, count(*) OVER () AS found FROM received
WHERE (:kinds IS NULL OR CASE WHEN unmatched THEN 'unmatched' ELSE kind END IN (SELECT value FROM json_each(:kinds)))
  AND (CAST(:since AS bigint) IS NULL OR at >= :since)
  AND (:sequence_id IS NULL OR sequence_no = (SELECT no FROM sequence WHERE id = :sequence_id))
  AND (:blueprint_id IS NULL OR sequence_no IN (
    SELECT q.no FROM sequence q JOIN blueprint_version v ON v.no = q.version_no WHERE v.blueprint_id = :blueprint_id))
  AND (:contact IS NULL OR contact_no IN (
    SELECT no FROM contact WHERE lower(id) = :contact OR search LIKE :contact_pattern ESCAPE '\'))
  AND (waits OR :waiting = 0) AND (source <> 'u' OR waits OR :kinds IS NOT NULL OR :source = 'u') AND (:source IS NULL OR source = :source AND no = :no)
ORDER BY at DESC, source, no DESC LIMIT :size OFFSET :skip

-- came_back --
-- For how many of the runs that meet the conditions something of each kind came back; `told_as` is a JSON object of
-- the kinds by the words that are stored. The conditions are put in from fixed parts.
SELECT CAST(:told_as AS jsonb) ->> a.kind AS kind, count(DISTINCT sequence.no) AS found
FROM (
  SELECT coalesce(d.sequence_no, i.sequence_no) AS sequence_no, i.kind
  FROM inbound i LEFT JOIN inbound_decision d ON d.inbound_no = i.no
  WHERE i.basis <> 'company' OR d.decision = 'about_run'
  UNION ALL
  SELECT sequence_no, answer FROM recorded_reply WHERE sequence_no IS NOT NULL
) a CROSS JOIN sequence ON sequence.no = a.sequence_no /* where */
GROUP BY 1
