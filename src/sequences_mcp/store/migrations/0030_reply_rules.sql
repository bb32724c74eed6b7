-- What follows when somebody answers, as JSON without what is at its default.

ALTER TABLE blueprint_version ADD COLUMN replies TEXT NOT NULL DEFAULT '{}';

CREATE INDEX inbound_complaint ON inbound (key) WHERE kind = 'complaint';

-- A mailbox whose e-mails were marked as spam too often goes on: a person said so, and what was marked before that no
-- longer counts.

CREATE TABLE mailbox_complaints (
  sender     TEXT PRIMARY KEY,
  cleared_at INTEGER NOT NULL,
  cleared_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
