-- Where this database was moved to: from then on this one is a copy that is not opened any more (store.moving).

CREATE TABLE moved_database (
  "only" bigint PRIMARY KEY CHECK ("only" = 1),
  place  text COLLATE "C" NOT NULL,
  at     bigint NOT NULL
);

-- What approvals are checked with (ports.safekeeping): hashes and public keys, which all hosts share.

CREATE TABLE kept_record (
  name text COLLATE "C" PRIMARY KEY,
  text text COLLATE "C" NOT NULL
);
