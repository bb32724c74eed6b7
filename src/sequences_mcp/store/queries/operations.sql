-- insert --
-- One call of a write tool with its answer.
INSERT INTO operation (id, tool, key, fingerprint, answer, actor, created_at, expires_at)
VALUES (:id, :tool, :key, :fingerprint, :answer, :actor, :created_at, :expires_at)

-- by_key --
-- The call this key belongs to.
SELECT * FROM operation WHERE key = :key AND expires_at > :now

-- free_key --
-- Let go of a key whose time is over.
UPDATE operation SET key = NULL WHERE key = :key AND expires_at <= :now
