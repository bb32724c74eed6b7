-- Who does the due work: one row a lane of a process, renewed while it lives, removed when it ends. `serves` is a
-- JSON list of the settings it works for, each as the mark that a plan carries; `sends` says the same in words.
CREATE TABLE worker (
  host        TEXT NOT NULL,
  process     INTEGER NOT NULL,
  lane        TEXT NOT NULL,
  since       INTEGER NOT NULL,
  beat        INTEGER NOT NULL,
  last_act    INTEGER,
  error       TEXT,
  error_since INTEGER,
  serves      TEXT NOT NULL,
  sends       TEXT NOT NULL,
  PRIMARY KEY (host, process, lane)
) STRICT, WITHOUT ROWID;

-- The account at a vendor for which a plan was made, as a mark that tells nothing of its key.
ALTER TABLE plan ADD COLUMN account TEXT;
