-- add_version --
-- One version of a blueprint.
INSERT INTO blueprint_version (blueprint_id, version, name, steps, sourcing, created_at, replies)
VALUES (:blueprint_id, :version, :name, :steps, :sourcing, :created_at, :replies)

-- newest --
-- A blueprint's newest version.
SELECT v.*, a.blueprint_id IS NOT NULL AS is_archived, o.owner, o.private_since IS NOT NULL AS is_private
FROM blueprint_version v LEFT JOIN archived_blueprint a USING (blueprint_id)
LEFT JOIN blueprint_owner o USING (blueprint_id)
WHERE v.blueprint_id = :blueprint_id ORDER BY v.version DESC LIMIT 1

-- version --
-- One version of a blueprint.
SELECT v.*, a.blueprint_id IS NOT NULL AS is_archived, o.owner, o.private_since IS NOT NULL AS is_private
FROM blueprint_version v LEFT JOIN archived_blueprint a USING (blueprint_id)
LEFT JOIN blueprint_owner o USING (blueprint_id)
WHERE v.blueprint_id = :blueprint_id AND v.version = :version

-- count --
-- How many blueprints of one provider a reader sees (empty: whoever sees all): the archived ones, or the others.
SELECT count(DISTINCT v.blueprint_id) AS found FROM blueprint_version v
WHERE v.blueprint_id >= :first AND v.blueprint_id < :past
  AND (SELECT count(*) FROM archived_blueprint a WHERE a.blueprint_id = v.blueprint_id) = :archived
  AND (:reader = '' OR NOT EXISTS (SELECT 1 FROM blueprint_owner o WHERE o.blueprint_id = v.blueprint_id
                                   AND o.private_since IS NOT NULL AND o.owner <> :reader))

-- page --
-- The newest version of each blueprint of one provider that a reader sees, archived or not, the latest change first.
SELECT v.*, a.blueprint_id IS NOT NULL AS is_archived, o.owner, o.private_since IS NOT NULL AS is_private
FROM blueprint_version v LEFT JOIN archived_blueprint a USING (blueprint_id)
LEFT JOIN blueprint_owner o USING (blueprint_id)
WHERE v.no IN (SELECT max(no) FROM blueprint_version
               WHERE blueprint_id >= :first AND blueprint_id < :past GROUP BY blueprint_id)
  AND (SELECT count(*) FROM archived_blueprint b WHERE b.blueprint_id = v.blueprint_id) = :archived
  AND (:reader = '' OR o.private_since IS NULL OR o.owner = :reader)
ORDER BY v.no DESC LIMIT :size OFFSET :skip

-- archive --
-- Put a blueprint away.
INSERT INTO archived_blueprint (blueprint_id, archived_at) VALUES (:blueprint_id, :now) ON CONFLICT DO NOTHING

-- unarchive --
-- Take a blueprint back.
DELETE FROM archived_blueprint WHERE blueprint_id = :blueprint_id

-- own --
-- Write down who made a blueprint.
INSERT INTO blueprint_owner (blueprint_id, owner) VALUES (:blueprint_id, :owner)

-- keep_private --
-- Make a blueprint its owner's alone.
UPDATE blueprint_owner SET private_since = :now WHERE blueprint_id = :blueprint_id AND private_since IS NULL

-- share --
-- Let everybody see a blueprint.
UPDATE blueprint_owner SET private_since = NULL WHERE blueprint_id = :blueprint_id AND private_since IS NOT NULL

-- private --
-- The blueprints that are somebody's alone, with whose they are.
SELECT blueprint_id, owner FROM blueprint_owner WHERE private_since IS NOT NULL

-- names --
-- The names of the versions in a JSON list of pairs of id and version.
SELECT v.blueprint_id, v.version, v.name
FROM json_each(:versions) wanted CROSS JOIN blueprint_version v
  ON v.blueprint_id = json_extract(wanted.value, '$[0]') AND v.version = CAST(json_extract(wanted.value, '$[1]') AS bigint)
