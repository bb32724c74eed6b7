-- outcomes --
-- Every run of a JSON list of blueprints with what is counted of it: its steps, and what came back, each as JSON; a
-- vendor's reading; why a run at a vendor was stopped through here. Runs of which nothing came back and that are alike
-- are one row with their number: of a step's time the Monday is kept then, by which it is counted. The order of the
-- columns counts.
WITH asked AS MATERIALIZED (
  SELECT no, blueprint_id, version FROM blueprint_version WHERE blueprint_id IN (SELECT value FROM json_each(:ids))
), back AS MATERIALIZED (
  SELECT sequence_no, CAST(json_agg(json_build_array(kind, at, dated, step, by_hand)) AS text) AS entries
  FROM (
    SELECT coalesce(d.sequence_no, i.sequence_no) AS sequence_no, i.kind, i.found_at AS at, i.sent_at AS dated,
           (SELECT r.step FROM step_run r WHERE r.key = i.key LIMIT 1) AS step, 0 AS by_hand
    FROM inbound i LEFT JOIN inbound_decision d ON d.inbound_no = i.no
    WHERE i.basis <> 'company' OR d.decision = 'about_run'
    UNION ALL
    SELECT sequence_no, answer, recorded_at, NULL, NULL, 1 FROM recorded_reply WHERE sequence_no IS NOT NULL
  ) AS came
  GROUP BY sequence_no
), stopped AS MATERIALIZED (
  SELECT DISTINCT ON (subject) subject, CAST(request AS jsonb) ->> 'reason' AS reason FROM vendor_operation
  WHERE tool = 'stop_sequence' AND state = 'done' ORDER BY subject, no DESC
), runs AS (
  SELECT v.blueprint_id, v.version, s.provider, s.status, s.anchor IS NOT NULL OR s.operation_id IS NOT NULL AS begun,
         coalesce(s.stop_reason, stopped.reason, CAST(g.facts AS jsonb) ->> 'stop_reason') AS reason,
         (SELECT coalesce(CAST(json_agg(json_build_array(r.step, r.state,
                   CASE WHEN back.entries IS NULL THEN (r.executed_at + :thursday) / :week * :week - :thursday
                        ELSE r.executed_at END,
                   coalesce(r.server_reply LIKE :outbox, false),
                   r.state = 'failed' AND EXISTS (SELECT 1 FROM attempt a WHERE a.key = r.key
                                                  AND a.generation = r.generation AND a.answer = 'recipient'),
                   CASE WHEN coalesce(r.same_as, r.generation) = 0 THEN r.variant END) ORDER BY r.step) AS text), '[]')
          FROM step_run r WHERE r.sequence_no = s.no AND r.replaced = 0) AS steps,
         back.entries, CAST(CAST(g.facts AS jsonb) ->> 'replied_at' AS bigint) AS replied_at,
         CAST(CAST(g.facts AS jsonb) ->> 'last_step_executed_at' AS bigint) AS executed_at, g.read_at
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
