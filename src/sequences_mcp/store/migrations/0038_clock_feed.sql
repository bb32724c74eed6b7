-- Up to which row of the audit a clock outside of the database knows what happened to the runs, and which process
-- tells it so until when. One row, made when such a clock is used for the first time.

CREATE TABLE clock_feed (
  no       INTEGER PRIMARY KEY CHECK (no = 1),
  audit_no INTEGER NOT NULL,
  holder   TEXT    NOT NULL,
  until    INTEGER NOT NULL
) STRICT;
