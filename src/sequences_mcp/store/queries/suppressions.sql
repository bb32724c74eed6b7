-- insert --
-- Never contact again, if it is not on the list already.
INSERT INTO suppression (kind, value, reason, actor, created_at)
VALUES (:kind, :value, :reason, :actor, :created_at) ON CONFLICT DO NOTHING

-- adopt --
-- What somebody asks for stands, whatever becomes of what the engine concluded by itself.
UPDATE suppression SET reason = :reason, actor = :actor
WHERE kind = :kind AND value = :value AND actor = :engine AND actor <> :actor

-- find --
-- What is on the list under one name.
SELECT * FROM suppression WHERE kind = :kind AND value = :value

-- matching --
-- What the list says about a JSON list of [kind, value, 1 for a spelling that no longer is written].
SELECT kind, suppression.value, reason FROM json_each(:wanted) one
CROSS JOIN suppression
  ON kind = json_extract(one.value, '$[0]') AND suppression.value = json_extract(one.value, '$[1]')
WHERE CAST(json_extract(one.value, '$[2]') AS bigint) = 0
   OR suppression.created_at <= (SELECT applied_at FROM migration WHERE name = 'addresses')

-- all --
-- The whole list, the oldest first.
SELECT * FROM suppression ORDER BY created_at, kind, value

-- lift_before --
-- Off the list, unless it was put there after that.
DELETE FROM suppression WHERE kind = :kind AND value = :value AND created_at <= :at

-- any --
-- Whether anybody is on the list.
SELECT 1 FROM suppression LIMIT 1

-- after --
-- Some of the list, by kind and value.
SELECT * FROM suppression WHERE (kind, value) > (:kind, :value) ORDER BY kind, value LIMIT :size

-- keep_lifted --
-- Since when something is off the list, by its hash.
INSERT INTO lifted_suppression (hash, at) VALUES (:hash, :at)
ON CONFLICT (hash) DO UPDATE SET at = max(lifted_suppression.at, excluded.at)

-- end_lifted --
-- It is on the list again.
DELETE FROM lifted_suppression WHERE hash = :hash

-- lifted --
-- What was taken off the list, by its hash, and when.
SELECT hash, at FROM lifted_suppression
