-- insert --
-- A write to a vendor that is about to be made.
INSERT INTO vendor_operation (id, provider, tool, subject, key, fingerprint, request, state, actor, created_at,
                              lease_expires_at)
VALUES (:id, :provider, :tool, :subject, :key, :fingerprint, :request, 'begun', :actor, :now, :lease_expires_at)

-- by_id --
-- One operation.
SELECT * FROM vendor_operation WHERE id = :id

-- by_key --
-- The operation a key belongs to.
SELECT * FROM vendor_operation WHERE key = :key

-- open_on --
-- Operations on one thing that are not settled.
SELECT * FROM vendor_operation WHERE subject = :subject AND state IN ('begun', 'unknown') ORDER BY no

-- unknown --
-- Operations whose outcome nobody knows, oldest first.
SELECT * FROM vendor_operation
WHERE state = 'unknown' OR (state = 'begun' AND lease_expires_at <= :now) ORDER BY no LIMIT :size

-- doubt --
-- Nobody knows what became of it.
UPDATE vendor_operation SET state = 'unknown', answer = :answer WHERE id = :id AND state = 'begun'

-- settle --
-- What became of it. One that was not done lets go of its key.
UPDATE vendor_operation
SET state = :state, answer = :answer, actor = :actor, settled_at = :now,
    key = CASE :state WHEN 'done' THEN key ELSE NULL END
WHERE id = :id AND state IN ('begun', 'unknown')
