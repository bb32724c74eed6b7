-- other_settings --
-- Runs that are due, of plans approved for other terms than these: by terms, how many, since when, and the oldest plan.
SELECT p.terms, count(*) AS number, min(s.next_run_at) AS since, (array_agg(p.id ORDER BY p.no))[1] AS plan_id, min(p.no)
FROM sequence s JOIN plan p ON p.no = s.plan_no
WHERE s.lane IN ('mailbox', 'free') AND s.next_run_at <= :now AND p.terms <> :terms
GROUP BY p.terms
