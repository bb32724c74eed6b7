-- secret --
-- A random key that was made with the database, in hexadecimal.
SELECT encode(value, 'hex') AS value FROM secret WHERE name = :name
