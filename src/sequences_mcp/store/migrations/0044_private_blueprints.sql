-- Who made a blueprint, where they had signed in, and since when it is theirs alone. Blueprints without a row are
-- everybody's: those of before, and those made on this machine.

CREATE TABLE blueprint_owner (
  blueprint_id  TEXT PRIMARY KEY,
  owner         TEXT NOT NULL CHECK (owner <> ''),
  private_since INTEGER
) STRICT, WITHOUT ROWID;
