-- The ids of an e-mail that came in and of those it answers, so that an answer to it goes on in its thread.

ALTER TABLE inbound ADD COLUMN message_id TEXT NOT NULL DEFAULT '';
ALTER TABLE inbound ADD COLUMN refers_to TEXT NOT NULL DEFAULT '';

-- What somebody answered on any channel, as a person or an agent recorded it. `sequence_no` is the run it was about,
-- where there was one.

CREATE TABLE recorded_reply (
  no          INTEGER PRIMARY KEY,
  answer      TEXT NOT NULL,
  contact_no  INTEGER NOT NULL REFERENCES contact (no),
  sequence_no INTEGER REFERENCES sequence (no),
  until       INTEGER,
  effect      TEXT NOT NULL,
  actor       TEXT NOT NULL,
  recorded_at INTEGER NOT NULL
) STRICT;

CREATE INDEX recorded_reply_at ON recorded_reply (recorded_at, no);
CREATE INDEX recorded_reply_sequence ON recorded_reply (sequence_no, no) WHERE sequence_no IS NOT NULL;

-- What a person decided about an e-mail that came in: that it is about a run, or that it is nothing.

CREATE TABLE inbound_decision (
  inbound_no  INTEGER PRIMARY KEY REFERENCES inbound (no),
  decision    TEXT NOT NULL CHECK (decision IN ('about_run', 'nothing')),
  sequence_no INTEGER REFERENCES sequence (no),
  actor       TEXT NOT NULL,
  decided_at  INTEGER NOT NULL,
  CHECK ((decision = 'about_run') = (sequence_no IS NOT NULL))
) STRICT;
