-- Instants are microseconds since 1970 in UTC. Rows point at one another by number (`no`); people see ids.

CREATE TABLE migration (
  version    INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  digest     BLOB NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT;

CREATE TABLE secret (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;

-- Blueprints: a version never changes.

CREATE TABLE blueprint_version (
  no           INTEGER PRIMARY KEY,
  blueprint_id TEXT NOT NULL,
  version      INTEGER NOT NULL CHECK (version >= 1),
  name         TEXT NOT NULL,
  steps        TEXT NOT NULL,
  sourcing     TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  UNIQUE (blueprint_id, version)
) STRICT;

CREATE TRIGGER blueprint_version_is_never_changed BEFORE UPDATE ON blueprint_version
BEGIN SELECT RAISE(ABORT, 'a blueprint version never changes'); END;

CREATE TRIGGER blueprint_version_is_never_deleted BEFORE DELETE ON blueprint_version
BEGIN SELECT RAISE(ABORT, 'a blueprint version is never deleted'); END;

-- Contacts: one row a person. `company_host` and `company_key` decide who works at the same company.

CREATE TABLE contact (
  no             INTEGER PRIMARY KEY,
  id             TEXT NOT NULL UNIQUE,
  email          TEXT,
  email_key      TEXT UNIQUE,
  email_host     TEXT,
  phone          TEXT UNIQUE CHECK (phone GLOB '+[1-9]*'),
  first_name     TEXT,
  last_name      TEXT,
  company        TEXT,
  company_domain TEXT,
  company_host   TEXT,
  company_key    TEXT,
  job_title      TEXT,
  location       TEXT,
  country        TEXT CHECK (country GLOB '[A-Z][A-Z]'),
  time_zone      TEXT,
  language       TEXT,
  linkedin_url   TEXT,
  notes          TEXT NOT NULL,
  search         TEXT NOT NULL,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  CHECK (email_key IS NOT NULL OR phone IS NOT NULL)
) STRICT;

CREATE INDEX contact_email_host ON contact (email_host) WHERE email_host IS NOT NULL;
CREATE INDEX contact_company_host ON contact (company_host) WHERE company_host IS NOT NULL;
CREATE INDEX contact_company_key ON contact (company_key) WHERE company_key IS NOT NULL;

-- Plans, and the digests of their texts in order, 32 bytes each. `unsettled`: decided, but not yet for everybody.

CREATE TABLE plan (
  no            INTEGER PRIMARY KEY,
  id            TEXT NOT NULL UNIQUE,
  version_no    INTEGER NOT NULL REFERENCES blueprint_version (no),
  status        TEXT NOT NULL CHECK (status IN ('drafting', 'waiting', 'approved', 'void', 'refused', 'expired')),
  terms         TEXT NOT NULL,
  expires_at    INTEGER NOT NULL,
  covered       TEXT NOT NULL, -- the guards' warnings that a yes covers
  digest        TEXT NOT NULL,
  people        INTEGER NOT NULL,
  missing_texts INTEGER NOT NULL,
  to_read       INTEGER NOT NULL,
  warnings      INTEGER NOT NULL,
  created_at    INTEGER NOT NULL,
  decided_at    INTEGER,
  decided_by    TEXT,
  reason        TEXT,
  unsettled     INTEGER NOT NULL DEFAULT 0 CHECK (unsettled IN (0, 1)),
  CHECK (status IN ('drafting', 'expired', 'refused') OR length(digest) = 64)
) STRICT;

CREATE INDEX plan_status ON plan (status, created_at);
CREATE INDEX plan_unsettled ON plan (no) WHERE unsettled = 1;

CREATE TABLE plan_texts (
  plan_no INTEGER PRIMARY KEY REFERENCES plan (no),
  digests BLOB NOT NULL
) STRICT;

-- A person's yes, to exactly one digest of a plan or of a single text.

CREATE TABLE approval (
  no      INTEGER PRIMARY KEY,
  subject TEXT NOT NULL,
  digest  TEXT NOT NULL CHECK (length(digest) = 64),
  actor   TEXT NOT NULL,
  at      INTEGER NOT NULL
) STRICT;

CREATE INDEX approval_subject ON approval (subject, digest);

CREATE TRIGGER approval_is_never_changed BEFORE UPDATE ON approval
BEGIN SELECT RAISE(ABORT, 'an approval never changes'); END;

CREATE TRIGGER approval_is_never_deleted BEFORE DELETE ON approval
BEGIN SELECT RAISE(ABORT, 'an approval is never deleted'); END;

-- Sequences. `lane` is `mailbox` where the next thing to happen is an e-mail, which the mailbox's limits hold
-- back, and `free` for everything else.

CREATE TABLE sequence (
  no           INTEGER PRIMARY KEY,
  id           TEXT NOT NULL UNIQUE,
  plan_no      INTEGER NOT NULL REFERENCES plan (no),
  version_no   INTEGER NOT NULL REFERENCES blueprint_version (no),
  contact_no   INTEGER NOT NULL REFERENCES contact (no),
  ordinal      INTEGER NOT NULL CHECK (ordinal >= 0),
  status       TEXT NOT NULL CHECK (status IN ('FOUND', 'ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER',
                                               'COMPLETED', 'SUCCEEDED', 'FAILED', 'STOPPED_EARLY', 'REFUSED')),
  anchor       INTEGER,
  variables    TEXT NOT NULL,
  paused_since INTEGER,
  paused_until INTEGER,
  stop_reason  TEXT CHECK (stop_reason IN ('WIN', 'LOSE')),
  time_zone    TEXT NOT NULL,
  warnings     INTEGER NOT NULL,
  reason       TEXT,
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL,
  next_run_at  INTEGER,
  lane         TEXT NOT NULL CHECK (lane IN ('mailbox', 'free')),
  UNIQUE (plan_no, ordinal),
  CHECK (next_run_at IS NULL OR status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER'))
) STRICT;

CREATE INDEX sequence_due ON sequence (lane, next_run_at) WHERE next_run_at IS NOT NULL;
CREATE UNIQUE INDEX sequence_one_live_per_contact ON sequence (contact_no)
  WHERE status IN ('ACTIVE', 'WAITING_FOR_LEAD', 'WAITING_FOR_USER');
CREATE INDEX sequence_contact ON sequence (contact_no);
CREATE INDEX sequence_created ON sequence (created_at, no);
CREATE INDEX sequence_updated ON sequence (updated_at, no);
CREATE INDEX sequence_status ON sequence (status, created_at, no);
CREATE INDEX sequence_version ON sequence (version_no, created_at, no);

CREATE TRIGGER sequence_end_is_final BEFORE UPDATE OF status ON sequence
WHEN OLD.status IN ('COMPLETED', 'SUCCEEDED', 'FAILED', 'STOPPED_EARLY', 'REFUSED') AND NEW.status <> OLD.status
BEGIN SELECT RAISE(ABORT, 'a sequence that is over stays over'); END;

CREATE TRIGGER sequence_is_never_deleted BEFORE DELETE ON sequence
BEGIN SELECT RAISE(ABORT, 'a sequence is never deleted'); END;

-- Steps of sequences: one row a text. A rewritten text is a new generation; the old row stays, `replaced`.

CREATE TABLE step_run (
  no               INTEGER PRIMARY KEY,
  sequence_no      INTEGER NOT NULL REFERENCES sequence (no),
  step             INTEGER NOT NULL CHECK (step >= 0),
  generation       INTEGER NOT NULL CHECK (generation >= 0),
  key              TEXT NOT NULL,
  recipient        TEXT,
  subject          TEXT,
  content          TEXT,
  state            TEXT NOT NULL CHECK (state IN ('planned', 'held', 'claimed', 'handed_over', 'sent', 'unknown',
                                                  'failed', 'open', 'done', 'skipped', 'cancelled')),
  reason           TEXT,
  until            INTEGER,
  executed_at      INTEGER,
  accepted_at      INTEGER,
  anchor           INTEGER,
  lease            INTEGER,
  lease_expires_at INTEGER,
  message_id       TEXT,
  server_reply     TEXT,
  changed_at       INTEGER NOT NULL,
  replaced         INTEGER NOT NULL DEFAULT 0 CHECK (replaced IN (0, 1)),
  UNIQUE (sequence_no, step, generation),
  UNIQUE (key, generation),
  CHECK (state NOT IN ('claimed', 'handed_over') OR (lease IS NOT NULL AND lease_expires_at IS NOT NULL)),
  CHECK (state NOT IN ('claimed', 'handed_over', 'sent', 'open', 'done') OR content IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX step_run_current ON step_run (sequence_no, step) WHERE replaced = 0;
CREATE INDEX step_run_open ON step_run (changed_at, no) WHERE state = 'open' AND replaced = 0;
CREATE INDEX step_run_waiting ON step_run (changed_at, no)
  WHERE state IN ('held', 'unknown') AND until IS NULL AND replaced = 0;

CREATE TRIGGER step_run_text_is_never_changed
BEFORE UPDATE OF sequence_no, step, generation, key, recipient, subject, content ON step_run
WHEN NEW.sequence_no <> OLD.sequence_no OR NEW.step <> OLD.step OR NEW.generation <> OLD.generation
  OR NEW.key <> OLD.key OR NEW.recipient IS NOT OLD.recipient
  OR (OLD.content IS NOT NULL AND (NEW.subject IS NOT OLD.subject OR NEW.content IS NOT OLD.content))
BEGIN SELECT RAISE(ABORT, 'a text never changes; a new one is a new generation'); END;

CREATE TRIGGER step_run_follows_the_protocol BEFORE UPDATE OF state ON step_run
WHEN NEW.state <> OLD.state AND (
     OLD.state IN ('sent', 'done', 'skipped', 'failed', 'cancelled')
  OR (NEW.state = 'claimed' AND OLD.state NOT IN ('planned', 'held'))
  OR (NEW.state = 'handed_over' AND OLD.state <> 'claimed')
  OR (NEW.state = 'unknown' AND OLD.state <> 'handed_over')
  OR (NEW.state = 'sent' AND OLD.state NOT IN ('handed_over', 'unknown')))
BEGIN SELECT RAISE(ABORT, 'a step cannot come from that state'); END;

CREATE TRIGGER step_run_replaced_is_final BEFORE UPDATE ON step_run WHEN OLD.replaced = 1
BEGIN SELECT RAISE(ABORT, 'a replaced text stays as it was'); END;

CREATE TRIGGER step_run_is_never_deleted BEFORE DELETE ON step_run
BEGIN SELECT RAISE(ABORT, 'a step is never deleted'); END;

-- Attempts to send: the number is the lease, which only ever rises. `counted`: it uses up the mailbox's limits.

CREATE TABLE attempt (
  lease          INTEGER PRIMARY KEY,
  key            TEXT NOT NULL,
  generation     INTEGER NOT NULL,
  sender         TEXT NOT NULL,
  message_id     TEXT NOT NULL,
  message_digest BLOB NOT NULL CHECK (length(message_digest) = 32),
  claimed_at     INTEGER NOT NULL,
  counted        INTEGER NOT NULL DEFAULT 1 CHECK (counted IN (0, 1))
) STRICT;

CREATE INDEX attempt_counted ON attempt (sender, claimed_at) WHERE counted = 1;
CREATE INDEX attempt_key ON attempt (key, generation);

CREATE TRIGGER attempt_is_never_deleted BEFORE DELETE ON attempt
BEGIN SELECT RAISE(ABORT, 'an attempt is never deleted'); END;

-- Never contact again.

CREATE TABLE suppression (
  kind       TEXT NOT NULL CHECK (kind IN ('address', 'domain', 'contact')),
  value      TEXT NOT NULL,
  reason     TEXT NOT NULL,
  actor      TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;

-- Calls of write tools with the answers they got.

CREATE TABLE operation (
  no          INTEGER PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE,
  tool        TEXT NOT NULL,
  key         TEXT UNIQUE,
  fingerprint TEXT NOT NULL,
  answer      TEXT NOT NULL,
  actor       TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER
) STRICT;

-- What happened, in a chain: each row's hash covers the row and the hash before it.

CREATE TABLE audit (
  no       INTEGER PRIMARY KEY,
  at       INTEGER NOT NULL,
  actor    TEXT NOT NULL,
  action   TEXT NOT NULL,
  subject  TEXT NOT NULL,
  detail   TEXT NOT NULL,
  previous BLOB NOT NULL CHECK (length(previous) = 32),
  hash     BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE INDEX audit_subject ON audit (subject, no);

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is never changed'); END;

CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is never deleted'); END;
