-- next_lease --
-- The next number of the counter; it only ever rises.
SELECT nextval('attempt_lease') AS lease
