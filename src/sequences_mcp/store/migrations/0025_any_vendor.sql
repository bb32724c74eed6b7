-- The schema names no vendor: which there are is the program's to know, which refuses any other id before it gets
-- here. SQLite can only drop a check with the table, so both tables are made anew, with their indexes and triggers.

CREATE TABLE vendor_operation_anew (
  no               INTEGER PRIMARY KEY,
  id               TEXT NOT NULL UNIQUE,
  provider         TEXT NOT NULL CHECK (provider NOT IN ('', 'local')),
  tool             TEXT NOT NULL,
  subject          TEXT NOT NULL,
  key              TEXT UNIQUE,
  fingerprint      TEXT NOT NULL,
  request          TEXT NOT NULL,
  state            TEXT NOT NULL CHECK (state IN ('begun', 'done', 'not_done', 'unknown')),
  answer           TEXT,
  actor            TEXT NOT NULL,
  created_at       INTEGER NOT NULL,
  lease_expires_at INTEGER NOT NULL,
  settled_at       INTEGER,
  CHECK ((state IN ('done', 'not_done')) = (settled_at IS NOT NULL)),
  CHECK (state <> 'done' OR answer IS NOT NULL)
) STRICT;

INSERT INTO vendor_operation_anew
SELECT no, id, provider, tool, subject, key, fingerprint, request, state, answer, actor, created_at,
       lease_expires_at, settled_at
FROM vendor_operation;

DROP TABLE vendor_operation;
ALTER TABLE vendor_operation_anew RENAME TO vendor_operation;

CREATE UNIQUE INDEX vendor_operation_open ON vendor_operation (subject, tool) WHERE state IN ('begun', 'unknown');
CREATE INDEX vendor_operation_answered ON vendor_operation (settled_at) WHERE answer <> '{}';

CREATE TRIGGER vendor_operation_end_is_final BEFORE UPDATE OF state ON vendor_operation
WHEN OLD.state IN ('done', 'not_done') OR (OLD.state = 'unknown' AND NEW.state = 'begun')
BEGIN SELECT RAISE(ABORT, 'an operation that is settled stays settled'); END;

CREATE TRIGGER vendor_operation_is_never_deleted BEFORE DELETE ON vendor_operation
BEGIN SELECT RAISE(ABORT, 'an operation is never deleted'); END;

CREATE TABLE sequence_anew (
  no           INTEGER PRIMARY KEY,
  id           TEXT NOT NULL UNIQUE,
  plan_no      INTEGER NOT NULL REFERENCES plan (no),
  version_no   INTEGER NOT NULL REFERENCES blueprint_version (no),
  contact_no   INTEGER NOT NULL REFERENCES contact (no),
  ordinal      INTEGER NOT NULL CHECK (ordinal >= 0),
  status       TEXT NOT NULL CHECK (status IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER',
                                               'COMPLETED', 'SUCCEEDED', 'FAILED', 'STOPPED_EARLY', 'REFUSED')),
  anchor       INTEGER,
  variables    TEXT NOT NULL,
  paused_since INTEGER,
  paused_until INTEGER,
  stop_reason  TEXT CHECK (stop_reason IN ('WIN', 'LOSE')),
  time_zone    TEXT NOT NULL,
  warnings     INTEGER NOT NULL,
  reason       TEXT,
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL,
  next_run_at  INTEGER,
  lane         TEXT NOT NULL CHECK (lane IN ('mailbox', 'free')),
  provider     TEXT NOT NULL DEFAULT 'local'
    CHECK (provider <> '' AND (provider = 'local' OR next_run_at IS NULL)),
  handover     TEXT CHECK ((handover IS NULL) = (provider = 'local')),
  remote_id    TEXT,
  operation_id TEXT,
  address_key  TEXT,
  findings     TEXT,
  UNIQUE (plan_no, ordinal),
  CHECK (next_run_at IS NULL OR status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER'))
) STRICT;

INSERT INTO sequence_anew
SELECT no, id, plan_no, version_no, contact_no, ordinal, status, anchor, variables, paused_since, paused_until,
       stop_reason, time_zone, warnings, reason, created_at, updated_at, next_run_at, lane, provider, handover,
       remote_id, operation_id, address_key, findings
FROM sequence;

DROP TABLE sequence;
ALTER TABLE sequence_anew RENAME TO sequence;

CREATE INDEX sequence_due ON sequence (lane, next_run_at) WHERE next_run_at IS NOT NULL;
CREATE UNIQUE INDEX sequence_one_live_per_contact ON sequence (contact_no)
  WHERE status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER');
CREATE INDEX sequence_contact ON sequence (contact_no);
CREATE INDEX sequence_created ON sequence (created_at, no);
CREATE INDEX sequence_updated ON sequence (updated_at, no);
CREATE INDEX sequence_status ON sequence (status, created_at, no);
CREATE INDEX sequence_version ON sequence (version_no, created_at, no);
CREATE INDEX sequence_at_vendor ON sequence (provider, created_at, no) WHERE provider <> 'local';
CREATE INDEX sequence_operation ON sequence (operation_id) WHERE operation_id IS NOT NULL;
CREATE INDEX sequence_remote ON sequence (remote_id) WHERE remote_id IS NOT NULL;
CREATE UNIQUE INDEX sequence_one_live_per_address ON sequence (address_key)
  WHERE address_key IS NOT NULL AND status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER');
CREATE INDEX sequence_address ON sequence (address_key)
  WHERE address_key IS NOT NULL AND status IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER');

CREATE TRIGGER sequence_end_is_final BEFORE UPDATE OF status ON sequence
WHEN OLD.status IN ('COMPLETED', 'SUCCEEDED', 'FAILED', 'STOPPED_EARLY', 'REFUSED') AND NEW.status <> OLD.status
  AND NOT (OLD.status = 'FAILED' AND NEW.status = 'ACTIVE'
           AND OLD.provider <> 'local' AND OLD.operation_id IS NOT NULL AND OLD.remote_id IS NULL)
BEGIN SELECT RAISE(ABORT, 'a sequence that is over stays over'); END;

CREATE TRIGGER sequence_is_never_deleted BEFORE DELETE ON sequence
BEGIN SELECT RAISE(ABORT, 'a sequence is never deleted'); END;

CREATE TRIGGER sequence_handover_is_never_changed BEFORE UPDATE OF provider, handover ON sequence
WHEN NEW.provider <> OLD.provider OR NEW.handover IS NOT OLD.handover
BEGIN SELECT RAISE(ABORT, 'what a vendor is given never changes'); END;

CREATE TRIGGER sequence_is_handed_over_under_an_operation BEFORE UPDATE OF status ON sequence
WHEN NEW.provider <> 'local' AND NEW.operation_id IS NULL
  AND NEW.status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER', 'COMPLETED', 'SUCCEEDED')
BEGIN SELECT RAISE(ABORT, 'a vendor is given nobody outside an operation'); END;

CREATE TRIGGER sequence_address_is_never_changed BEFORE UPDATE OF address_key ON sequence
WHEN NEW.address_key IS NOT OLD.address_key
BEGIN SELECT RAISE(ABORT, 'the address a run writes to never changes'); END;
