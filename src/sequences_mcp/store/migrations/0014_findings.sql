-- What the guards warned of about one person when they were planned or their texts last changed: a yes covers it, so
-- it is kept and shown the same everywhere. NULL: none, or planned by an older program.

ALTER TABLE sequence ADD COLUMN findings TEXT;
