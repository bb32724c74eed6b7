-- What a vendor last told of a run that it carries out: its own word for the status, and its dates and other facts as
-- JSON. Read again at every list, so it is no history and stands in no audit row.

CREATE TABLE vendor_reading (
  sequence_no INTEGER PRIMARY KEY REFERENCES sequence (no),
  read_at INTEGER NOT NULL,
  provider_status TEXT,
  facts TEXT NOT NULL
) STRICT;
