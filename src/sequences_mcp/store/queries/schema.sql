-- secret --
-- A random key that was made with the database, in hexadecimal.
SELECT lower(hex(value)) AS value FROM secret WHERE name = :name

