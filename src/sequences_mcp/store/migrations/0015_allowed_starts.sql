-- Which version of a blueprint the operator's setting means that names the blueprint alone: the newest when the
-- setting was first read. What is written here is never changed, so a later version needs to be named.
CREATE TABLE allowed_start (
  blueprint_id TEXT PRIMARY KEY,
  version      INTEGER NOT NULL,
  read_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER allowed_start_is_never_changed BEFORE UPDATE ON allowed_start
BEGIN SELECT RAISE(ABORT, 'which version a setting means is never changed'); END;
CREATE TRIGGER allowed_start_is_never_deleted BEFORE DELETE ON allowed_start
BEGIN SELECT RAISE(ABORT, 'which version a setting means is never deleted'); END;
