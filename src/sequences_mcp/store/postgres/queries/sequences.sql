-- next_due_locked --
-- When the next thing is due in a lane before an instant, and what: of plans made for these terms; of others the end
-- of a lease alone. Whatever another worker has taken at this moment is passed over.
SELECT s.id, next_run_at FROM sequence s CROSS JOIN plan p ON p.no = s.plan_no
WHERE s.lane = :lane AND next_run_at IS NOT NULL AND next_run_at <= :before AND (p.terms = :terms OR EXISTS (
  SELECT 1 FROM step_run r WHERE r.sequence_no = s.no AND r.replaced = 0 AND r.state IN ('claimed', 'handed_over')))
ORDER BY next_run_at, s.no LIMIT 1
FOR UPDATE OF s SKIP LOCKED

-- by_ids_locked --
-- Runs by a JSON list of ids, in its order; the order of the columns counts. Nobody else changes them meanwhile.
SELECT s.no, s.id, plan.id, blueprint_id, version, contact.id, s.status, s.ordinal, steps, s.created_at, s.updated_at,
       s.anchor, s.variables, s.paused_since, s.paused_until, s.stop_reason, s.time_zone, s.warnings, s.reason,
       s.provider, s.handover, s.remote_id, s.operation_id, s.findings, digest_version
FROM json_each(:ids) wanted CROSS JOIN sequence s ON s.id = wanted.value
CROSS JOIN plan ON plan.no = s.plan_no CROSS JOIN contact ON contact.no = s.contact_no
CROSS JOIN blueprint_version v ON v.no = s.version_no
ORDER BY wanted.key
FOR UPDATE OF s

-- given_as --
-- The newest run at a vendor that was given this id for the person.
SELECT id FROM sequence s
WHERE s.provider <> 'local'
  AND EXISTS (SELECT 1 FROM jsonb_each_text(CAST(s.handover AS jsonb)) given WHERE given.value = :vendor_id)
ORDER BY no DESC LIMIT 1
