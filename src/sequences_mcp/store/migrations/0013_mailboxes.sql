-- A mailbox that a server refuses rests, for every process. `account` stands for the account that was refused.

CREATE TABLE mailbox_rest (
  sender   TEXT PRIMARY KEY,
  since    INTEGER NOT NULL,
  until    INTEGER NOT NULL,
  refusals INTEGER NOT NULL CHECK (refusals >= 1),
  why      TEXT NOT NULL,
  account  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What an attempt was answered: `recipient` is a refusal of one person or text, `mailbox` and `doubtful` refuse whoever
-- sends or may do so, `died` is a program that ended. `code` is what a refusal is known by.

ALTER TABLE attempt ADD COLUMN answer TEXT
  CHECK (answer IN ('accepted', 'recipient', 'mailbox', 'doubtful', 'died'));
ALTER TABLE attempt ADD COLUMN code TEXT;

CREATE INDEX attempt_sender ON attempt (sender, claimed_at);
CREATE INDEX attempt_answered ON attempt (sender, lease) WHERE answer IS NOT NULL AND answer <> 'died';

-- Answers are forgotten after a time.

CREATE INDEX operation_created ON operation (created_at);
CREATE INDEX vendor_operation_answered ON vendor_operation (settled_at) WHERE answer <> '{}';
