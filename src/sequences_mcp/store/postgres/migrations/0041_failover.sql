-- A replica takes the place of the server, or a backup is put back, and the last commits are not in it.

-- How often each thread of each process has committed: by this a commit is found again whose answer was lost. The number
-- of a transaction does not do: after a failover, and after a crash too, it is given to another one.

CREATE TABLE last_commit (
  holder text COLLATE "C" PRIMARY KEY,
  number bigint NOT NULL,
  at     bigint NOT NULL
) WITH (fillfactor = 50);

-- Which server this is and how often a replica took its place or a backup was put back: another value means that what was committed
-- before may be missing. Empty where a server does not tell.

CREATE FUNCTION server_line() RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT system_identifier FROM pg_control_system()) || '/'
    || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8);
EXCEPTION WHEN OTHERS THEN
  RETURN '';
END $$;

-- On which line each host compared its journals last, and since when.

ALTER TABLE lineage ADD COLUMN line text COLLATE "C";
ALTER TABLE lineage ADD COLUMN line_at bigint;

-- What each host hands over: the e-mails of a mailbox, the people of a vendor. After a change of the line the others who do
-- the same wait until it has compared its journal.

CREATE TABLE handing_over (
  folder text COLLATE "C" NOT NULL,
  what   text COLLATE "C" NOT NULL,
  line   text COLLATE "C" NOT NULL,
  PRIMARY KEY (folder, what)
);
