"""What one claim costs on PostgreSQL among many sleeping sequences, against one among few, in the same run.

Two databases of a server of our own, one with 1,000 sequences asleep and one with ``--many`` (1,000,000, or
10,000,000 where the disk has 25 GB and there is an hour): made with ``generate_series``, without triggers, then
analysed. Claims alternate between the two, so that another load on the machine weighs on both. What is printed of
the disk is the whole database, its indexes too.

    python -m benchmarks.due_postgres --many 10000000

Exit status 1 when a claim among many takes more than 1.2 times as long as one among few. Needs PostgreSQL's
programs.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import psycopg
from benchmarks.due import STEP, TERMS, now, provider, start, worker_on
from tests.world.database_server import own_server

from sequences_mcp.domain.blueprint import Sourcing
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.store.unit_of_work import Store

FEW, MOST = 1_000, 1.2
CLAIMS, ROUNDS = 30, 4
# Runs as the engine stores them, asleep for a month, with their contacts and steps. Instants are microseconds.
SLEEPERS = (
    """
    INSERT INTO contact (no, id, email, email_key, email_host, first_name, company, company_host, notes, search,
                         created_at, updated_at)
    SELECT n, 'local:ct_S' || n, 's' || n || '@sleep.example', 's' || n || '@sleep.example', 'sleep.example',
           'Sleeper', 'Sleep ' || mod(n, 1000), 'sleep' || mod(n, 1000) || '.example', '', 'sleeper' || n,
           %(now)s, %(now)s
    FROM generate_series(1, %(count)s::bigint) AS n
    """,
    """
    INSERT INTO plan (id, version_no, status, terms, expires_at, covered, digest, people, missing_texts, to_read,
                      warnings, created_at)
    SELECT 'local:plan_SLEEP', max(no), 'approved', %(terms)s, %(now)s, '[]', repeat('0', 64), %(count)s, 0, 0, 0,
           %(now)s
    FROM blueprint_version
    """,
    """
    INSERT INTO sequence (no, id, plan_no, version_no, contact_no, ordinal, status, anchor, variables, time_zone,
                          warnings, created_at, updated_at, next_run_at, lane)
    SELECT n, 'local:seq_S' || n, plan.no, version_no, n, n, 'ACTIVE', %(now)s, '{}', 'UTC', 0,
           %(now)s + n, %(now)s + n, %(now)s + 2592000000000 + n, 'mailbox'
    FROM generate_series(1, %(count)s::bigint) AS n JOIN plan ON plan.id = 'local:plan_SLEEP'
    """,
    """
    INSERT INTO step_run (sequence_no, step, generation, key, recipient, subject, content, state, changed_at)
    SELECT n, 0, 0, 'S' || n, 's' || n || '@sleep.example', 'Hi', %(content)s, 'planned', %(now)s
    FROM generate_series(1, %(count)s::bigint) AS n
    """,
    "SELECT setval(pg_get_serial_sequence('contact', 'no'), %(count)s::bigint)",
)
# Those that no constraint needs, of the tables that are filled.
INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE tablename IN ('contact', 'sequence', 'step_run') AND schemaname = current_schema()
        AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexname::regclass)
    """


def main() -> int:
    """Run and print the figures."""
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--many", type=int, default=1_000_000)
    many = wanted.parse_args().many
    with own_server() as served, tempfile.TemporaryDirectory() as folder, ExitStack() as closing:
        stores: dict[str, Store] = {}
        for name, count in (("few", FEW), ("many", many)):
            with psycopg.connect(served.url, autocommit=True) as server:
                server.execute(f"CREATE DATABASE {name}".encode())
            url = served.url.replace("/postgres?", f"/{name}?")
            stores[name] = closing.enter_context(Store.open(Workspace(Path(folder) / name), now=now(), url=url))
            begun = time.monotonic()
            size = fill(stores[name], url, count)
            print(
                f"  {count:>10,} asleep: made in {time.monotonic() - begun:,.0f} s, {size / 1e6:,.0f} MB",
                flush=True,
            )
        times: dict[str, list[float]] = {name: [] for name in stores}
        for _ in range(ROUNDS):
            for name, store in stores.items():
                times[name].append(claim_time(store))
    few, large = (min(times[name]) * 1e3 for name in stores)
    print(f"  one claim, {FEW:,} asleep:     {few:8.2f} ms")
    print(f"  one claim, {many:,} asleep: {large:8.2f} ms, {large / few:.2f} x (at most {MOST})")
    return 0 if large <= MOST * few else 1


def fill(store: Store, url: str, count: int) -> int:
    """Put so many sequences to sleep; return how large the database is then."""
    asyncio.run(provider(store).create_blueprint(name="Due", steps=[STEP], sourcing=Sourcing()))
    at = int(now().timestamp() * 1e6)
    values = {"count": count, "now": at, "content": STEP.content, "terms": TERMS.text}
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("SET session_replication_role = replica")  # the triggers look at one row at a time
        database.execute("SET synchronous_commit = off")
        database.execute("SET maintenance_work_mem = '512MB'")
        indexes = database.execute(INDEXES).fetchall()
        for (
            name,
            _,
        ) in indexes:  # made at the end, which takes a part of the time that keeping them up to date takes
            database.execute(f"DROP INDEX {name}".encode())
        for sql in SLEEPERS:
            database.execute(sql, values)
        for _, made in indexes:
            database.execute(str(made).encode())
        database.execute("VACUUM ANALYZE")
        [size] = database.execute("SELECT pg_database_size(current_database())").fetchone() or (0,)
    return int(size)


def claim_time(store: Store) -> float:
    """Return the median of claims in seconds, from due to claimed and committed."""
    asyncio.run(start(provider(store), CLAIMS))
    marks: list[float] = []
    worker = worker_on(store, at=lambda point: marks.append(time.perf_counter()) if "claim" in point else None)
    worker.run_due(limit=CLAIMS)
    return median(end - begin for begin, end in zip(marks[::2], marks[1::2], strict=True))


if __name__ == "__main__":
    sys.exit(main())
