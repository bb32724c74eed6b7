-- insert --
-- A change that waits for a person.
INSERT INTO asked_change (id, tool, subject, arguments, earlier, asked_at, digest_version, no)
VALUES (:id, :tool, :subject, :arguments, :earlier, :asked_at, :digest_version,
  (SELECT coalesce(max(no), 0) + 1 FROM asked_change))

-- find --
-- One change, with what became of its request; the fingerprint of that is the digest that was approved.
SELECT asked_change.*, (
  SELECT state FROM vendor_operation
  JOIN approval ON approval.subject = asked_change.id AND approval.digest = vendor_operation.fingerprint
  WHERE vendor_operation.subject = asked_change.subject ORDER BY vendor_operation.no DESC LIMIT 1
) AS came_to
FROM asked_change WHERE id = :id

-- of_request --
-- The approved change that a request carries out: the request's fingerprint is the digest that was approved.
SELECT asked_change.id FROM asked_change
JOIN approval ON approval.subject = asked_change.id AND approval.digest = :fingerprint
WHERE asked_change.subject = :subject

-- same --
-- The change that waits with these arguments.
SELECT id FROM asked_change
WHERE tool = :tool AND subject = :subject AND arguments = :arguments AND earlier = :earlier
  AND approved_by IS NULL AND refused_by IS NULL AND asked_at > :since

-- waiting --
-- The changes that wait, the oldest first.
SELECT id FROM asked_change
WHERE approved_by IS NULL AND refused_by IS NULL AND asked_at > :since
ORDER BY no LIMIT :size OFFSET :skip

-- newest_waiting --
-- When the last change was asked for that nobody has decided about, so that it waits if it is not too old.
SELECT max(asked_at) AS at FROM asked_change WHERE approved_by IS NULL AND refused_by IS NULL

-- count_waiting --
-- How many changes at vendors wait for a person, and since when.
SELECT count(*) AS number, min(asked_at) AS since FROM asked_change
WHERE approved_by IS NULL AND refused_by IS NULL AND asked_at > :since

-- approve --
-- A person's approval.
UPDATE asked_change SET approved_by = :actor, decided_at = :now
WHERE id = :id AND approved_by IS NULL AND refused_by IS NULL

-- refuse --
-- A no, or that it was taken back.
UPDATE asked_change SET refused_by = :actor, reason = :reason, decided_at = :now
WHERE id = :id AND approved_by IS NULL AND refused_by IS NULL
