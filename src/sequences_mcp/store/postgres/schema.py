"""The schema's versions on PostgreSQL: the numbers of SQLite's, each whole or not at all, one process at a time.

A new database begins with the first file of ``migrations/`` here, which is what SQLite's schema had become by its
number. From there on every number stands in both folders, and means the same in both.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from functools import cache
from pathlib import Path

from sequences_mcp.errors import StoreTooNewError
from sequences_mcp.store.postgres.connection import Connection, damaged_server
from sequences_mcp.store.sqlite.schema import Migration
from sequences_mcp.store.statements import to_micros

FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x5345514D  # "SEQM": advisory locks of this product, by what they keep apart
SCHEMA, WRITING, AUDIT, TURN = 1, 2, 3, 4
# Each statement sees what others have committed before it, whatever the database's or the user's default is.
BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"


def postgres_migrations(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """Return every migration in order; ValueError when the numbers have a hole."""
    results = tuple(
        Migration(int(file.stem[:4]), file.stem[5:], file.read_text("utf-8"))
        for file in sorted(folder.glob("*.sql"))
    )
    first = results[0].version
    if [result.version for result in results] != list(range(first, first + len(results))):
        raise ValueError(f"the migrations in {folder} have a hole in their numbers")
    return results


def upgrade_postgres(connection: Connection, name: str, *, now: datetime) -> None:
    """Bring the database to the newest schema.

    Raises StoreTooNewError for one that a newer program has made, StoreDamagedError for another program's, and
    psycopg's errors.
    """
    steps = postgres_migrations()
    if _version(connection, name) == steps[-1].version:
        return
    with connection.transaction():
        connection.execute(f"SELECT pg_advisory_xact_lock({LOCK}, {SCHEMA})")
        # Asked again: another process may have done it while this one waited for the lock.
        present = _version(connection, name)
        for step in steps:
            if step.version > present:
                _apply_step(connection, step, now=now)
        if not present:
            connection.execute(
                "INSERT INTO secret (name, value) VALUES ('message_id', %s)", (secrets.token_bytes(32),)
            )


def _version(connection: Connection, name: str) -> int:
    """Return the number of the schema, 0 for an empty database."""
    [tables] = connection.execute(
        "SELECT array_agg(relname::text) FROM pg_class WHERE relkind = 'r' AND"
        " relnamespace = current_schema()::regnamespace"
    ).fetchone() or (None,)
    if not tables:
        return 0
    if not {"migration", "blueprint_version", "audit"} <= set(tables):
        raise damaged_server(name, "its schema belongs to another program")
    [version] = connection.execute("SELECT max(version) FROM migration").fetchone() or (0,)
    require_known(int(version), name)
    return int(version)


@cache
def newest_known() -> int:
    """Return the number of the newest schema that this program knows."""
    return postgres_migrations()[-1].version


def require_known(version: int, name: str) -> None:
    """Raise StoreTooNewError for a schema that a newer program has made, perhaps while this one runs."""
    if version > newest_known():
        raise StoreTooNewError(
            f"The database {name} has schema {version}; this program knows schemas up to {newest_known()}.",
            next_step="Update sequences-mcp (`pip install -U sequences-mcp`) and start it again, or name another "
            "database. Nothing was changed.",
            data={"found": version, "known": newest_known()},
        )


def _apply_step(connection: Connection, step: Migration, *, now: datetime) -> None:
    connection.execute(step.sql.encode())  # without parameters, so that a script may hold several statements
    connection.execute(
        "INSERT INTO migration (version, name, digest, applied_at) VALUES (%s, %s, %s, %s)",
        (step.version, step.name, step.digest, to_micros(now)),
    )
