-- names --
-- The names of the versions in a JSON list of pairs of id and version.
SELECT v.blueprint_id, v.version, v.name
FROM jsonb_array_elements(CAST(:versions AS jsonb)) AS wanted(value) JOIN blueprint_version v
  ON v.blueprint_id = wanted.value ->> 0 AND v.version = CAST(wanted.value ->> 1 AS bigint)
