-- Changes that were asked for at the same instant are listed in the order in which they were, on every database.

ALTER TABLE asked_change ADD COLUMN no bigint NOT NULL DEFAULT 0;
UPDATE asked_change SET no = (
  SELECT count(*) FROM asked_change AS earlier
  WHERE (earlier.asked_at, earlier.id) <= (asked_change.asked_at, asked_change.id));
CREATE UNIQUE INDEX asked_change_no ON asked_change (no);
