"""The schema's versions: ``migrations/<number>_<name>.sql``, applied in order, each whole or not at all."""

from __future__ import annotations

import json
import secrets
import sqlite3
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

from sequences_mcp.domain.addresses import address_key, domain_of, host_key
from sequences_mcp.domain.companies import company_key, company_root
from sequences_mcp.errors import StoreTooNewError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.store.sqlite.connection import damaged
from sequences_mcp.store.statements import to_micros

APPLICATION_ID = 0x5345514D  # "SEQM"
FOLDER = Path(__file__).parents[1] / "migrations"


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    version: int
    name: str
    sql: str

    @property
    def digest(self) -> bytes:
        """The SHA-256 of its text, kept beside its number."""
        return sha256(self.sql.encode()).digest()


@cache
def migrations(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """Return every migration in order; ValueError when the numbers have a hole."""
    results = tuple(
        Migration(int(file.stem[:4]), file.stem[5:], file.read_text("utf-8"))
        for file in sorted(folder.glob("*.sql"))
    )
    if [result.version for result in results] != list(range(1, len(results) + 1)):
        raise ValueError(f"the migrations in {folder.name} are not numbered from 1 without a hole")
    return results


def upgrade(connection: sqlite3.Connection, path: Path, *, now: datetime, steps: tuple[Migration, ...]) -> None:
    """Bring the database to the newest schema.

    Raises StoreTooNewError for one that is newer than ``steps`` and StoreDamagedError for another program's.
    """
    # One look at one state: between two, another process may have made the whole schema.
    connection.execute("BEGIN")
    try:
        if _version(connection, path, newest=len(steps)) == len(steps):
            return
    finally:
        connection.execute("COMMIT")
    _teach(connection)
    # A table that others refer to can only be made anew while nobody looks after the references.
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again: another process may have done it while this one waited for the lock.
        for step in steps[_version(connection, path, newest=len(steps)) :]:
            _apply(connection, step, now=now)
        if connection.execute("PRAGMA foreign_key_check").fetchone():
            raise damaged(path, "rows refer to rows that are not there")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    finally:
        connection.execute("PRAGMA foreign_keys = ON")


def statements_of(sql: str) -> Iterator[str]:
    """Yield the statements of a script one by one (``executescript`` would commit on its own)."""
    pending = ""
    for line in sql.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        yield pending


def _version(connection: sqlite3.Connection, path: Path, *, newest: int) -> int:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if (application or tables) and application != APPLICATION_ID:
        raise damaged(path, "it belongs to another program")
    if version > newest:
        raise StoreTooNewError(
            f"{path.name} has schema {version}; this program knows schemas up to {newest}.",
            next_step="Update sequences-mcp (`pip install -U sequences-mcp`), or point it at another data folder.",
            data={"found": version, "known": newest},
        )
    return int(version)


def _teach(connection: sqlite3.Connection) -> None:
    """Give migrations the functions that they read values with."""
    for function in (address_key, host_key, domain_of, company_key, company_root, signed_at):
        connection.create_function(function.__name__, 1, function, deterministic=True)


def signed_at(assertion: str) -> str | None:
    """Return where a browser says that it signed, from its bare answer (WebAuthn, 5.8.1), or None."""
    try:
        encoded = json.loads(assertion)["response"]["clientDataJSON"]
        origin = json.loads(b64decode(encoded + "==", altchars=b"-_"))["origin"]
    except (ValueError, KeyError, TypeError):
        return None
    return origin if isinstance(origin, str) else None


def _apply(connection: sqlite3.Connection, step: Migration, *, now: datetime) -> None:
    for sql in statements_of(step.sql):
        connection.execute(sql)
    connection.execute(
        "INSERT INTO migration (version, name, digest, applied_at) VALUES (?, ?, ?, ?)",
        (step.version, step.name, step.digest, to_micros(now)),
    )
    if step.version == 1:
        connection.execute("INSERT INTO secret (name, value) VALUES ('message_id', ?)", (secrets.token_bytes(32),))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {step.version}")
