"""One thread's pair of SQLite connections, with named statements and transactions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from sequences_mcp.domain.workspace import DATABASE
from sequences_mcp.errors import StoreBusyError, StoreUnwritableError
from sequences_mcp.store.filesystem import enforce_private, has_room, keep_private, make_folder, share_folder
from sequences_mcp.store.sqlite.connection import (
    ChosenJournal,
    JournalMode,
    begin_fairly,
    choose_journal,
    connect,
    damaged,
    patiently,
    share_fairly,
    translated,
)
from sequences_mcp.store.sqlite.schema import Migration, migrations, upgrade
from sequences_mcp.store.statements import statement

T = TypeVar("T")
FILE_NAME = DATABASE
REMEMBERED = 64
CHECKED_AT_START = 64 * 1024 * 1024  # a quick check reads every page: larger files are checked by `check`


class SqliteDatabase:
    """An open database, for the thread that opened it.

    Two connections: one writes, the other can only read. Reads inside a transaction see its changes.
    """

    def __init__(
        self,
        path: Path,
        *,
        writer: sqlite3.Connection,
        reader: sqlite3.Connection,
        journal: ChosenJournal,
        patience: float,
    ) -> None:
        self.path = path
        self.journal = journal
        self._writer = writer
        self._reader = reader
        self._patience = patience
        self._depth = 0
        self._snapshots = 0
        self._known: dict[Hashable, Any] = {}
        self._known_at = -1
        self._snapshot_version: int | None = None
        self._closing = ExitStack()
        self._afterwards: list[Callable[[], None]] = []
        self._identity = _identity(path)

    @classmethod
    def open(
        cls,
        folder: Path,
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
        make_folder(folder)
        path = folder / FILE_NAME
        choice = choose_journal(sqlite3.sqlite_version_info[:3], journal)
        with ExitStack() as opening:
            present = share_folder(folder)
            if present is not None:
                opening.callback(os.close, present)
            writer = connect(path, journal=choice, read_only=False, busy_seconds=busy_seconds)
            opening.callback(writer.close)
            with translated(path):
                keep_private(path)
                upgrade(writer, path, now=now, steps=migrations() if steps is None else steps)
                if examined:
                    _refuse_damage(writer, path, limit=CHECKED_AT_START)
            reader = connect(path, journal=choice, read_only=True, busy_seconds=busy_seconds)
            opening.callback(reader.close)
            for connection in (writer, reader):
                share_fairly(connection)
            database = cls(path, writer=writer, reader=reader, journal=choice, patience=busy_seconds)
            database._closing = opening.pop_all()
        return database

    def keep_private(self) -> None:
        """Take other users' rights to the files of the folder away."""
        enforce_private(self.path.parent)

    def close(self) -> None:
        """Close both connections, and let a restore have the folder."""
        self._closing.close()

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._depth > 0

    @property
    def title(self) -> str:
        """The database, for people to read: its file."""
        return str(self.path)

    @contextmanager
    def transaction(self, *, beside: bool = False) -> Iterator[None]:
        """Run the block in one transaction: commit at its end, roll back on an error. Nested blocks join it.

        Takes the write lock at once (an upgrade from reading to writing cannot wait) and must not span any
        other I/O. An error that leaves an inner block undoes that block alone. A file has one writer at a time,
        also ``beside`` others.
        """
        if self._snapshots:
            raise RuntimeError("a transaction inside a snapshot would wait for itself")
        begin, commit, undo = _savepoint(self._depth) if self._depth else _OUTERMOST
        with translated(self.path):
            if self._depth:
                self._writer.execute(begin)
            else:
                begin_fairly(self._writer, self.journal.mode, seconds=self._patience)
        self._depth += 1
        noted = len(self._afterwards)
        try:
            yield
            with translated(self.path):
                self._patiently(self._writer, commit)
        except BaseException:
            del self._afterwards[noted:]
            if self._writer.in_transaction:  # a full disk makes SQLite roll back by itself
                for step in undo:
                    self._writer.execute(step)
            raise
        finally:
            self._depth -= 1
        if not self._depth:
            afterwards, self._afterwards = self._afterwards, []
            for act in afterwards:
                act()

    @contextmanager
    def hasty(self, seconds: float) -> Iterator[None]:
        """Inside the block, wait at most ``seconds`` for locks of other processes; for a caller that retries."""
        before, self._patience = self._patience, min(seconds, self._patience)
        try:
            yield
        finally:
            self._patience = before

    def after_commit(self, act: Callable[[], None]) -> None:
        """Call a function after the open transaction commits, never when it rolls back; at once outside of one."""
        if self._depth:
            self._afterwards.append(act)
        else:
            act()

    def alone_for(self, name: str) -> None:
        """Do nothing: a transaction has the whole file."""

    def write_last(self, items: Sequence[T], write: Callable[[Sequence[T]], None]) -> None:
        """Store these now: nobody else can begin before the transaction has ended."""
        write(items)

    def joined(self) -> AbstractContextManager[None]:
        """Join the open transaction, or begin one. An error that leaves the block rolls the whole of it back."""
        return nullcontext() if self._depth else self.transaction()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Give every read of the block the same snapshot of the database; free inside a transaction."""
        if self._depth or self._snapshots:
            yield
            return
        with translated(self.path):
            self._reader.execute("BEGIN")
        self._snapshots += 1
        self._snapshot_version = None
        try:
            yield
        finally:
            self._snapshots -= 1
            if self._reader.in_transaction:
                self._reader.execute("COMMIT")

    def remembered(self, key: Hashable, read: Callable[[], T]) -> T:
        """Return what ``read`` finds under a key, read again only when anything was committed since, by anybody.

        What it finds must be a value, come from this database alone, and be small: the last 64 are kept. SQLite's
        data_version, of a connection that only reads, is what tells: https://sqlite.org/pragma.html
        """
        if self._depth:
            return read()
        if not self._snapshots:
            with self.snapshot():
                return self.remembered(key, read)
        if self._known_at != (version := self._version()):
            self._known.clear()
            self._known_at = version
        if key not in self._known:
            if len(self._known) == REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[key] = read()
        return cast("T", self._known[key])

    def _version(self) -> int:
        """Return the version of the database that the open snapshot reads: asked for once, as it cannot change."""
        if self._snapshot_version is None:
            with translated(self.path):
                row = self._patiently(self._reader, "PRAGMA data_version").fetchone()
            self._snapshot_version = int(row[0])
        return self._snapshot_version

    def rows(self, name: str, /, **values: Any) -> list[sqlite3.Row]:
        """Return all rows of the named statement."""
        return self._query(statement(name), values)

    def row(self, name: str, /, **values: Any) -> sqlite3.Row | None:
        """Return the first row of the named statement, or None."""
        rows = self._query(statement(name), values)
        return rows[0] if rows else None

    def pieced(self, name: str, pieces: Mapping[str, str], values: Mapping[str, Any]) -> list[sqlite3.Row]:
        """Return all rows of the named statement with SQL put in for its ``/* piece */`` marks.

        Pieces are constants of the code, never a user's words.
        """
        sql = statement(name)
        for mark, piece in pieces.items():
            sql = sql.replace(f"/* {mark} */", piece)
        return self._query(sql, values)

    def write(self, name: str, /, **values: Any) -> int:
        """Execute the named statement; return how many rows it changed."""
        with self.joined(), translated(self.path):
            return self._patiently(self._writer, statement(name), values).rowcount

    def write_many(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute the named statement once for each set of values."""
        with self.joined(), translated(self.path):
            self._writer.executemany(statement(name), rows)

    def _query(self, sql: str, values: Mapping[str, Any]) -> list[sqlite3.Row]:
        source = self._writer if self._depth else self._reader
        with translated(self.path):
            # Always read to the end: an open cursor would keep its lock and block our own next commit.
            return self._patiently(source, sql, values).fetchall()

    def _patiently(
        self, connection: sqlite3.Connection, sql: str, values: Mapping[str, Any] | None = None
    ) -> sqlite3.Cursor:
        return patiently(connection, sql, values, seconds=self._patience)

    def secret(self, name: str) -> bytes:
        """Return a random key that was made with the database."""
        row = self.row("schema.secret", name=name)
        if row is None:
            raise damaged(self.path, f"its key {name!r} is missing")
        return bytes(row["value"])

    def has_room(self) -> bool:
        """Say whether the disk has room for the commits that must follow a send; StoreUnwritableError."""
        with _vanished(self.path):
            return has_room(self.path.parent)

    def require_in_place(self) -> None:
        """Raise StoreUnwritableError unless the file that is open is still the one at its path.

        A folder that was moved away, or a backup put in its place, leaves an open connection at the old file.
        """
        with _vanished(self.path):
            if _identity(self.path) != self._identity:
                raise StoreUnwritableError(
                    f"Another file has taken the place of {self.path}.",
                    next_step="The program opens it anew by itself; nothing was sent meanwhile.",
                )

    def check(self) -> None:
        """Examine the whole file, slowly; StoreDamagedError says what is wrong."""
        with translated(self.path):
            (verdict,) = self._reader.execute("PRAGMA integrity_check(1)").fetchone()
            strangers = self._reader.execute("PRAGMA foreign_key_check").fetchall()
        if verdict != "ok" or strangers:
            raise damaged(self.path, verdict if verdict != "ok" else f"{len(strangers)} rows point at nothing")

    def sweep(self) -> bool:
        """Write the file anew without what deleted and changed rows left in it, and empty the write-ahead log.

        False where another program reads or writes for longer than this waits; what was done so far stays.
        """
        try:
            with translated(self.path):
                self._patiently(self._writer, "VACUUM")
                if self.journal.mode == "wal":
                    busy, _, _ = self._patiently(self._writer, "PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                    return not busy
        except StoreBusyError:
            return False
        return True

    def described(self) -> tuple[str, str]:
        """Return which journal is used and why, for people to read."""
        return self.journal.mode, self.journal.why


def _identity(path: Path) -> tuple[int, int]:
    # Looked at, never opened: closing any other handle of the file would drop this process's locks on it.
    result = path.stat()
    return result.st_dev, result.st_ino


@contextmanager
def _vanished(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnwritableError(
            f"The data folder {path.parent} cannot be looked into: {error.strerror or error}.",
            next_step="Put it back, or check the disk it is on; the program goes on by itself once it is there.",
        ) from error


_OUTERMOST = ("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))


def _savepoint(depth: int) -> tuple[str, str, tuple[str, ...]]:
    name = f"inner_{depth}"
    return f"SAVEPOINT {name}", f"RELEASE {name}", (f"ROLLBACK TO {name}", f"RELEASE {name}")


def _refuse_damage(connection: sqlite3.Connection, path: Path, *, limit: int) -> None:
    (size,) = connection.execute(
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    ).fetchone()
    if size > limit:
        return
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise damaged(path, verdict)
