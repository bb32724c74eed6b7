-- insert --
-- A person's approval of a warning.
INSERT INTO waiver (blueprint_id, rule, reason, actor, created_at, until)
VALUES (:blueprint_id, :rule, :reason, :actor, :created_at, :until)

-- in_force --
-- The waivers of a blueprint that hold at an instant, the one that holds longest last.
SELECT * FROM waiver WHERE blueprint_id = :blueprint_id AND until > :now ORDER BY until, no
