-- What a passkey signed when it said yes: a WebAuthn assertion over the digest that was approved.

CREATE TABLE approval_signature (
  approval_no INTEGER PRIMARY KEY REFERENCES approval (no),
  assertion   TEXT NOT NULL
) STRICT;

CREATE TRIGGER approval_signature_is_never_changed BEFORE UPDATE ON approval_signature
BEGIN SELECT RAISE(ABORT, 'a signature never changes'); END;

CREATE TRIGGER approval_signature_is_never_deleted BEFORE DELETE ON approval_signature
BEGIN SELECT RAISE(ABORT, 'a signature is never deleted'); END;
