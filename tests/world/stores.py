"""Both kinds of store for tests: a file, or with ``TEST_STORE=postgres`` a database of a throw-away server.

``TEST_POSTGRES`` is the address of a PostgreSQL server on which the tests may make databases, as
``postgresql:///postgres?host=/run/pg&user=postgres``. Without it, what needs one is left out, in words.
"""

from __future__ import annotations

import atexit
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.store.postgres.database import PostgresDatabase
from sequences_mcp.store.postgres.schema import LOCK, WRITING
from sequences_mcp.store.sqlite.backup import back_up, opened, put_back
from sequences_mcp.store.sqlite.database import FILE_NAME
from sequences_mcp.store.unit_of_work import Store

SERVER = os.environ.get("TEST_POSTGRES", "")
ON_POSTGRES = os.environ.get("TEST_STORE") == "postgres"
needs_server = pytest.mark.skipif(not SERVER, reason="no PostgreSQL server here: TEST_POSTGRES names one")
of_a_file = pytest.mark.skipif(ON_POSTGRES, reason="it is about the file of a database")
_NOON = datetime.fromisoformat("2026-11-23T12:00:00+00:00")
REFUSED = (sqlite3.IntegrityError, psycopg.Error)
"""What a driver raises where a law of the schema forbids a change."""
_made: set[str] = set()
_spare: list[str] = []
_kept: list[str] = []
_KEPT = {"migration", "secret"}  # what is in them is the template's


def url_of(name: str) -> str:
    """Return the address of a database of the tests' server."""
    parts = urlsplit(SERVER)
    return f"postgresql://{parts.netloc}/{name}?{parts.query}"


def fresh_database(name: str) -> str:
    """Return the address of an empty database with the newest schema, made for whoever asks first."""
    if name not in _made:
        _made.add(name)
        with psycopg.connect(SERVER, autocommit=True) as server:
            if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                return url_of(name)  # of the process that started this one
            if _spare:
                server.execute(f"ALTER DATABASE {_spare.pop()} RENAME TO {name}".encode())
            else:
                server.execute(f"CREATE DATABASE {name} TEMPLATE {_template()}".encode())
    return url_of(name)


def address_of(folder: Path) -> str | None:
    """Return where the database of a data folder is; None for a file in it."""
    if not ON_POSTGRES:
        return None
    return fresh_database(f"t_{sha256(str(folder.resolve()).encode()).hexdigest()[:24]}")


def drop_databases() -> None:
    """Take away what the tests of this process have made so far.

    Making a database takes ten times as long as emptying one, so that those of data folders are emptied and used
    again, each under a new name, which nobody knows who was left over from a test.
    """
    while _made:
        name = _made.pop()
        spare = f"spare_{os.getpid()}_{len(_spare)}"
        if name.startswith("t_") and _emptied(name):
            _ask(f"ALTER DATABASE {name} RENAME TO {spare}")
            _spare.append(spare)
        else:
            _ask(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _emptied(name: str) -> bool:
    """Remove all rows and everybody who is connected; False where the schema is no longer the template's."""
    with psycopg.connect(url_of(name), autocommit=True) as database:
        database.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        if database.execute(_DESCRIBED).fetchone() != _emptying()[1]:
            return False
        database.execute(_emptying()[0].encode())
    return True


_DESCRIBED = """
SELECT (SELECT count(*) FROM pg_trigger WHERE tgenabled = 'O'), (SELECT count(*) FROM pg_class),
       (SELECT max(version) FROM migration), (SELECT sum(hashtext(name || encode(value, 'hex'))) FROM secret)
"""


@cache
def _emptying() -> tuple[str, Any]:
    """Return the statements that empty a database of the template, and what tells that it still is one."""
    with psycopg.connect(url_of(_template()), autocommit=True) as database:
        tables = database.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        numbers = database.execute("SELECT seqrelid::regclass::text, seqstart FROM pg_sequence")
        steps = [f'DELETE FROM "{table}"' for (table,) in tables if table not in _KEPT]
        steps += [f"SELECT setval('{sequence}', {start}, false)" for sequence, start in numbers]
        described = database.execute(_DESCRIBED).fetchone()
    return "; ".join(["BEGIN", "SET LOCAL session_replication_role = replica", *steps, "COMMIT"]), described


@cache
def _template() -> str:
    """Make an empty database of the newest schema, which copying is quicker than making one."""
    name = f"template_{os.getpid()}"
    atexit.register(_clear, name)
    _ask(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    _ask(f"CREATE DATABASE {name}")
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        PostgresDatabase.open(Workspace(Path(folder)), url_of(name), now=_NOON).close()
    with psycopg.connect(url_of(name), autocommit=True) as database:
        database.execute(_JSON_SET)
    return name


def _clear(template: str) -> None:
    for name in (*_spare, template):
        _ask(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _ask(sql: str) -> None:
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(sql.encode())


def open_store(folder: Path, *, now: datetime, **options: Any) -> Store:
    """Open the store of a data folder, of whichever kind the tests run on."""
    if ON_POSTGRES:
        options = {name: value for name, value in options.items() if name == "busy_seconds"}
    return Store.open(Workspace(folder), now=now, url=address_of(folder), **options)


def kept_state(folder: Path, scratch: Path, *, now: datetime) -> Callable[[], None]:
    """Keep the database of a data folder, which nobody has open, as it is; what is returned puts that state back.

    A file by the product's backup and restore, a database on a server as its operator does it there.
    """
    if (url := address_of(folder)) is None:
        backup = scratch / f"{len(list(scratch.glob('kept-*')))}.zip"
        backup = backup.with_name(f"kept-{backup.name}")
        back_up(folder, backup, now=now, settings={})

        def put_file_back() -> None:
            with opened(backup) as inside:
                put_back(folder, inside, now=now)
            for path in folder.glob("*.replaced-*"):
                path.unlink()

        return put_file_back
    name = urlsplit(url).path.removeprefix("/")
    kept = f"kept_{len(_kept)}_{name}"
    _kept.append(kept)
    _ask(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'")
    _ask(f"CREATE DATABASE {kept} TEMPLATE {name}")
    _made.add(kept)

    def put_database_back() -> None:
        _ask(f"DROP DATABASE {name} WITH (FORCE)")
        _ask(f"ALTER DATABASE {kept} RENAME TO {name}")

    return put_database_back


# What the tests say to SQLite, for PostgreSQL.
_JSON_SET = b"""
CREATE FUNCTION json_set(document text, path text, value text) RETURNS text LANGUAGE sql AS $$
  SELECT CAST(jsonb_set(
    document::jsonb, string_to_array(translate(substr(path, 3), '"', ''), '.'), to_jsonb(value)) AS text)
$$
"""
_WORDS = {
    "name FROM sqlite_schema WHERE type = 'trigger'": "tgname FROM pg_trigger WHERE NOT tgisinternal",
    "hex(zeroblob(32))": "repeat('0', 64)",
    "instr(": "strpos(",
    "zeroblob(32)": "decode(repeat('0', 64), 'hex')",
}
_HOLD = f"SELECT pg_advisory_lock({LOCK}, {WRITING})".encode()


class Shell:
    """A database as somebody with a shell sees it: SQLite's words, each statement by itself."""

    def __init__(self, connection: sqlite3.Connection | psycopg.Connection[Any]) -> None:
        self._connection = connection

    def execute(self, sql: str, values: tuple[Any, ...] = ()) -> Any:
        """Execute one statement; its parameters are question marks."""
        if isinstance(self._connection, sqlite3.Connection):
            return self._connection.execute(sql, values)
        for words, ours in _WORDS.items():
            sql = sql.replace(words, ours)
        if dropped := re.fullmatch(r"DROP TRIGGER (\w+)", sql):
            [table] = self._connection.execute(
                "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = %s", (dropped[1],)
            ).fetchone() or ("",)
            sql = f"{sql} ON {table}"
        return self._connection.execute(sql.replace("%", "%%").replace("?", "%s").encode(), values)

    @contextmanager
    def without(self, table: str, trigger: str) -> Iterator[None]:
        """Let a law of the schema not hold inside the block."""
        if isinstance(self._connection, sqlite3.Connection):
            [law] = self._connection.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (trigger,)).fetchone()
            self._connection.execute(f"DROP TRIGGER {trigger}")
            yield
            self._connection.execute(law)
            return
        self._connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}".encode())
        yield
        self._connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}".encode())

    def hold(self) -> None:
        """Keep everybody else from writing, until ``release``."""
        if isinstance(self._connection, sqlite3.Connection):
            self._connection.execute("BEGIN EXCLUSIVE")
        else:
            self._connection.execute(_HOLD)

    def release(self) -> None:
        """Let the others write again."""
        file = isinstance(self._connection, sqlite3.Connection)
        self._connection.execute("ROLLBACK" if file else "SELECT pg_advisory_unlock_all()")


def served_rows(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield every row of a data folder's database as text, with its table; nothing of one in a file."""
    if (url := address_of(folder)) is None:
        return
    with psycopg.connect(url, autocommit=True) as database:
        tables = database.execute(
            "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        for (table,) in tables:
            for (row,) in database.execute(f'SELECT t::text FROM "{table}" AS t'.encode()):
                yield table, row


@contextmanager
def shell(folder: Path) -> Iterator[Shell]:
    """Open the database of a data folder beside the product."""
    if (url := address_of(folder)) is not None:
        with psycopg.connect(url, autocommit=True) as served:
            yield Shell(served)
        return
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as file:
        yield Shell(file)
