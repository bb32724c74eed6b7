-- What came into a mailbox and is about no run, as far as a program can tell: for a person to look at. Only the newest
-- are kept (store.inbound). `sender`, `subject`, `text` and `why` are strangers' words. `decision` is what a person
-- said about it; what is about a run stands in `inbound` from then on.

CREATE TABLE unmatched_mail (
  no         INTEGER PRIMARY KEY,
  hash       BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  mailbox    TEXT NOT NULL,
  kind       TEXT NOT NULL,
  sender     TEXT NOT NULL,
  subject    TEXT NOT NULL,
  text       TEXT NOT NULL,
  why        TEXT NOT NULL,
  effect     TEXT NOT NULL,
  sent_at    INTEGER,
  until      INTEGER,
  found_at   INTEGER NOT NULL,
  message_id TEXT NOT NULL,
  refers_to  TEXT NOT NULL,
  decision   TEXT CHECK (decision IN ('about_run', 'nothing')),
  actor      TEXT,
  decided_at INTEGER,
  CHECK ((decision IS NULL) = (decided_at IS NULL))
) STRICT;

CREATE INDEX unmatched_mail_mailbox ON unmatched_mail (mailbox, no);
CREATE INDEX unmatched_mail_found ON unmatched_mail (found_at);
