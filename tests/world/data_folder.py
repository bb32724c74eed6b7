"""A data folder of a test and the one clock of the tests: all that the engine alone needs, and light to import."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.private_files import write_private
from sequences_mcp.store.sqlite.database import FILE_NAME, SqliteDatabase
from sequences_mcp.store.sqlite.schema import migrations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sequences_mcp.review.lock.passphrase import Derivation
    from sequences_mcp.store.unit_of_work import Store

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday


@dataclass
class Clock:
    """What every part that is told the time is given."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def forward(self, **span: float) -> None:
        """Move on by a span of time."""
        self.now += timedelta(**span)


def sqlite_of(store: Store) -> SqliteDatabase:
    """Return the SQLite database behind a store, for tests of what the store does not tell; else skip them."""
    if os.environ.get("TEST_STORE") == "postgres":
        import pytest

        pytest.skip("it is about the file of a database")
    assert isinstance(store.database, SqliteDatabase)
    return store.database


def executed(store: Store, sql: str, values: Sequence[Any] = ()) -> list[Any]:
    """Execute a statement of a test's own in the file of a database, and return its rows."""
    with sqlite_of(store).writer as connection:
        return connection.execute(sql, values).fetchall()


def with_schema(folder: Path) -> Path:
    """Return a data folder that has a database: where there is none, one of the newest schema, as yet unopened.

    Making it from nothing takes longer than most tests, so that it is made once a process and copied. The tests of
    the store make theirs from nothing.

    The copy is written beside its place and appears there whole: a thread that has opened the database meanwhile
    would have its file emptied, and its locks dropped when the copy is closed
    (https://www.sqlite.org/howtocorrupt.html, 2.2).
    """
    file = folder / FILE_NAME
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.environ.get("TEST_STORE") != "postgres" and not file.exists():
        with TemporaryDirectory(dir=folder) as beside:
            whole = Path(beside) / FILE_NAME
            whole.touch(mode=0o600)
            whole.write_bytes(_empty_database())
            with suppress(FileExistsError):  # made by another thread meanwhile
                file.hardlink_to(whole)
    return folder


@cache
def _empty_database() -> bytes:
    with TemporaryDirectory() as made:
        # With no lineage: each copy begins its own.
        SqliteDatabase.open(Workspace(Path(made)), now=NOON, steps=migrations()).close()
        return (Path(made) / FILE_NAME).read_bytes()


QUICK, LEAST_IN_A_PANEL = 2**10, 2**15


def quick_derivation(n: int = QUICK) -> Derivation:
    """Return a derivation that takes a sixtieth of the usual time, which would be most of what a test takes.

    What is kept says how it is derived, so that the product checks it as any other.
    """
    from sequences_mcp.review.lock.passphrase import Derivation

    return Derivation(bytes(range(16)), n=n)


def choose_passphrase(workspace: Workspace, typed: str, *, n: int | None = QUICK) -> None:
    """Choose the passphrase of a data folder, as a person does in the terminal.

    ``n`` is the cost of deriving its key: a quick one, the least that the panel of a chat takes, or None for the
    product's own.
    """
    for name, text in _records_of(typed, n, workspace.database.exists()):
        write_private(workspace.folder / name, text)


@cache
def _records_of(typed: str, n: int | None, has_database: bool) -> tuple[tuple[str, str], ...]:
    """Return the files that choosing a passphrase writes, made once for all tests of a process."""
    from sequences_mcp.review.lock import passphrase
    from sequences_mcp.store.safekeeping import FolderRecords

    with TemporaryDirectory() as made:
        workspace = Workspace(Path(made))
        records = FolderRecords(workspace)
        if has_database:
            workspace.database.touch()
        if n is not None:
            derivation = quick_derivation(n)
            record = {**passphrase.hashed_passphrase(typed, derivation), "database": has_database}
            write_private(workspace.passphrase, json.dumps(record))
            key = derivation.key(typed)
            passphrase.keep_verifier(records, key, passphrase_id=passphrase.passphrase_id(records))
        else:
            passphrase.set_passphrase(records, typed)
        return tuple((file.name, file.read_text("utf-8")) for file in (workspace.passphrase, workspace.proof))
