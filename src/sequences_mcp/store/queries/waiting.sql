-- plans --
-- How many plans wait for a person, with others by a JSON list of their ids, and since when.
SELECT count(*) AS number, min(created_at) AS since, NULL AS newest FROM plan
WHERE status = 'void' OR (status = 'waiting' AND expires_at > :now) OR id IN (SELECT value FROM json_each(:others))

-- texts --
-- How many texts of started runs wait for a person, and since when; not those that wait with their plan.
SELECT count(*) AS number, min(changed_at) AS since, max(changed_at) AS newest FROM step_run
WHERE state IN ('held', 'unknown') AND until IS NULL AND replaced = 0
  AND (reason IS NULL OR reason NOT LIKE :plan_reason)

-- tasks --
-- How many steps wait to be done by hand, and since when; not those of somebody who is paused.
SELECT count(*) AS number, min(r.changed_at) AS since, max(r.changed_at) AS newest
FROM step_run r CROSS JOIN sequence s ON s.no = r.sequence_no
WHERE r.state = 'open' AND r.replaced = 0 AND (s.paused_until IS NULL OR s.paused_until <= :now)

-- changes --
-- How many changes at vendors wait for a person, and since when.
SELECT count(*) AS number, min(asked_at) AS since, max(asked_at) AS newest FROM asked_change
WHERE approved_by IS NULL AND refused_by IS NULL AND asked_at > :since

-- plan_states --
-- Which plans wait and how, the newest first.
SELECT no, status FROM plan WHERE status = 'void' OR (status = 'waiting' AND expires_at > :now)
ORDER BY no DESC LIMIT :most

-- last_notice --
-- The last thing that was written down about telling the operator.
SELECT at, detail FROM audit WHERE subject = :subject ORDER BY no DESC LIMIT 1
