-- Which variant of its step's text a person was given, from 0; null where the step has one text for all. Decided when the
-- plan is made, covered by its digest, and never changed.

ALTER TABLE step_run ADD COLUMN variant INTEGER CHECK (variant BETWEEN 0 AND 3);

CREATE INDEX step_run_variant ON step_run (sequence_no, step, variant) WHERE variant IS NOT NULL AND replaced = 0;

CREATE TRIGGER step_run_variant_is_never_changed BEFORE UPDATE OF variant ON step_run
WHEN OLD.variant IS NOT NEW.variant
BEGIN SELECT RAISE(ABORT, 'a person keeps the variant they were given'); END;
