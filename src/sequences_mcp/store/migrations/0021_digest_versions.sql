-- Under which version of the preimages a plan's digests, and a change's, were computed: domain/digests.py. Everything
-- sealed before this column was there is version 1.

ALTER TABLE plan ADD COLUMN digest_version INTEGER NOT NULL DEFAULT 1 CHECK (digest_version >= 1);
ALTER TABLE asked_change ADD COLUMN digest_version INTEGER NOT NULL DEFAULT 1 CHECK (digest_version >= 1);
