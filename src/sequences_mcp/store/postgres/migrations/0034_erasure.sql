-- People who were erased. Their row stays without anything about them, so that what their runs came to is still
-- counted. Of what they were known by a keyed hash is kept, so that nobody stores or writes to them again.

ALTER TABLE contact ADD COLUMN erased_at bigint;

CREATE INDEX contact_erased ON contact (no) WHERE erased_at IS NOT NULL;

CREATE TABLE erased_key (
  hash   text COLLATE "C" PRIMARY KEY CHECK (length(hash) = 64),
  reason text COLLATE "C" NOT NULL,
  actor  text COLLATE "C" NOT NULL,
  at     bigint NOT NULL
);

-- What the open transaction erases. Only rows that stand here may lose what otherwise never changes; it is empty
-- again when the transaction ends.

CREATE TABLE erasing (
  kind text COLLATE "C" NOT NULL CHECK (kind IN ('sequence', 'audit')),
  no   bigint NOT NULL,
  PRIMARY KEY (kind, no)
);

-- Since when bytes of what was erased may still stand in pages that the tables no longer use.

CREATE TABLE unswept (
  "only" bigint PRIMARY KEY CHECK ("only" = 1),
  since  bigint NOT NULL
);

-- A plan whose warnings about everybody named somebody who was erased: the digest of what is left of it, and the one
-- that stands for it and was approved.

CREATE TABLE plan_redaction (
  plan_no bigint PRIMARY KEY REFERENCES plan (no),
  present text COLLATE "C" NOT NULL CHECK (length(present) = 64),
  sealed  text COLLATE "C" NOT NULL CHECK (length(sealed) = 64)
);

-- A trigger's condition cannot look into a table here: what an erasure may change asks this, what it may not stays
-- refused by a trigger of its own. Its arguments: the words, what is erased, and the column with its number.

CREATE FUNCTION refuse_unless_erasing() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  IF EXISTS (SELECT 1 FROM erasing WHERE kind = TG_ARGV[1] AND no = (to_jsonb(OLD) ->> TG_ARGV[2])::bigint) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END $$;

DROP TRIGGER audit_is_never_changed ON audit;

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit FOR EACH ROW
  EXECUTE FUNCTION refuse_unless_erasing('the audit is never changed', 'audit', 'no');

CREATE TRIGGER audit_keeps_its_chain BEFORE UPDATE ON audit FOR EACH ROW
  WHEN (NEW.no <> OLD.no OR NEW.at <> OLD.at OR NEW.action <> OLD.action OR NEW.previous <> OLD.previous
        OR NEW.hash <> OLD.hash)
  EXECUTE FUNCTION refuse('the audit is never changed');

DROP TRIGGER step_run_text_is_never_changed ON step_run;

CREATE TRIGGER step_run_text_is_never_changed BEFORE UPDATE OF recipient, subject, content ON step_run FOR EACH ROW
  WHEN (NEW.recipient IS DISTINCT FROM OLD.recipient
        OR (OLD.content IS NOT NULL AND (NEW.subject IS DISTINCT FROM OLD.subject
                                         OR NEW.content IS DISTINCT FROM OLD.content)))
  EXECUTE FUNCTION refuse_unless_erasing('a text never changes; a new one is a new generation', 'sequence',
                                         'sequence_no');

CREATE TRIGGER step_run_place_is_never_changed BEFORE UPDATE OF sequence_no, step, generation, key ON step_run
  FOR EACH ROW WHEN (NEW.sequence_no <> OLD.sequence_no OR NEW.step <> OLD.step
                     OR NEW.generation <> OLD.generation OR NEW.key <> OLD.key)
  EXECUTE FUNCTION refuse('a text never changes; a new one is a new generation');

DROP TRIGGER step_run_replaced_is_final ON step_run;

CREATE TRIGGER step_run_replaced_is_final BEFORE UPDATE ON step_run FOR EACH ROW WHEN (OLD.replaced = 1)
  EXECUTE FUNCTION refuse_unless_erasing('a replaced text stays as it was', 'sequence', 'sequence_no');

DROP TRIGGER sequence_handover_is_never_changed ON sequence;

CREATE TRIGGER sequence_handover_is_never_changed BEFORE UPDATE OF handover ON sequence FOR EACH ROW
  WHEN (NEW.handover IS DISTINCT FROM OLD.handover)
  EXECUTE FUNCTION refuse_unless_erasing('what a vendor is given never changes', 'sequence', 'no');

CREATE TRIGGER sequence_provider_is_never_changed BEFORE UPDATE OF provider ON sequence FOR EACH ROW
  WHEN (NEW.provider <> OLD.provider)
  EXECUTE FUNCTION refuse('what a vendor is given never changes');

DROP TRIGGER sequence_address_is_never_changed ON sequence;

CREATE TRIGGER sequence_address_is_never_changed BEFORE UPDATE OF address_key ON sequence FOR EACH ROW
  WHEN (NEW.address_key IS DISTINCT FROM OLD.address_key)
  EXECUTE FUNCTION refuse_unless_erasing('the address a run writes to never changes', 'sequence', 'no');
