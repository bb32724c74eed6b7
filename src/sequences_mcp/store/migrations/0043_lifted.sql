-- What a person took off the suppression list, as keyed hashes, and when: the journal of another host, or of an older
-- copy of the folder, knows only that it was put on, and does not bring it back.

CREATE TABLE lifted_suppression (
  hash TEXT PRIMARY KEY CHECK (length(hash) = 64),
  at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
