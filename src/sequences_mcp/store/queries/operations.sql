-- insert --
-- One call of a write tool with its answer.
INSERT INTO operation (id, tool, key, fingerprint, answer, actor, created_at, expires_at)
VALUES (:id, :tool, :key, :fingerprint, :answer, :actor, :created_at, :expires_at)

-- by_key --
-- The call this key belongs to: one with a stored answer, or one that made a plan.
SELECT tool, fingerprint, answer, NULL AS plan_id FROM operation WHERE key = :key AND expires_at > :now
UNION ALL
SELECT call_tool, fingerprint, NULL, id FROM plan WHERE call_key = :key AND key_expires_at > :now

-- free_key --
-- Let go of a key whose time is over.
UPDATE operation SET key = NULL WHERE key = :key AND expires_at <= :now
