-- What is known of how a person's data came here: from where, when, on which legal ground, and their consent.

ALTER TABLE contact ADD COLUMN source TEXT;
ALTER TABLE contact ADD COLUMN found_at TEXT CHECK (found_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]');
ALTER TABLE contact ADD COLUMN basis TEXT;
ALTER TABLE contact ADD COLUMN consent TEXT;
