-- head --
-- The end of the chain.
SELECT no, hash FROM audit ORDER BY no DESC LIMIT 1

-- insert --
-- One thing that happened.
INSERT INTO audit (no, at, actor, action, subject, detail, previous, hash)
VALUES (:no, :at, :actor, :action, :subject, :detail, :previous, :hash)

-- after --
-- Some of the chain, in order.
SELECT * FROM audit WHERE no > :no ORDER BY no LIMIT :size

-- of_subject --
-- What happened to one thing, in order.
SELECT * FROM audit WHERE subject = :subject ORDER BY no

-- instants --
-- When the last things happened, the newest first.
SELECT at FROM audit ORDER BY no DESC LIMIT :size

-- of_action --
-- What happened of one kind, in order.
SELECT * FROM audit WHERE action = :action ORDER BY no

-- of_people_after --
-- Which people were made, changed or erased after a row.
SELECT action, subject, detail FROM audit
WHERE no > :no AND action IN ('contact.saved', 'contact.erased', 'audit.redacted')
ORDER BY no LIMIT :size
