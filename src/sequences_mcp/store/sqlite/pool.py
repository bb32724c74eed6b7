"""The connections of this process to one file, which the threads that opened its database take turns with.

A connection keeps the schema, its statements and pages in memory, near half a megabyte: a pair for each thread
would be most of what an idle data folder weighs on a server of many.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from sequences_mcp.errors import StoreBusyError, StoreError, StoreUnwritableError
from sequences_mcp.store.sqlite.connection import ChosenJournal, connect, is_busy, share_fairly, translated

SPARE = 10.0  # seconds after which one that nobody needed is closed, while there is another of its kind


class ConnectionPool:
    """What is open of one file: connections that write, and others that can only read, each for one at a time.

    At least one stays open while anybody has the database open: without one, the file's number could be given to
    another file, and nobody would notice that it took its place. ``is_sound`` says whether it is for those who
    open the database from now on: after an error of the file they get connections of their own.
    """

    def __init__(
        self, path: Path, journal: ChosenJournal, writer: sqlite3.Connection, *, spare_for: float = SPARE
    ) -> None:
        self.path = path
        self.journal = journal
        with vanished(path):
            self._identity = identity(path)
        self.users = 0
        self.is_sound = True
        self._spare_for = spare_for
        self._lock = threading.Lock()
        # By whether they only read: who was given back last is taken first, so that the others can be closed.
        self._idle: dict[bool, list[tuple[sqlite3.Connection, float]]] = {
            False: [(writer, time.monotonic())],
            True: [],
        }

    def take(self, *, read_only: bool, busy_seconds: float) -> sqlite3.Connection:
        """Return a connection that nobody else has until it is given back; StoreError and its kind."""
        with self._lock:
            if idle := self._idle[read_only]:
                return idle.pop()[0]
        connection = connect(
            self.path, journal=self.journal, read_only=read_only, busy_seconds=busy_seconds, make=False
        )
        try:
            self.require_in_place()
            share_fairly(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def give_back(self, connection: sqlite3.Connection, *, read_only: bool) -> None:
        """Let others have a connection. StoreError where a transaction on it cannot be undone."""
        if connection.in_transaction:
            with translated(self.path):
                connection.rollback()
        now, spare = time.monotonic(), None
        with self._lock:
            idle = self._idle[read_only]
            idle.append((connection, now))
            if not self.users:
                spare = idle.pop()
            elif len(idle) > 1 and now - idle[0][1] >= self._spare_for:
                spare = idle.pop(0)
        if spare:
            spare[0].close()

    @property
    def key(self) -> Hashable:
        """What two openings of one file have in common."""
        return str(self.path), self.journal.mode, self._identity

    def require_in_place(self) -> None:
        """Raise StoreUnwritableError unless the file that is open is still the one at its path.

        A folder that was moved away, or a backup put in its place, leaves an open connection at the old file.
        """
        with vanished(self.path):
            if identity(self.path) != self._identity:
                raise StoreUnwritableError(
                    f"Another file has taken the place of {self.path}.",
                    next_step="The program opens it anew by itself; nothing was sent meanwhile.",
                )

    def close(self) -> None:
        """Close all that nobody has; what somebody still has is closed when it is given back."""
        with self._lock:
            idle = [connection for kind in self._idle.values() for connection, _ in kind]
            for kind in self._idle.values():
                kind.clear()
        for connection in idle:
            connection.close()


class Turn:
    """One thread's turn with a connection, for a ``with`` statement; nested ones have the same connection."""

    __slots__ = ("_busy_seconds", "_depth", "_held", "_pool", "_read_only", "_thread", "is_over")

    def __init__(self, pool: ConnectionPool, *, read_only: bool, busy_seconds: float) -> None:
        self._pool = pool
        self._read_only = read_only
        self._busy_seconds = busy_seconds
        self._thread = threading.get_ident()
        self._depth = 0
        self._held: sqlite3.Connection | None = None
        self.is_over = False

    def __enter__(self) -> sqlite3.Connection:
        # While it is held too: another thread would write into a transaction that it does not know of.
        if threading.get_ident() != self._thread or (self.is_over and self._held is None):
            raise StoreError(
                "The database is closed, or another thread has opened it.",
                next_step="Nothing was changed. This is a fault of the program: report it.",
            )
        if self._held is None:
            self._held = self._pool.take(read_only=self._read_only, busy_seconds=self._busy_seconds)
        self._depth += 1
        return self._held

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        if not self._depth and (held := self._held) is not None:
            self._held = None
            if error is not None and _is_of_file(error):
                self._pool.is_sound = False
            self._pool.give_back(held, read_only=self._read_only)


def _is_of_file(error: BaseException) -> bool:
    """Say whether an error may be of a file that was changed beside SQLite, so that what is cached is wrong."""
    if isinstance(error, sqlite3.Error):
        return not isinstance(error, sqlite3.IntegrityError) and not is_busy(error)
    return isinstance(error, StoreError) and not isinstance(error, StoreBusyError)


_POOLS: dict[Hashable, ConnectionPool] = {}
_LOCK = threading.Lock()


def join(path: Path, *, journal: ChosenJournal, busy_seconds: float) -> ConnectionPool:
    """Return the connections to a file, which is made where there is none; StoreError. ``leave`` ends it."""
    with _LOCK, suppress(FileNotFoundError):
        pool = _POOLS.get((str(path), journal.mode, identity(path)))
        if pool is not None and pool.is_sound:
            pool.users += 1
            return pool
    # Not under the lock: it may wait for another process.
    made = ConnectionPool(
        path, journal, connect(path, journal=journal, read_only=False, busy_seconds=busy_seconds)
    )
    with _LOCK:
        known = _POOLS.get(made.key)
        pool = known if known is not None and known.is_sound else made
        _POOLS[made.key] = pool
        pool.users += 1
    if pool is not made:  # another thread was faster
        made.close()
    return pool


def leave(pool: ConnectionPool) -> None:
    """Close the connections to a file unless somebody else in this process has its database open."""
    with _LOCK:
        pool.users -= 1
        if pool.users:
            return
        if _POOLS.get(pool.key) is pool:
            del _POOLS[pool.key]
    pool.close()


def identity(path: Path) -> tuple[int, int]:
    """Return what tells a file from another that takes its place."""
    # Looked at, never opened: closing any other handle of the file would drop this process's locks on it.
    result = path.stat()
    return result.st_dev, result.st_ino


@contextmanager
def vanished(path: Path) -> Iterator[None]:
    """Turn an error of the system inside the block into StoreUnwritableError: the data folder is not there."""
    try:
        yield
    except OSError as error:
        raise StoreUnwritableError(
            f"The data folder {path.parent} cannot be looked into: {error.strerror or error}.",
            next_step="Put it back, or check the disk it is on; the program goes on by itself once it is there.",
        ) from error
