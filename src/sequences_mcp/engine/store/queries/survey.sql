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
-- How many e-mails nobody knows the fate of.
SELECT count(*) AS number FROM step_run WHERE state = 'unknown' AND until IS NULL AND replaced = 0
