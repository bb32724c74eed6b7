-- People who were erased. Their row stays without anything about them, so that what their runs came to is still
-- counted. Of what they were known by a keyed hash is kept, so that nobody stores or writes to them again.

ALTER TABLE contact ADD COLUMN erased_at INTEGER;

CREATE INDEX contact_erased ON contact (no) WHERE erased_at IS NOT NULL;

CREATE TABLE erased_key (
  hash   TEXT PRIMARY KEY CHECK (length(hash) = 64),
  reason TEXT NOT NULL,
  actor  TEXT NOT NULL,
  at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the open transaction erases. Only rows that stand here may lose what otherwise never changes; it is empty
-- again when the transaction ends.

CREATE TABLE erasing (
  kind TEXT NOT NULL CHECK (kind IN ('sequence', 'audit')),
  no   INTEGER NOT NULL,
  PRIMARY KEY (kind, no)
) STRICT, WITHOUT ROWID;

-- Since when bytes of what was erased may still stand in pages that the file no longer uses.

CREATE TABLE unswept (
  only  INTEGER PRIMARY KEY CHECK (only = 1),
  since INTEGER NOT NULL
) STRICT;

-- A plan whose warnings about everybody named somebody who was erased: the digest of what is left of it, and the one
-- that stands for it and was approved.

CREATE TABLE plan_redaction (
  plan_no INTEGER PRIMARY KEY REFERENCES plan (no),
  present TEXT NOT NULL CHECK (length(present) = 64),
  sealed  TEXT NOT NULL CHECK (length(sealed) = 64)
) STRICT;

DROP TRIGGER IF EXISTS audit_is_never_changed;

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
WHEN NOT EXISTS (SELECT 1 FROM erasing WHERE kind = 'audit' AND no = OLD.no)
  OR NEW.no <> OLD.no OR NEW.at <> OLD.at OR NEW.action <> OLD.action OR NEW.previous <> OLD.previous
  OR NEW.hash <> OLD.hash
BEGIN SELECT RAISE(ABORT, 'the audit is never changed'); END;

DROP TRIGGER IF EXISTS step_run_text_is_never_changed;

CREATE TRIGGER step_run_text_is_never_changed
BEFORE UPDATE OF sequence_no, step, generation, key, recipient, subject, content ON step_run
WHEN NEW.sequence_no <> OLD.sequence_no OR NEW.step <> OLD.step OR NEW.generation <> OLD.generation
  OR NEW.key <> OLD.key
  OR (NEW.recipient IS NOT OLD.recipient
      OR (OLD.content IS NOT NULL AND (NEW.subject IS NOT OLD.subject OR NEW.content IS NOT OLD.content)))
     AND NOT EXISTS (SELECT 1 FROM erasing WHERE kind = 'sequence' AND no = OLD.sequence_no)
BEGIN SELECT RAISE(ABORT, 'a text never changes; a new one is a new generation'); END;

DROP TRIGGER IF EXISTS step_run_replaced_is_final;

CREATE TRIGGER step_run_replaced_is_final BEFORE UPDATE ON step_run
WHEN OLD.replaced = 1 AND NOT EXISTS (SELECT 1 FROM erasing WHERE kind = 'sequence' AND no = OLD.sequence_no)
BEGIN SELECT RAISE(ABORT, 'a replaced text stays as it was'); END;

DROP TRIGGER IF EXISTS sequence_handover_is_never_changed;

CREATE TRIGGER sequence_handover_is_never_changed BEFORE UPDATE OF provider, handover ON sequence
WHEN NEW.provider <> OLD.provider
  OR NEW.handover IS NOT OLD.handover AND NOT EXISTS (SELECT 1 FROM erasing WHERE kind = 'sequence' AND no = OLD.no)
BEGIN SELECT RAISE(ABORT, 'what a vendor is given never changes'); END;

DROP TRIGGER IF EXISTS sequence_address_is_never_changed;

CREATE TRIGGER sequence_address_is_never_changed BEFORE UPDATE OF address_key ON sequence
WHEN NEW.address_key IS NOT OLD.address_key
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE kind = 'sequence' AND no = OLD.no)
BEGIN SELECT RAISE(ABORT, 'the address a run writes to never changes'); END;
