-- A person's standing yes to one warning in one blueprint, until a date.

CREATE TABLE waiver (
  no           INTEGER PRIMARY KEY,
  blueprint_id TEXT NOT NULL,
  rule         TEXT NOT NULL,
  reason       TEXT NOT NULL,
  actor        TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  until        INTEGER NOT NULL CHECK (until > created_at)
) STRICT;

CREATE INDEX waiver_blueprint ON waiver (blueprint_id, until);

CREATE TRIGGER waiver_is_never_changed BEFORE UPDATE ON waiver
BEGIN SELECT RAISE(ABORT, 'a waiver never changes'); END;

CREATE TRIGGER waiver_is_never_deleted BEFORE DELETE ON waiver
BEGIN SELECT RAISE(ABORT, 'a waiver is never deleted'); END;
