-- How far each folder of a mailbox was read. `uidvalidity` says to which counting `last_uid` belongs (RFC 9051, 2.3.1).

CREATE TABLE mailbox_folder (
  mailbox     TEXT NOT NULL,
  folder      TEXT NOT NULL,
  uidvalidity INTEGER NOT NULL,
  last_uid    INTEGER NOT NULL,
  modseq      INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (mailbox, folder)
) STRICT, WITHOUT ROWID;

-- Up to when the answers in a mailbox are known: the beginning of the last walk in which every folder answered.
-- `error` is why the last try failed, `reply` the server's words.

CREATE TABLE mailbox_reading (
  mailbox     TEXT PRIMARY KEY,
  read_up_to  INTEGER,
  tried_at    INTEGER NOT NULL,
  error       TEXT,
  reply       TEXT NOT NULL DEFAULT '',
  error_since INTEGER
) STRICT, WITHOUT ROWID;

-- The SHA-256 of every message that was looked at, so that none is acted on twice, by whichever process.

CREATE TABLE inbound_seen (
  hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
  at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX inbound_seen_at ON inbound_seen (at);

-- What came in about a run: what it is, how that run was found, what it says, and what was done because of it.
-- `subject`, `text` and `why` are strangers' words.

CREATE TABLE inbound (
  no          INTEGER PRIMARY KEY,
  hash        BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  mailbox     TEXT NOT NULL,
  kind        TEXT NOT NULL,
  basis       TEXT NOT NULL CHECK (basis IN ('message_id', 'provider_id', 'address', 'company')),
  sender      TEXT NOT NULL,
  subject     TEXT NOT NULL,
  text        TEXT NOT NULL,
  why         TEXT NOT NULL,
  sequence_no INTEGER NOT NULL REFERENCES sequence (no),
  key         TEXT,
  effect      TEXT NOT NULL,
  sent_at     INTEGER,
  until       INTEGER,
  found_at    INTEGER NOT NULL
) STRICT;

CREATE INDEX inbound_sequence ON inbound (sequence_no, no);
CREATE INDEX inbound_key ON inbound (key) WHERE key IS NOT NULL;
CREATE INDEX inbound_found ON inbound (found_at, no);

-- Under which ids of its own a mail server passed our e-mails on, from its answers.

CREATE TABLE provider_message (
  id  TEXT PRIMARY KEY,
  key TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX attempt_message_id ON attempt (lower(message_id));
