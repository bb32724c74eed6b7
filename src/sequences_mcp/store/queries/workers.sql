-- keep --
-- What a lane of a process is doing.
INSERT INTO worker (host, process, lane, since, beat, last_act, error, error_since, serves, sends)
VALUES (:host, :process, :lane, :since, :beat, :last_act, :error, :error_since, :serves, :sends)
ON CONFLICT (host, process, lane) DO UPDATE SET since = :since, beat = :beat, last_act = :last_act, error = :error,
  error_since = :error_since, serves = :serves, sends = :sends

-- remove --
-- The end of a lane of a process.
DELETE FROM worker WHERE host = :host AND process = :process AND lane = :lane

-- forget --
-- Those that nobody has heard of for long.
DELETE FROM worker WHERE beat < :before

-- all --
-- Every lane of every process.
SELECT * FROM worker ORDER BY since, host, process, lane

-- other_settings --
-- Runs that are due, of plans approved for other terms than these: by terms, how many, since when, and the oldest plan.
SELECT others.terms, number, since, plan.id AS plan_id
FROM (
  SELECT p.terms, count(*) AS number, min(s.next_run_at) AS since, min(p.no) AS first_no
  FROM sequence s JOIN plan p ON p.no = s.plan_no
  WHERE s.lane IN ('mailbox', 'free') AND s.next_run_at <= :now AND p.terms <> :terms
  GROUP BY p.terms
) AS others JOIN plan ON plan.no = others.first_no
ORDER BY others.terms
