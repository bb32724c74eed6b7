"""A database in a file as one thread has it, with named statements and transactions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from sequences_mcp.domain.workspace import DATABASE, Workspace
from sequences_mcp.errors import StoreBusyError, StoreDamagedError
from sequences_mcp.store.database import Database, Question
from sequences_mcp.store.filesystem import enforce_private, has_room, keep_private, make_folder, share_folder
from sequences_mcp.store.sqlite.connection import (
    MOST_CHANGED_KIB,
    JournalMode,
    begin_fairly,
    choose_journal,
    damaged,
    patiently,
    spilling,
    spilling_beside,
    translated,
    waiting,
)
from sequences_mcp.store.sqlite.pool import ConnectionPool, Turn, join, leave, vanished
from sequences_mcp.store.sqlite.schema import Migration, migrations, upgrade
from sequences_mcp.store.statements import statement, statement_by_place

T = TypeVar("T")
FILE_NAME = DATABASE
CHECKED_AT_START = 64 * 1024 * 1024  # a quick check reads every page: larger files are checked by `check`


class SqliteDatabase(Database):
    """An open database, for the thread that opened it.

    It has turns with two connections: one writes, the other can only read. Reads inside a transaction see its
    changes.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        connections: ConnectionPool,
        patience: float,
    ) -> None:
        super().__init__(workspace, patience=patience)
        self.path = workspace.database
        self.journal = connections.journal
        self.writer = Turn(connections, read_only=False, busy_seconds=patience)
        self.reader = Turn(connections, read_only=True, busy_seconds=patience)
        self._read_version: Hashable = None
        self._closing = ExitStack()
        self.connections = connections

    @classmethod
    def open(
        cls,
        workspace: Workspace,
        *,
        now: datetime,
        journal: JournalMode | None = None,
        busy_seconds: float = 10.0,
        steps: tuple[Migration, ...] | None = None,
        examined: bool = True,
    ) -> SqliteDatabase:
        """Open, or create, the database of a data folder and bring its schema up to date.

        ``journal`` overrides the version gate; ``busy_seconds`` is how long to wait for other processes;
        without ``examined`` a small file is not checked, because this process just has. Raises
        StoreUnwritableError, StoreBusyError, StoreTooNewError, StoreDamagedError.
        """
        make_folder(workspace.folder)
        path = workspace.database
        choice = choose_journal(sqlite3.sqlite_version_info[:3], journal)
        with ExitStack() as opening:
            present = share_folder(workspace.folder)
            if present is not None:
                opening.callback(os.close, present)
            connections = join(path, journal=choice, busy_seconds=busy_seconds)
            opening.callback(leave, connections)
            database = cls(workspace, connections=connections, patience=busy_seconds)
            with translated(path), database.writer as writer, waiting(writer, seconds=busy_seconds):
                keep_private(path)
                upgrade(writer, path, now=now, steps=migrations() if steps is None else steps)
                if examined:
                    _refuse_damage(writer, path, limit=CHECKED_AT_START)
                    # What was read for that fills a cache that is not needed again soon, in each of many files.
                    writer.execute("PRAGMA shrink_memory")
            database._closing = opening.pop_all()
        return database

    def keep_private(self) -> None:
        """Take other users' rights to the files of the folder away."""
        enforce_private(self.workspace.folder)

    def close(self) -> None:
        """Close what nobody else of this process has open, and let a restore have the folder."""
        self.writer.is_over = self.reader.is_over = True
        self._closing.close()

    @property
    def title(self) -> str:
        """The database, for people to read: its file."""
        return str(self.path)

    @contextmanager
    def _outermost(self, *, beside: bool, alone_for: str | None, run: str | None) -> Iterator[None]:
        """Take the write lock at once: an upgrade from reading to writing cannot wait.

        A file has one writer at a time, also ``beside`` others.
        """
        with self.writer as writer:
            with translated(self.path):
                begin_fairly(writer, self.journal.mode, seconds=self._patience)
            self._depth = 1
            try:
                yield
                self._command("COMMIT")
            except BaseException:
                self._afterwards.clear()
                if self._is_begun():
                    writer.execute("ROLLBACK")
                raise
            finally:
                self._depth = 0

    def _is_begun(self) -> bool:
        with self.writer as writer:
            return writer.in_transaction  # a full disk makes SQLite roll back by itself

    @contextmanager
    def of_any_size(self, *, kept_kib: int = MOST_CHANGED_KIB) -> Iterator[None]:
        """Inside the block, let a transaction change any number of rows, of which so much is kept in memory."""
        if self._depth:
            raise RuntimeError("SQLite changes this only outside of a transaction")
        with self.writer as writer, spilling(writer, beyond_kib=kept_kib):
            yield

    def write_last(self, items: Sequence[T], write: Callable[[Sequence[T]], None]) -> None:
        """Store these now: nobody else can begin before the transaction has ended."""
        write(items)

    def foresee(self, questions: Sequence[Question]) -> None:
        """Do nothing: each is answered at once."""

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self.reader as reader:
            with translated(self.path):
                reader.execute("BEGIN")
            self._read_version = None
            try:
                yield
            finally:
                if reader.in_transaction:
                    reader.execute("COMMIT")

    def _snapshot_version(self) -> Hashable:
        """Return a connection that only reads with SQLite's data_version for it (https://sqlite.org/pragma.html).

        It is read once a snapshot, in which it cannot change. Those of two connections cannot be compared.
        """
        if self._read_version is None:
            with translated(self.path), self.reader as reader:
                row = self._patiently(reader, "PRAGMA data_version").fetchone()
                self._read_version = reader, int(row[0])
        return self._read_version

    def write(self, name: str, /, **values: Any) -> int:
        """Execute the named statement; return how many rows it changed."""
        with self.joined(), translated(self.path), self.writer as writer:
            return self._patiently(writer, statement(name), values).rowcount

    def write_many(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute the named statement once for each set of values."""
        sql, names = statement_by_place(name)
        with self.joined(), translated(self.path), self.writer as writer:
            writer.executemany(sql, map(_values_of(names), rows))

    def write_listed(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Execute the named statement once for each row of values, which stand in the order of ``columns``."""
        sql, names = statement_by_place(name)
        with self.joined(), translated(self.path), self.writer as writer:
            writer.executemany(sql, map(_values_of(tuple(map(columns.index, names))), rows))

    @contextmanager
    def staged(self, table: str, fill: Callable[[], None]) -> Iterator[None]:
        """Fill a temporary table, which SQLite keeps in a file of its own that nobody else can open."""
        if self._depth:
            raise RuntimeError("a transaction that is open would have its lock while the table is filled")
        with self.writer as writer:
            try:
                with translated(self.path), spilling_beside(writer):
                    writer.execute("BEGIN")  # takes a lock of the database only where that is read or written
                    writer.execute(f"CREATE TEMP TABLE {table}")
                    fill()
                    writer.execute("COMMIT")
                yield
            finally:
                if writer.in_transaction:
                    writer.execute("ROLLBACK")
                writer.execute(f"DROP TABLE IF EXISTS temp.{table.split()[0]}")

    def stage(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Put rows into the temporary table that is being filled."""
        places = ", ".join("?" * len(columns))
        with self.writer as writer:
            writer.executemany(
                f"INSERT INTO temp.{table} ({', '.join(columns)}) VALUES ({places})",  # noqa: S608 - our own names
                rows,
            )

    def _statement(self, name: str) -> str:
        return statement(name)

    def _query(self, sql: str, values: Mapping[str, Any]) -> list[sqlite3.Row]:
        with translated(self.path), self.writer if self._depth else self.reader as source:
            # Always read to the end: an open cursor keeps its lock and would block the next commit.
            return self._patiently(source, sql, values).fetchall()

    def _command(self, sql: str) -> None:
        with translated(self.path), self.writer as writer:
            self._patiently(writer, sql)

    def _patiently(
        self, connection: sqlite3.Connection, sql: str, values: Mapping[str, Any] | None = None
    ) -> sqlite3.Cursor:
        return patiently(connection, sql, values, seconds=self._patience)

    def _damaged(self, why: str) -> StoreDamagedError:
        return damaged(self.path, why)

    def has_room(self) -> bool:
        """Say whether the disk has room for the commits that must follow a send; StoreUnwritableError."""
        with vanished(self.path):
            return has_room(self.workspace.folder)

    def require_in_place(self) -> None:
        """Raise StoreUnwritableError unless the file that is open is still the one at its path."""
        self.connections.require_in_place()

    def check(self) -> None:
        """Examine the whole file, slowly; StoreDamagedError says what is wrong."""
        with translated(self.path), self.reader as reader:
            (verdict,) = reader.execute("PRAGMA integrity_check(1)").fetchone()
            strangers = reader.execute("PRAGMA foreign_key_check").fetchall()
        if verdict != "ok" or strangers:
            raise damaged(self.path, verdict if verdict != "ok" else f"{len(strangers)} rows point at nothing")

    def sweep(self) -> bool:
        """Write the file anew without what deleted and changed rows left in it, and empty the write-ahead log.

        False where another program reads or writes for longer than this waits; what was done so far stays.
        """
        try:
            with translated(self.path), self.writer as writer:
                self._patiently(writer, "VACUUM")
                if self.journal.mode == "wal":
                    busy, _, _ = self._patiently(writer, "PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                    return not busy
        except StoreBusyError:
            return False
        return True

    def described(self) -> tuple[str, str]:
        """Return which journal is used and why, for people to read."""
        return self.journal.mode, self.journal.why


def _values_of(keys: tuple[Any, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Return what takes the values of these keys, or places, out of a row."""
    return itemgetter(*keys) if len(keys) > 1 else lambda row: tuple(row[key] for key in keys)


def _refuse_damage(connection: sqlite3.Connection, path: Path, *, limit: int) -> None:
    (size,) = connection.execute(
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    ).fetchone()
    if size > limit:
        return
    verdicts: list[str] = []
    # As a script, which ends its statement: one that is executed stays in the connection's cache, with 150 KB.
    connection.create_function("noted", 1, verdicts.append)
    connection.executescript("SELECT noted(quick_check) FROM pragma_quick_check(1)")
    connection.create_function("noted", 1, None)
    if verdicts != ["ok"]:
        raise damaged(path, "".join(verdicts))
