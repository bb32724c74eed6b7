"""Opening SQLite so that a committed row survives a crash and processes share the file; its errors."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

from sequences_mcp.errors import (
    SequencesError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreUnwritableError,
)
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.store.database import Translating, taken

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNWRITABLE = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
}


def translated(path: Path) -> Translating:
    """Turn every error of the driver inside the block into one of the StoreError family, or a ConflictError."""
    return Translating(sqlite3.Error, store_error, path)


def is_busy(error: sqlite3.Error) -> bool:
    """Say whether an error of the driver means that another connection holds the lock."""
    return _code(error) in _BUSY


def store_error(error: sqlite3.Error, path: Path) -> SequencesError:
    """Return the product's error for one of the driver's."""
    code = _code(error)
    if conflict := taken(str(error).removeprefix("UNIQUE constraint failed: ")):
        return conflict
    if code in _BUSY:
        who = holder(path)
        other = "A database browser or backup tool has to close its query. Then try again."
        return StoreBusyError(
            f"{who or 'Another process'} has been holding the database {path.name} for too long.",
            next_step=f"Nothing was changed. {other if who else 'Try again in a few seconds.'}",
        )
    if code in _DAMAGED:
        return damaged(path, str(error))
    if code in _UNWRITABLE:
        return StoreUnwritableError(
            f"The database {path} cannot be written: {error}.",
            next_step="Check the folder's permissions and the free space on its disk.",
        )
    return StoreError(
        f"The database refused the change: {error}.",
        next_step="Nothing was changed. Run `sequences-mcp doctor` and report what it prints.",
    )


def holder(path: Path) -> str | None:
    """Return which other program has a lock on the database, where the system tells: its name and process."""
    try:
        number = f":{path.stat().st_ino} "
        lines = Path("/proc/locks").read_text("ascii").splitlines()
        pids = {int(line.split()[4]) for line in lines if number in line and "->" not in line} - {os.getpid()}
        for pid in sorted(pids):
            name = Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip()
            return f"The program {name!r} (process {pid})"
    except (OSError, ValueError, IndexError):
        return None
    return None


def damaged(path: Path, why: str) -> StoreDamagedError:
    """Return the error for a damaged file, or for one that is no database."""
    return StoreDamagedError(
        f"{path} is not a sound database: {why}.",
        next_step="Nothing will be sent. `sequences-mcp restore FILE` puts a backup in its place; do not copy one "
        "over it by hand.",
    )


def _code(error: sqlite3.Error) -> int:
    # The low byte is the primary code: https://www.sqlite.org/rescode.html
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


JournalMode: TypeAlias = Literal["wal", "delete"]

OLDEST = (3, 38, 0)  # STRICT tables, RETURNING and json_each
# Of each connection that writes, and of each that only reads; a page that is read again later is in the system's
# cache. With the smaller one for both, taking in 12,000 people takes 5 % longer.
PAGE_CACHE_KIB, READING_CACHE_KIB = 512, 256
MOST_CHANGED_KIB = 144 * 1024  # that a transaction of any size keeps in memory until its commit
IMPATIENT_MS = 20
SOON = 0.1  # seconds in which this product's own transactions end
LONGEST_TRANSACTION = 0.03
PAUSE_BETWEEN_TRANSACTIONS = 0.001  # seconds, for a statement that SQLite gives up at once


@dataclass(frozen=True, slots=True)
class ChosenJournal:
    """Which journal this process uses and why, for people to read."""

    mode: JournalMode
    why: str

    @property
    def synchronous(self) -> str:
        """The durability that goes with the mode: a commit that has returned is on the disk."""
        return "FULL" if self.mode == "wal" else "EXTRA"


def choose_journal(version: tuple[int, int, int], forced: JournalMode | None = None) -> ChosenJournal:
    """Return the journal for a version of SQLite.

    A write-ahead log can be corrupted by two connections that reset it at one instant, from 3.7.0 until the
    repair in 3.51.3, 3.50.7 and 3.44.6 (https://www.sqlite.org/wal.html, "The WAL-Reset Bug").
    """
    words = ".".join(map(str, version))
    if forced is not None:
        return ChosenJournal(forced, f"{forced} was asked for; SQLite is {words}")
    mended = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51, 0) or (3, 44, 6) <= version < (3, 45, 0)
    if mended:
        return ChosenJournal("wal", f"SQLite {words} has the repaired write-ahead log")
    return ChosenJournal("delete", f"SQLite {words} has the write-ahead log's reset bug, so the rollback journal")


def connect(
    path: Path, *, journal: ChosenJournal, read_only: bool, busy_seconds: float, make: bool = True
) -> sqlite3.Connection:
    """Open one connection for one thread at a time, every setting checked.

    ``read_only`` is a second line of defence: SQLite then refuses any write. Unless told to ``make`` it, the file
    has to be there. Raises StoreError and its kind.
    """
    if sqlite3.sqlite_version_info < OLDEST:
        raise StoreError(
            f"This Python carries SQLite {sqlite3.sqlite_version}, which is too old.",
            next_step="Use a Python whose SQLite is 3.38 or newer.",
        )
    with translated(path):
        # isolation_level=None: the driver begins no transaction by itself. Threads take turns with it.
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={'rwc' if make else 'rw'}",
            uri=True,
            timeout=busy_seconds,
            isolation_level=None,
            cached_statements=256,
            check_same_thread=False,
        )
    try:
        with translated(path):
            _configure(connection, path, journal=journal, busy_seconds=busy_seconds)
            _require(connection, "cache_size", -(READING_CACHE_KIB if read_only else PAGE_CACHE_KIB))
            if read_only:
                _require(connection, "query_only", 1)
    except BaseException:  # a cancellation too: nobody else knows this connection yet, so nobody would close it
        connection.close()
        raise
    connection.row_factory = sqlite3.Row
    return connection


def share_fairly(connection: sqlite3.Connection) -> None:
    """Set a busy timeout of milliseconds, for a caller that retries by itself.

    SQLite waits longer after each try, up to a tenth of a second, so among several busy processes one may never
    get the lock; short waits, repeated, are fair.
    """
    _require(connection, "busy_timeout", IMPATIENT_MS)


@contextmanager
def waiting(connection: sqlite3.Connection, *, seconds: float) -> Iterator[None]:
    """Inside the block, have SQLite itself wait so long for the locks of others."""
    connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
    try:
        yield
    finally:
        share_fairly(connection)


@contextmanager
def spilling(connection: sqlite3.Connection, *, beyond_kib: int) -> Iterator[None]:
    """Let the transactions of a block write pages into the file before their commit, beyond so many in memory.

    While somebody reads, SQLite cannot, and the pages stay in memory: it tries again at each further page, which
    must not wait, so the busy timeout is none here and the callers' own retries are what waits.
    """
    connection.execute(f"PRAGMA cache_spill = -{beyond_kib}")
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        yield
    finally:
        connection.execute("PRAGMA cache_spill = OFF")
        connection.execute(f"PRAGMA busy_timeout = {IMPATIENT_MS}")


@contextmanager
def spilling_beside(connection: sqlite3.Connection) -> Iterator[None]:
    """Let what a block writes into temporary tables go to their file, beyond the few pages of their own cache."""
    connection.execute("PRAGMA cache_spill = ON")
    try:
        yield
    finally:
        connection.execute("PRAGMA cache_spill = OFF")


def patiently(
    connection: sqlite3.Connection, sql: str, values: Mapping[str, Any] | None = None, *, seconds: float
) -> sqlite3.Cursor:
    """Execute one statement, retrying while another process holds the lock, for at most ``seconds``."""
    give_up = time.monotonic() + seconds
    while True:
        try:
            return connection.execute(sql, values or {})
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > give_up:
                raise
            time.sleep(PAUSE_BETWEEN_TRANSACTIONS)


def begin_fairly(connection: sqlite3.Connection, mode: JournalMode, *, seconds: float) -> None:
    """Begin a write transaction, retrying for at most ``seconds``; readers go on while it waits.

    With a rollback journal a commit waits for every reader and keeps new ones out meanwhile: a program that reads
    for a minute would stop all reads for as long. Whether anybody reads is therefore asked first.
    """
    begun = time.monotonic()
    while True:
        try:
            if mode == "delete":
                # Asks whether anybody reads: an empty exclusive transaction fails while there is a reader.
                connection.execute("BEGIN EXCLUSIVE")
                connection.execute("COMMIT")
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            waited = time.monotonic() - begun
            if not is_busy(error) or waited > seconds:
                raise
            time.sleep(PAUSE_BETWEEN_TRANSACTIONS if waited < SOON else LONGEST_TRANSACTION)


def _configure(connection: sqlite3.Connection, path: Path, *, journal: ChosenJournal, busy_seconds: float) -> None:
    _require(connection, "busy_timeout", round(busy_seconds * 1000))
    # Several processes may make the file at once, and SQLite itself does not wait for this statement.
    switch = patiently(connection, f"PRAGMA journal_mode = {journal.mode}", seconds=busy_seconds)
    (mode,) = switch.fetchone()
    if mode != journal.mode:
        raise StoreBusyError(
            f"{path.name} is open elsewhere in journal mode {mode} and cannot change to {journal.mode}.",
            next_step="Close every other program that uses it, then start again.",
        )
    _require(connection, "synchronous", {"FULL": 2, "EXTRA": 3}[journal.synchronous])
    _require(connection, "foreign_keys", 1)
    _require(connection, "trusted_schema", 0)
    _require(connection, "cell_size_check", 1)
    connection.execute("PRAGMA mmap_size = 0")  # answers nothing where the build has no memory mapping
    # With a rollback journal nobody can read from when a transaction spills into the file until its commit.
    connection.execute("PRAGMA cache_spill = OFF")
    if sys.platform == "darwin":
        _require(connection, "fullfsync", 1)  # fsync alone leaves the data in the drive's cache there


def _require(connection: sqlite3.Connection, pragma: str, value: int) -> None:
    connection.execute(f"PRAGMA {pragma} = {value}").fetchall()
    results: tuple[Any, ...] = tuple(connection.execute(f"PRAGMA {pragma}").fetchone())
    if results[0] != value:
        raise StoreError(
            f"SQLite did not accept {pragma} = {value}; it is {results[0]}.",
            next_step="Use another build of SQLite; `sequences-mcp doctor` shows which one is in use.",
        )
