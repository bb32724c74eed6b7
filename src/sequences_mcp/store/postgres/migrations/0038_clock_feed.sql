-- Up to which row of the audit a clock outside of the database knows what happened to the runs, and which process
-- tells it so until when. One row, made when such a clock is used for the first time.

CREATE TABLE clock_feed (
  no       bigint PRIMARY KEY CHECK (no = 1),
  audit_no bigint NOT NULL,
  holder   text COLLATE "C" NOT NULL,
  until    bigint NOT NULL
);
