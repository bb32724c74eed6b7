-- Writes to vendors: written down before the request, settled after it. An open one (`begun`: its answer is still
-- awaited until the lease ends; `unknown`: nobody can tell) keeps every other write off the same thing.

CREATE TABLE vendor_operation (
  no               INTEGER PRIMARY KEY,
  id               TEXT NOT NULL UNIQUE,
  provider         TEXT NOT NULL CHECK (provider IN ('kalent', 'clarky', 'topo')),
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

CREATE UNIQUE INDEX vendor_operation_open ON vendor_operation (subject, tool) WHERE state IN ('begun', 'unknown');

CREATE TRIGGER vendor_operation_end_is_final BEFORE UPDATE OF state ON vendor_operation
WHEN OLD.state IN ('done', 'not_done') OR (OLD.state = 'unknown' AND NEW.state = 'begun')
BEGIN SELECT RAISE(ABORT, 'an operation that is settled stays settled'); END;

CREATE TRIGGER vendor_operation_is_never_deleted BEFORE DELETE ON vendor_operation
BEGIN SELECT RAISE(ABORT, 'an operation is never deleted'); END;
