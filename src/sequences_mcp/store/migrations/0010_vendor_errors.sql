-- What a vendor answered when somebody could not be handed over to it, as it is shown: our reading and, in fields of
-- their own, the vendor's words. It is there while the vendor has not taken the person.

CREATE TABLE vendor_error (
  sequence_no INTEGER PRIMARY KEY REFERENCES sequence (no),
  told        TEXT NOT NULL,
  at          INTEGER NOT NULL
) STRICT;
