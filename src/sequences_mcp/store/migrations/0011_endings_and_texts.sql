-- How a plan that nobody refused is over all the same (its status is then 'refused'), and the first generation of a
-- step that had the very text of this one.

ALTER TABLE plan ADD COLUMN ending TEXT CHECK (ending IN ('withdrawn', 'closed'));
ALTER TABLE step_run ADD COLUMN same_as INTEGER CHECK (same_as BETWEEN 0 AND generation);

-- What counts in a plan that waits is whom it still concerns.

UPDATE plan SET (people, warnings) = (
  SELECT count(*), coalesce(sum(s.warnings), 0) FROM sequence s WHERE s.plan_no = plan.no
    AND (s.status = 'FOUND' AND s.operation_id IS NULL
         OR s.status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER')))
WHERE status IN ('waiting', 'void');
