-- Changes of what a vendor sends that an agent asked for and a person decides about.
CREATE TABLE asked_change (
  id         TEXT PRIMARY KEY,
  tool       TEXT NOT NULL,
  subject    TEXT NOT NULL,
  arguments  TEXT NOT NULL, -- JSON: what the tool was given
  earlier    TEXT NOT NULL, -- JSON: what was there before, by the same names
  asked_at   INTEGER NOT NULL,
  approved_by TEXT
) STRICT, WITHOUT ROWID;
