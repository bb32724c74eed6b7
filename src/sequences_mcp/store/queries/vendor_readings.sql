-- write --
-- What a vendor tells of a run now.
INSERT INTO vendor_reading (sequence_no, read_at, provider_status, facts)
VALUES ((SELECT no FROM sequence WHERE id = :sequence_id), :read_at, :provider_status, :facts)
ON CONFLICT (sequence_no) DO UPDATE
SET read_at = excluded.read_at, provider_status = excluded.provider_status, facts = excluded.facts

-- of --
-- What vendors last told of the runs of a JSON list of ids.
SELECT s.id, v.read_at, v.provider_status, v.facts
FROM json_each(:ids) wanted CROSS JOIN sequence s ON s.id = wanted.value
CROSS JOIN vendor_reading v ON v.sequence_no = s.no

-- stalest --
-- Runs that a vendor has and that are not over, the longest unread first; the conditions are put in from fixed parts.
SELECT sequence.id FROM sequence LEFT JOIN vendor_reading v ON v.sequence_no = sequence.no
/* where */
  AND sequence.operation_id IS NOT NULL
  AND sequence.status IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER')
ORDER BY coalesce(v.read_at, 0), sequence.no LIMIT :size
