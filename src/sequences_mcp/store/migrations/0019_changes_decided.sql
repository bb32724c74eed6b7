-- A change at a vendor is decided once: approved, refused, or taken back by who asked for it.
ALTER TABLE asked_change ADD COLUMN refused_by TEXT;
ALTER TABLE asked_change ADD COLUMN reason TEXT;
ALTER TABLE asked_change ADD COLUMN decided_at INTEGER;
