-- A signature is kept with the address of the page it was made at, which the browser has signed as well. An older
-- program kept the browser's answer alone; from now on that counts for nothing.

DROP TRIGGER approval_signature_is_never_changed;

UPDATE approval_signature SET assertion = json_object('origin', signed_at(assertion), 'credential', assertion)
WHERE signed_at(assertion) IS NOT NULL;

CREATE TRIGGER approval_signature_is_never_changed BEFORE UPDATE ON approval_signature
BEGIN SELECT RAISE(ABORT, 'a signature never changes'); END;
