-- Hashes of people who were erased that an older database, put back, has read from the journal beside it: whoever
-- has one of them is in this database again and is erased once more before anything else is done with it.

ALTER TABLE erased_key ADD COLUMN regained bigint NOT NULL DEFAULT 0 CHECK (regained IN (0, 1));

CREATE INDEX erased_key_regained ON erased_key (hash) WHERE regained = 1;
