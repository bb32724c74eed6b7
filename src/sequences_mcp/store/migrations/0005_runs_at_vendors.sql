-- Runs that a vendor carries out: what it is given about the person, and its own id of the run. The embedded engine
-- never moves them, so nothing of them is ever due here.

ALTER TABLE sequence ADD COLUMN provider TEXT NOT NULL DEFAULT 'local'
  CHECK (provider IN ('local', 'kalent', 'clarky', 'topo') AND (provider = 'local' OR next_run_at IS NULL));
ALTER TABLE sequence ADD COLUMN handover TEXT CHECK ((handover IS NULL) = (provider = 'local'));
ALTER TABLE sequence ADD COLUMN remote_id TEXT;
ALTER TABLE sequence ADD COLUMN operation_id TEXT;

CREATE INDEX sequence_at_vendor ON sequence (provider, created_at, no) WHERE provider <> 'local';
CREATE INDEX sequence_operation ON sequence (operation_id) WHERE operation_id IS NOT NULL;
CREATE INDEX sequence_remote ON sequence (remote_id) WHERE remote_id IS NOT NULL;

CREATE TRIGGER sequence_handover_is_never_changed BEFORE UPDATE OF provider, handover ON sequence
WHEN NEW.provider <> OLD.provider OR NEW.handover IS NOT OLD.handover
BEGIN SELECT RAISE(ABORT, 'what a vendor is given never changes'); END;

CREATE TRIGGER sequence_is_handed_over_under_an_operation BEFORE UPDATE OF status ON sequence
WHEN NEW.provider <> 'local' AND NEW.operation_id IS NULL
  AND NEW.status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER', 'COMPLETED', 'SUCCEEDED')
BEGIN SELECT RAISE(ABORT, 'a vendor is given nobody outside an operation'); END;
