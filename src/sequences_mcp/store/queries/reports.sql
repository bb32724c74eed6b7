-- blueprints --
-- The blueprints of a provider that people were started in and that a reader sees (empty: whoever sees all), those
-- first of which a run changed last; of several that did at the same instant, the newest.
SELECT v.blueprint_id, count(*) OVER () AS found
FROM sequence s JOIN blueprint_version v ON v.no = s.version_no
WHERE v.blueprint_id >= :first AND v.blueprint_id < :past
  AND (:search IS NULL OR v.blueprint_id IN (SELECT blueprint_id FROM blueprint_version WHERE name LIKE :search ESCAPE '\'))
  AND (:reader = '' OR NOT EXISTS (SELECT 1 FROM blueprint_owner o WHERE o.blueprint_id = v.blueprint_id
                                   AND o.private_since IS NOT NULL AND o.owner <> :reader))
GROUP BY v.blueprint_id ORDER BY max(s.updated_at) DESC, max(v.no) DESC LIMIT :size OFFSET :skip

-- outcomes --
-- Every run of a JSON list of blueprints with what is counted of it: its steps, and what came back, each as JSON; a
-- vendor's reading; why a run at a vendor was stopped through here. Runs of which nothing came back and that are alike
-- are one row with their number: of a step's time the Monday is kept then, by which it is counted. The order of the
-- columns counts.
WITH asked AS MATERIALIZED (
  SELECT no, blueprint_id, version FROM blueprint_version WHERE blueprint_id IN (SELECT value FROM json_each(:ids))
), back AS MATERIALIZED (
  SELECT sequence_no, json_group_array(json_array(kind, at, dated, step, by_hand)) AS entries
  FROM (
    SELECT coalesce(d.sequence_no, i.sequence_no) AS sequence_no, i.kind, i.found_at AS at, i.sent_at AS dated,
           (SELECT r.step FROM step_run r WHERE r.key = i.key LIMIT 1) AS step, 0 AS by_hand
    FROM inbound i LEFT JOIN inbound_decision d ON d.inbound_no = i.no
    WHERE i.basis <> 'company' OR d.decision = 'about_run'
    UNION ALL
    SELECT sequence_no, answer, recorded_at, NULL, NULL, 1 FROM recorded_reply WHERE sequence_no IS NOT NULL
  )
  GROUP BY sequence_no
), stopped AS MATERIALIZED (
  SELECT subject, json_extract(request, '$.reason') AS reason, max(no) FROM vendor_operation
  WHERE tool = 'stop_sequence' AND state = 'done' GROUP BY subject
), runs AS (
  SELECT v.blueprint_id, v.version, s.provider, s.status, s.anchor IS NOT NULL OR s.operation_id IS NOT NULL AS begun,
         coalesce(s.stop_reason, stopped.reason, json_extract(g.facts, '$.stop_reason')) AS reason,
         (SELECT json_group_array(json_array(r.step, r.state,
                   CASE WHEN back.entries IS NULL THEN (r.executed_at + :thursday) / :week * :week - :thursday
                        ELSE r.executed_at END,
                   coalesce(r.server_reply LIKE :outbox, 0),
                   r.state = 'failed' AND EXISTS (SELECT 1 FROM attempt a WHERE a.key = r.key
                                                  AND a.generation = r.generation AND a.answer = 'recipient'),
                   CASE WHEN coalesce(r.same_as, r.generation) = 0 THEN r.variant END))
          FROM step_run r WHERE r.sequence_no = s.no AND r.replaced = 0) AS steps,
         back.entries, json_extract(g.facts, '$.replied_at') AS replied_at,
         json_extract(g.facts, '$.last_step_executed_at') AS executed_at, g.read_at
  FROM asked v CROSS JOIN sequence s ON s.version_no = v.no
  LEFT JOIN back ON back.sequence_no = s.no
  LEFT JOIN vendor_reading g ON g.sequence_no = s.no
  LEFT JOIN stopped ON stopped.subject = s.remote_id
)
SELECT blueprint_id, version, provider, status, begun, reason, steps, entries, min(replied_at), min(executed_at),
       min(read_at), count(*)
FROM runs
GROUP BY blueprint_id, version, provider, status, begun, reason, steps, entries, replied_at IS NULL,
         executed_at IS NULL, read_at IS NULL

-- failed --
-- How many people's newest run of a blueprint failed here, by blueprint and reason, the most frequent first.
SELECT v.blueprint_id, s.reason, count(*) AS found, max(s.updated_at) AS at
FROM sequence s JOIN blueprint_version v ON v.no = s.version_no
WHERE s.status = 'FAILED' AND s.provider = 'local' AND NOT EXISTS (
  SELECT 1 FROM sequence n JOIN blueprint_version w ON w.no = n.version_no
  WHERE n.contact_no = s.contact_no AND n.no > s.no AND w.blueprint_id = v.blueprint_id)
GROUP BY v.blueprint_id, s.reason ORDER BY found DESC, at DESC, max(s.no) DESC

-- next_emails --
-- Runs of the embedded engine whose next e-mail is due first.
SELECT id FROM sequence WHERE lane = 'mailbox' AND next_run_at IS NOT NULL ORDER BY next_run_at, no LIMIT :size

-- next_of --
-- When something is due next in each of a JSON list of blueprints.
SELECT v.blueprint_id, min(s.next_run_at) AS at
FROM blueprint_version v JOIN sequence s ON s.version_no = v.no
WHERE v.blueprint_id IN (SELECT value FROM json_each(:ids)) AND s.next_run_at IS NOT NULL
GROUP BY v.blueprint_id

-- pauses --
-- How many people were paused together: at which instant, and until when.
SELECT paused_since AS since, paused_until AS until, count(*) AS found FROM sequence
WHERE provider = 'local' AND status = 'WAITING_FOR_LEAD'
GROUP BY paused_since, paused_until HAVING count(*) > 1 ORDER BY found DESC, max(no) DESC LIMIT 3
