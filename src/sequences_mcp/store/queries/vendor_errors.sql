-- keep --
-- What a vendor answered about one run; only the last answer is kept.
INSERT INTO vendor_error (sequence_no, told, at) SELECT no, :told, :now FROM sequence WHERE id = :id
ON CONFLICT (sequence_no) DO UPDATE SET told = excluded.told, at = excluded.at

-- drop --
-- The vendor has the run after all.
DELETE FROM vendor_error WHERE sequence_no = (SELECT no FROM sequence WHERE id = :id)

-- of_runs --
-- What was answered about these runs.
SELECT s.id, e.told FROM sequence s JOIN vendor_error e ON e.sequence_no = s.no
WHERE s.id IN (SELECT value FROM json_each(:ids))

-- of_plan --
-- What was answered about a plan's people, each answer once, in the order of the people.
SELECT e.told, count(*) AS people FROM sequence s JOIN vendor_error e ON e.sequence_no = s.no
WHERE s.plan_no = (SELECT no FROM plan WHERE id = :plan_id) GROUP BY e.told ORDER BY min(s.ordinal)
