-- insert --
-- A person's approval of a warning.
INSERT INTO waiver (blueprint_id, rule, reason, actor, created_at, until)
VALUES (:blueprint_id, :rule, :reason, :actor, :created_at, :until)

-- of --
-- The waivers of a blueprint, those that are over too, the one that holds longest last.
SELECT * FROM waiver WHERE blueprint_id = :blueprint_id ORDER BY until, no
