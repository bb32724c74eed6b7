-- keep_lifted --
-- Since when something is off the list, by its hash.
INSERT INTO lifted_suppression (hash, at) VALUES (:hash, :at)
ON CONFLICT (hash) DO UPDATE SET at = greatest(lifted_suppression.at, excluded.at)
