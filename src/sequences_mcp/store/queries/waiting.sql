-- counts --
-- How many of each kind wait for a person, since when, the newest, and the first instant after :now at which that is
-- otherwise by itself: plans, with others by a JSON list of their ids; texts of started runs, not those that wait with
-- their plan; steps to be done by hand, not those of somebody who is paused; changes at vendors.
SELECT 'plans' AS what, count(*) AS number, min(created_at) AS since, NULL AS newest,
       min(expires_at) FILTER (WHERE status = 'waiting') AS until
FROM plan
WHERE status = 'void' OR (status = 'waiting' AND expires_at > :now) OR id IN (SELECT value FROM json_each(:others))
UNION ALL
SELECT 'texts', count(*), min(changed_at), max(changed_at), NULL FROM step_run
WHERE state IN ('held', 'unknown') AND until IS NULL AND replaced = 0
  AND (reason IS NULL OR reason NOT LIKE :plan_reason)
UNION ALL
SELECT 'tasks', count(*) FILTER (WHERE s.paused_until IS NULL OR s.paused_until <= :now),
       min(r.changed_at) FILTER (WHERE s.paused_until IS NULL OR s.paused_until <= :now),
       max(r.changed_at) FILTER (WHERE s.paused_until IS NULL OR s.paused_until <= :now),
       min(s.paused_until) FILTER (WHERE s.paused_until > :now)
FROM step_run r CROSS JOIN sequence s ON s.no = r.sequence_no
WHERE r.state = 'open' AND r.replaced = 0
UNION ALL
SELECT 'changes', count(*), min(asked_at), max(asked_at), min(asked_at) + :lasts FROM asked_change
WHERE approved_by IS NULL AND refused_by IS NULL AND asked_at > :now - :lasts

-- plan_states --
-- Which plans wait and how, the newest first.
SELECT no, status FROM plan WHERE status = 'void' OR (status = 'waiting' AND expires_at > :now)
ORDER BY no DESC LIMIT :most

-- last_notice --
-- The last thing that was written down about telling the operator.
SELECT at, detail FROM audit WHERE subject = :subject ORDER BY no DESC LIMIT 1
