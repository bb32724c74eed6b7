-- secret --
-- A random key that was made with the database.
SELECT value FROM secret WHERE name = :name

