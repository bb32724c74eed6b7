-- of_run --
-- One run as a clock sees it.
SELECT s.no, s.id, s.status, s.provider, s.lane, s.next_run_at, p.terms, p.id AS plan_id, v.blueprint_id, c.id AS contact_id
FROM sequence s CROSS JOIN plan p ON p.no = s.plan_no CROSS JOIN blueprint_version v ON v.no = s.version_no
  CROSS JOIN contact c ON c.no = s.contact_no
WHERE s.id = :id

-- coming --
-- Runs of a queue that are due before an instant, in order, after one of them.
SELECT s.no, s.id, s.status, s.provider, s.lane, s.next_run_at, p.terms, p.id AS plan_id, v.blueprint_id, c.id AS contact_id
FROM sequence s CROSS JOIN plan p ON p.no = s.plan_no CROSS JOIN blueprint_version v ON v.no = s.version_no
  CROSS JOIN contact c ON c.no = s.contact_no
WHERE s.lane = :lane AND s.next_run_at IS NOT NULL AND s.next_run_at <= :before
  AND (s.next_run_at > :at OR s.next_run_at = :at AND s.no > :no)
ORDER BY s.next_run_at, s.no LIMIT :size

-- live --
-- Live runs of the embedded engine, by their numbers, after one of them.
SELECT s.no, s.id, s.status, s.provider, s.lane, s.next_run_at, p.terms, p.id AS plan_id, v.blueprint_id, c.id AS contact_id
FROM sequence s CROSS JOIN plan p ON p.no = s.plan_no CROSS JOIN blueprint_version v ON v.no = s.version_no
  CROSS JOIN contact c ON c.no = s.contact_no
WHERE s.no > :no AND s.provider = 'local' AND s.status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER')
ORDER BY s.no LIMIT :size

-- ahead --
-- How many runs of the same settings wait for their mailbox before one; at most :most are counted.
SELECT count(*) AS found FROM (
  SELECT 1 FROM sequence s CROSS JOIN plan p ON p.no = s.plan_no
  WHERE s.lane = 'mailbox' AND s.next_run_at IS NOT NULL AND s.next_run_at <= :now AND p.terms = :terms
    AND (s.next_run_at < :at OR s.next_run_at = :at AND s.no < :no)
  LIMIT :most) AS earlier

-- changes --
-- What happened to which run after a row of the audit, in order.
SELECT no, action, subject FROM audit WHERE no > :no ORDER BY no LIMIT :size

-- feed --
-- Up to which row of the audit the other clock knows what happened, and who tells it.
SELECT audit_no, holder, until FROM clock_feed

-- begin_feed --
-- The feed, from a row of the audit on.
INSERT OR IGNORE INTO clock_feed (no, audit_no, holder, until) VALUES (1, :audit_no, '', 0)

-- hold_feed --
-- Let one process alone tell what happened, until an instant; one far ahead is of a clock that was wrong.
UPDATE clock_feed SET holder = :holder, until = :until
WHERE until <= :now OR until > :too_late OR holder = :holder

-- move_feed --
-- The other clock knows what happened up to a row.
UPDATE clock_feed SET audit_no = :audit_no WHERE holder = :holder
