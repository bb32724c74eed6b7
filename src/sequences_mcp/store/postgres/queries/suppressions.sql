-- matching --
-- What the list says about a JSON list of [kind, value, 1 for a spelling that no longer is written].
SELECT kind, suppression.value, reason FROM jsonb_array_elements(CAST(:wanted AS jsonb)) AS one(value)
JOIN suppression ON kind = one.value ->> 0 AND suppression.value = one.value ->> 1
WHERE one.value ->> 2 = '0'
   OR suppression.created_at <= (SELECT applied_at FROM migration WHERE name = 'addresses')
