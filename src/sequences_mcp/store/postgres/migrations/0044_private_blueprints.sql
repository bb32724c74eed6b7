-- Who made a blueprint, where they had signed in, and since when it is theirs alone. Blueprints without a row are
-- everybody's: those of before, and those made on this machine.

CREATE TABLE blueprint_owner (
  blueprint_id  text COLLATE "C" PRIMARY KEY,
  owner         text COLLATE "C" NOT NULL CHECK (owner <> ''),
  private_since bigint
);
