-- What a yes was given to that an e-mail of unknown fate was not sent: to this text, after this attempt alone.
-- The digest of such an approval is made from both.

CREATE TABLE resend (
  approval_no INTEGER PRIMARY KEY REFERENCES approval (no),
  text_digest TEXT NOT NULL CHECK (length(text_digest) = 64),
  lease       INTEGER NOT NULL
) STRICT;

CREATE TRIGGER resend_is_never_changed BEFORE UPDATE ON resend
BEGIN SELECT RAISE(ABORT, 'what was approved never changes'); END;

CREATE TRIGGER resend_is_never_deleted BEFORE DELETE ON resend
BEGIN SELECT RAISE(ABORT, 'what was approved is never deleted'); END;
