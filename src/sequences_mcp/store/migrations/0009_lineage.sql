-- Where this database belongs: the machine, the number its file has there, and the journals beside it. What does
-- not fit is a copy or an older state, and is held for a person.

CREATE TABLE lineage (
  only              INTEGER PRIMARY KEY CHECK (only = 1),
  mark              TEXT NOT NULL, -- the id in the first line of the journal of what was sent
  machine           TEXT,
  file              TEXT,
  sent_read         INTEGER NOT NULL DEFAULT 0, -- bytes of that journal that were compared with this database
  suppressions_read INTEGER NOT NULL DEFAULT -1 -- bytes of the other journal; -1: it may lack some
) STRICT;

-- Why nothing leaves until a person has said so in a terminal.

CREATE TABLE standstill (
  kind  TEXT PRIMARY KEY CHECK (kind IN ('begun_anew', 'other_machine', 'copied', 'other_folder')),
  since INTEGER NOT NULL
) STRICT;

-- What left, or may have left, without this database knowing of it. `told`: its step is unknown, or settled.

CREATE TABLE left_unseen (
  no        INTEGER PRIMARY KEY,
  kind      TEXT NOT NULL CHECK (kind IN ('email', 'vendor')),
  at        INTEGER NOT NULL,
  key       TEXT NOT NULL,
  recipient TEXT,
  facts     TEXT NOT NULL,
  why       TEXT NOT NULL,
  found_at  INTEGER NOT NULL,
  told      INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1))
) STRICT;

CREATE INDEX left_unseen_open ON left_unseen (key) WHERE told = 0;
CREATE INDEX left_unseen_recipient ON left_unseen (recipient) WHERE told = 0 AND recipient IS NOT NULL;
