-- audit --
-- How long the chain is, and the instant of its last row.
SELECT count(*) AS number, max(at) AS latest FROM audit

-- due --
-- How many runs are due at an instant.
SELECT count(*) AS number FROM sequence WHERE lane IN ('mailbox', 'free') AND next_run_at <= :now

-- next --
-- When the next thing is due.
SELECT min(next_run_at) AS at FROM sequence WHERE next_run_at IS NOT NULL

-- unknown --
-- How many e-mails nobody knows the outcome of.
SELECT count(*) AS number FROM step_run
WHERE state IN ('held', 'unknown') AND until IS NULL AND replaced = 0 AND state = 'unknown' -- as the index has it

-- overdue --
-- How many runs were due before an instant, and the first of them.
SELECT count(*) AS number, min(next_run_at) AS since FROM sequence
WHERE lane IN ('mailbox', 'free') AND next_run_at <= :before

-- first_due --
-- When the first run is due that a worker carries out: one look into the index for each of its queues.
SELECT min(at) AS at FROM (
  SELECT min(next_run_at) AS at FROM sequence WHERE lane = 'mailbox' AND next_run_at IS NOT NULL
  UNION ALL SELECT min(next_run_at) FROM sequence WHERE lane = 'free' AND next_run_at IS NOT NULL) AS queues

-- not_handed_over --
-- How many approved starts at vendors have people left since before an instant, and the first of them.
SELECT count(*) AS number, min(decided_at) AS since FROM plan JOIN blueprint_version v ON v.no = plan.version_no
WHERE status = 'approved' AND unsettled = 1 AND decided_at <= :before AND v.blueprint_id NOT LIKE 'local:%'

-- unknown_since --
-- How many e-mails nobody knows the outcome of, and since when, but for those that left unseen.
SELECT count(*) AS number, min(changed_at) AS since FROM step_run
WHERE state IN ('held', 'unknown') AND until IS NULL AND replaced = 0 AND state = 'unknown' -- as the index has it
  AND key NOT IN (SELECT key FROM left_unseen)

-- last_failed --
-- When the last run failed.
SELECT max(updated_at) AS at FROM sequence WHERE status = 'FAILED'

-- failed --
-- How many runs failed since an instant, and the first of them, by who carries them out.
SELECT provider, count(*) AS number, min(updated_at) AS first FROM sequence
WHERE status = 'FAILED' AND updated_at >= :since GROUP BY provider ORDER BY provider

-- steps --
-- How many steps of all runs are in each state.
SELECT state, count(*) AS number FROM step_run WHERE replaced = 0 GROUP BY state

-- replies --
-- How much came back by e-mail, by what it is.
SELECT kind, count(*) AS number FROM inbound GROUP BY kind
