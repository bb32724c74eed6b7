-- add_version --
-- One version of a blueprint.
INSERT INTO blueprint_version (blueprint_id, version, name, steps, sourcing, created_at, replies)
VALUES (:blueprint_id, :version, :name, :steps, :sourcing, :created_at, :replies)

-- newest --
-- A blueprint's newest version.
SELECT * FROM blueprint_version WHERE blueprint_id = :blueprint_id ORDER BY version DESC LIMIT 1

-- version --
-- One version of a blueprint.
SELECT * FROM blueprint_version WHERE blueprint_id = :blueprint_id AND version = :version

-- count --
-- How many blueprints of one provider there are.
SELECT count(DISTINCT blueprint_id) AS found FROM blueprint_version
WHERE blueprint_id >= :first AND blueprint_id < :past

-- page --
-- The newest version of each blueprint of one provider, the latest change first.
SELECT * FROM blueprint_version
WHERE no IN (SELECT max(no) FROM blueprint_version
             WHERE blueprint_id >= :first AND blueprint_id < :past GROUP BY blueprint_id)
ORDER BY no DESC LIMIT :size OFFSET :skip

-- names --
-- The names of the versions in a JSON list of pairs of id and version.
SELECT v.blueprint_id, v.version, v.name
FROM json_each(:versions) wanted CROSS JOIN blueprint_version v
  ON v.blueprint_id = json_extract(wanted.value, '$[0]') AND v.version = json_extract(wanted.value, '$[1]')
