-- Where this database was moved to: from then on this one is a copy that is not opened any more (store.moving).

CREATE TABLE moved_database (
  only  INTEGER PRIMARY KEY CHECK (only = 1),
  place TEXT NOT NULL,
  at    INTEGER NOT NULL
) STRICT;

-- What approvals are checked with stays in files of the data folder; a database on a server has a table for it.
