-- insert --
-- A change that waits for a person.
INSERT INTO asked_change (id, tool, subject, arguments, earlier, asked_at)
VALUES (:id, :tool, :subject, :arguments, :earlier, :asked_at)

-- find --
-- One change.
SELECT * FROM asked_change WHERE id = :id

-- same --
-- The change that waits with these arguments.
SELECT * FROM asked_change
WHERE tool = :tool AND subject = :subject AND arguments = :arguments AND earlier = :earlier AND approved_by IS NULL

-- waiting --
-- The changes that wait, the oldest first.
SELECT * FROM asked_change WHERE approved_by IS NULL ORDER BY asked_at, id LIMIT :size

-- approve --
-- A person's yes.
UPDATE asked_change SET approved_by = :actor WHERE id = :id AND approved_by IS NULL
