-- insert --
-- What a blueprint that is named without a version means from now on, unless that is known.
INSERT OR IGNORE INTO allowed_start (blueprint_id, version, read_at) VALUES (:blueprint_id, :version, :read_at)

-- version --
-- The version meant.
SELECT version FROM allowed_start WHERE blueprint_id = :blueprint_id
