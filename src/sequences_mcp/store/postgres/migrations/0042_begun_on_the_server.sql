-- What every transaction does at its beginning and at its end, in one round trip each, with plans that the server keeps.
-- A program finds these functions under the number of its own schema: what they take and answer never changes.

-- A server's line is asked for many times, and lasts as long as a connection to it: a replica that takes its place tells
-- none before that, and ends no recovery twice.

CREATE OR REPLACE FUNCTION server_line() RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  line text := current_setting('sequences_mcp.line', true);
BEGIN
  IF line <> '' THEN
    RETURN line;
  END IF;
  BEGIN
    line := (SELECT system_identifier FROM pg_control_system()) || '/'
      || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8);
  EXCEPTION WHEN OTHERS THEN
    RETURN '';
  END;
  PERFORM set_config('sequences_mcp.line', line, false);
  RETURN line;
END $$;

-- The locks and settings of a transaction, and its number in the row of its thread. 1397051725 is the class of this
-- product's locks; 2 orders those who change something, 3 those who add to the audit.
--
-- A worker's statements are the same few thousands of times, and read little: planning each of them anew, for its values,
-- took half of the server's time.

CREATE FUNCTION begin_work(thread text, count bigint, is_beside boolean, patience bigint,
                           OUT version bigint, OUT is_moved boolean, OUT line text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('lock_timeout', patience::text, true),
          set_config('idle_in_transaction_session_timeout', '60000', true);
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  IF is_beside THEN
    PERFORM set_config('plan_cache_mode', 'force_generic_plan', true);
    PERFORM pg_advisory_xact_lock_shared(1397051725, 2);
  ELSE
    PERFORM pg_advisory_xact_lock(1397051725, 2);
  END IF;
  UPDATE last_commit SET number = count, at = CAST(extract(epoch FROM now()) * 1000000 AS bigint) WHERE holder = thread;
  IF NOT FOUND THEN
    INSERT INTO last_commit (holder, number, at)
    VALUES (thread, count, CAST(extract(epoch FROM now()) * 1000000 AS bigint))
    ON CONFLICT (holder) DO UPDATE SET number = excluded.number, at = excluded.at;
  END IF;
  version := (SELECT max(migration.version) FROM migration);
  is_moved := EXISTS (SELECT 1 FROM moved_database);
  line := server_line();
END $$;

-- Rows behind the end of the audit, of a JSON list of [at, actor, action, subject, detail, what its hash covers behind its
-- number]. From the lock to the commit nobody else adds any, so that it is called at the end of a transaction.

CREATE FUNCTION append_audit(entries text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  listed jsonb := CAST(entries AS jsonb);
  entry jsonb;
  last bigint;
  before bytea;
  own bytea;
BEGIN
  PERFORM pg_advisory_xact_lock(1397051725, 3);
  SELECT audit.no, audit.hash INTO last, before FROM audit ORDER BY audit.no DESC LIMIT 1;
  IF last IS NULL THEN
    last := 0;
    before := decode(repeat('00', 32), 'hex');
  END IF;
  FOR place IN 0 .. jsonb_array_length(listed) - 1 LOOP
    entry := listed -> place;
    last := last + 1;
    own := sha256(before || convert_to('[' || last || (entry ->> 5), 'UTF8'));
    INSERT INTO audit (no, at, actor, action, subject, detail, previous, hash)
    VALUES (last, CAST(entry ->> 0 AS bigint), entry ->> 1, entry ->> 2, entry ->> 3, entry ->> 4, before, own);
    before := own;
  END LOOP;
END $$;

-- In the order in which what is due is taken, so that the first is found without sorting all that are due. A file's index
-- has the number of a row behind its columns by itself.

DROP INDEX sequence_due;
CREATE INDEX sequence_due ON sequence (lane, next_run_at, no) WHERE next_run_at IS NOT NULL;
