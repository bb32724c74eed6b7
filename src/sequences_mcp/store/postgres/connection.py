"""Connections to a PostgreSQL server: a pool for each address in a process, values as SQLite gives them."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, ClassVar, TypeAlias, cast
from weakref import WeakSet, WeakValueDictionary

import psycopg
import psycopg_pool
from psycopg import adapt, conninfo, errors
from psycopg.types import numeric, string

from sequences_mcp.errors import (
    InvalidArgumentsError,
    SequencesError,
    SettingsError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreInterruptedError,
    StoreTooNewError,
    StoreUnwritableError,
)
from sequences_mcp.store.database import Translating, taken
from sequences_mcp.store.postgres.news import ServerNews

Connection: TypeAlias = psycopg.Connection[Any]

OLDEST = 150_000  # the version of PostgreSQL, as the server tells it
MOST_CONNECTIONS = 8
FOR_RECORDS = 2  # further ones, for what approvals are checked with
PREPARED = 500  # statements that a connection keeps parsed and planned
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5
ONE_TRY = 0.5  # seconds
A_MOMENT = 0.1  # seconds for a connection that only asks others to make haste
ENCODING = "UTF8"  # also where the address, the user or the environment says another
log = logging.getLogger(__name__)
# What keeps a worker that is frozen, or a cut cable, from holding what all others wait for.
_WATCHED = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
    "application_name": "sequences-mcp",
}
# https://www.postgresql.org/docs/15/errcodes-appendix.html, by class
_BUSY = ("53", "55", "57")
_UNWRITABLE = ("25006", "42501", "53100")
# The transaction is undone and can be done anew: a deadlock, a serialisation failure, a connection that the server
# has ended, also because the transaction stood still for too long.
_INTERRUPTED = ("40", "08", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04")
_COLUMNS = re.compile(r"Key \(([^)]*)\)=")


class PostgresRow(tuple[Any, ...]):
    """One row, its values by place and by name, as ``sqlite3.PostgresRow`` has them."""

    names: dict[str, int]

    def __getitem__(self, key: Any) -> Any:
        """Return the value of a column."""
        return super().__getitem__(self.names[key] if isinstance(key, str) else key)

    def keys(self) -> list[str]:
        """Return the names of the columns, in order."""
        return list(self.names)


def _named(cursor: psycopg.Cursor[Any]) -> Callable[[Sequence[Any]], PostgresRow]:
    """Make the rows of an answer; its columns are read without their types, which nobody asks for."""
    result = cursor.pgresult
    names = [result.fname(number) or b"" for number in range(result.nfields)] if result is not None else []
    return _kind_of(tuple(names))


@lru_cache(maxsize=1024)
def _kind_of(columns: tuple[str | bytes, ...]) -> type[PostgresRow]:
    names: dict[str, int] = {}
    for place, column in enumerate(columns):
        names.setdefault(column if isinstance(column, str) else column.decode(), place)
    return cast("type[PostgresRow]", type("PostgresRow", (PostgresRow,), {"names": names}))


def rows_from_json(text: str | None) -> list[PostgresRow]:
    """Return the rows of a JSON text of them; columns of one name stand in it one after the other."""
    return [] if text is None else cast("list[PostgresRow]", _ROWS.decode(text))


def _row_of_pairs(pairs: list[tuple[str, Any]]) -> PostgresRow:
    return _kind_of(tuple([name for name, _ in pairs]))([value for _, value in pairs])


_ROWS = json.JSONDecoder(object_pairs_hook=_row_of_pairs)


class _Whole(adapt.Loader):
    """Sums of whole numbers, which the server gives as numerics."""

    def load(self, data: Any) -> int | Decimal:
        """Return a whole number where it is one."""
        number = Decimal(bytes(data).decode())
        return int(number) if number == number.to_integral_value() else number


class _Flag(numeric.Int8Dumper):
    """Flags are 0 and 1 in every column."""

    def dump(self, obj: Any) -> bytes:
        """Return 0 or 1."""
        return b"1" if obj else b"0"


def _configure(connection: Connection, *, prepares: bool) -> None:
    connection.row_factory = _named
    # Where the database or the user has another default, what was read before a lock came would still be seen.
    connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
    if connection.info.parameter_status("standard_conforming_strings") == "off":
        connection.execute(b"SET standard_conforming_strings = on")
    connection.prepare_threshold, connection.prepared_max = 2 if prepares else None, PREPARED
    # One type for every number and text, so that a statement is prepared once.
    connection.adapters.register_dumper(int, numeric.Int8Dumper)
    connection.adapters.register_dumper(bool, _Flag)
    connection.adapters.register_dumper(str, string.StrDumper)
    connection.adapters.register_loader("numeric", _Whole)


class Pool:
    """The connections of this process to one database, shared by its threads and closed with the last user.

    ``url`` may hold a password; it is in no error, and ``name`` is how people read it.
    """

    _open: dict[tuple[str, int], Pool] = {}  # noqa: RUF012 - by address and size, guarded by the lock
    _lock = threading.Lock()  # never held while a server is waited for: each commit takes it
    # By address, each as long as somebody connects to it or waits for that.
    _connecting: ClassVar[WeakValueDictionary[str, threading.Lock]] = WeakValueDictionary()

    def __init__(self, url: str, *, most: int = MOST_CONNECTIONS) -> None:
        self.url = url
        self._most = most
        self.name = shown(url)
        self.version, self.is_pooled = require_server(url)
        self.news = ServerNews(
            lambda: psycopg.connect(_watched(url), autocommit=True), can_listen=not self.is_pooled
        )
        self._users = 0
        self._turn_lock = threading.Lock()
        self._turn: Connection | None = None
        self._turns = 0
        self._known_here: WeakSet[Connection] = WeakSet()
        self._pool: psycopg_pool.ConnectionPool[Connection] = psycopg_pool.ConnectionPool(
            _watched(url),
            kwargs={"autocommit": True},
            min_size=0,
            max_size=most,
            max_idle=60.0,
            reconnect_timeout=0.0,  # no pauses that grow with a server's absence: whoever asks tries again
            configure=partial(_configure, prepares=not self.is_pooled),
            num_workers=1,
            open=False,
        )

    @classmethod
    def of(cls, url: str, *, most: int = MOST_CONNECTIONS) -> Pool:
        """Return the pool of an address, opened; the caller gives it back with ``release``.

        Each number of connections at ``most`` has a pool of its own.

        Raises what ``require_server`` raises.
        """
        if (pool := cls._taken(url, most)) is not None:
            return pool
        with cls._lock:
            connecting = cls._connecting.setdefault(url, threading.Lock())
        with connecting:
            if (pool := cls._taken(url, most)) is not None:  # another thread was first
                return pool
            pool = cls(url, most=most)
            pool._pool.open()
            with cls._lock:
                cls._open[url, most] = pool
                pool._users += 1
        return pool

    @classmethod
    @contextmanager
    def for_records(cls, url: str) -> Iterator[Pool]:
        """Yield the further connections of an address for what approvals are checked with.

        They stay open until the last pool of the address is given back; where there is none, as in a command,
        they are for this block alone.

        Raises what ``require_server`` raises.
        """
        pool = cls.of(url, most=FOR_RECORDS)
        try:
            yield pool
        finally:
            pool.release()

    @classmethod
    def _taken(cls, url: str, most: int) -> Pool | None:
        """Return a pool that is open, with one user more."""
        with cls._lock:
            pool = cls._open.get((url, most))
            if pool is not None:
                pool._users += 1
        return pool

    def release(self) -> None:
        """Give the pool back; what nobody needs any longer is closed."""
        with self._lock:
            self._users -= 1
            unused = self._unused()
            for pool in unused:
                del self._open[pool.url, pool._most]
        for pool in unused:
            pool.news.close()
            pool._pool.close()

    def _unused(self) -> list[Pool]:
        """Return the pools of this address without users; that for records has none between two questions."""
        of_address = [pool for pool in self._open.values() if pool.url == self.url]
        has_store = any(pool._users for pool in of_address if pool._most != FOR_RECORDS)
        return [pool for pool in of_address if not pool._users and not (pool._most == FOR_RECORDS and has_store)]

    def changed(self) -> None:
        """Announce a commit to this process at once, before its notification comes back."""
        with self._lock:
            pools = [pool for pool in self._open.values() if pool.url == self.url]
        for pool in pools:
            pool.news.changed()

    def want_turn(self, shown_by: bytes) -> Callable[[], None] | None:
        """Show all hosts that a change waits, by a transaction that these statements begin.

        All threads of this process show it together, with one connection. Returns what ends it for the caller;
        None where there is no connection for it now.
        """
        with self._turn_lock:
            if not self._is_shown():
                self._drop_turn()
                try:
                    self._turn = self.take(A_MOMENT)
                    self._turn.execute(shown_by)
                except (psycopg.Error, StoreError):
                    self._drop_turn()
                    return None
            self._turns += 1
        return self._end_turn

    def _is_shown(self) -> bool:
        """Say whether the connection that shows it is still there: the server may have ended it."""
        try:
            return self._turn is not None and self._turn.execute(b"SELECT 1").rowcount == 1
        except psycopg.Error:
            return False

    def _end_turn(self) -> None:
        with self._turn_lock:
            self._turns -= 1
            if not self._turns:
                self._drop_turn()

    def _drop_turn(self) -> None:
        turn, self._turn = self._turn, None
        if turn is None:
            return
        try:
            if not turn.closed:
                turn.execute(b"ROLLBACK")
        except psycopg.Error:
            turn.close()
        self.give_back(turn)

    def take(self, seconds: float) -> Connection:
        """Return a connection for this thread alone; StoreBusyError when none is to be had for so long."""
        give_up = time.monotonic() + max(seconds, 0.1)
        while (left := give_up - time.monotonic()) > ONE_TRY:  # each begins to connect anew, where that failed
            with suppress(psycopg_pool.PoolTimeout):
                return self._pool.getconn(timeout=ONE_TRY)
        try:
            return self._pool.getconn(timeout=max(left, 0.05))
        except psycopg_pool.PoolTimeout as error:
            stats = self._pool.get_stats()
            if stats.get("pool_size", 0) - stats.get("pool_available", 0) >= self._most:
                raise StoreBusyError(
                    f"All {self._most} connections of this program to {self.name} are in use.",
                    next_step="Nothing was changed. Try again in a few seconds.",
                ) from error
            raise unreachable(self.name) from error

    def require_here(self, connection: Connection) -> None:
        """Raise StoreUnwritableError where the database was moved away, so that nobody reads what was left behind.

        A move ends all connections, so that each is asked once; what a pooler gives is asked each time.
        """
        if connection in self._known_here and not self.is_pooled:
            return
        row = connection.execute(b"SELECT place, at FROM moved_database").fetchone()
        if row is not None:
            from sequences_mcp.store.lineage import was_moved

            raise was_moved(row, title=self.name)
        self._known_here.add(connection)

    def give_back(self, connection: Connection) -> None:
        """Return a connection to the pool; a broken one is closed."""
        self._pool.putconn(connection)


def _watched(url: str) -> str:
    try:
        given = conninfo.conninfo_to_dict(url)
    except psycopg.Error:  # its words may quote the address, with the password
        raise SettingsError(
            "The address of the database is not one: it should read postgresql://user@host:5432/database.",
            next_step="Correct `database` in settings.toml, or SEQUENCES_DATABASE_URL.",
        ) from None
    return conninfo.make_conninfo("", **{**_WATCHED, **given, "client_encoding": ENCODING})


def shown(url: str) -> str:
    """Return an address of a database for people to read: without its password."""
    given = conninfo.conninfo_to_dict(_watched(url))
    user, host, port = given.get("user", ""), given.get("host", "localhost"), given.get("port", "5432")
    return f"postgresql://{user and f'{user}@'}{host}:{port}/{given.get('dbname') or user}"


def require_server(url: str) -> tuple[str, bool]:
    """Return the server's version in words, and whether a pooler such as pgbouncer stands before it.

    StoreError and its kinds say why it cannot be used. A pooler gives a client a process number of its own.
    """
    name = shown(url)
    try:
        with psycopg.connect(_watched(url), autocommit=True) as connection:
            version = connection.info.server_version
            words = str(connection.info.parameter_status("server_version") or version)
            standby, process = connection.execute(
                "SELECT pg_is_in_recovery(), pg_backend_pid()", prepare=False
            ).fetchone() or (False, 0)
            is_pooled = process != connection.info.backend_pid
            encoding = connection.info.parameter_status("server_encoding") or ENCODING
    except psycopg.Error as error:
        raise _refused(error, name) from None
    if version < OLDEST:
        raise StoreTooNewError(
            f"The server at {name} is PostgreSQL {words}; version 15 or later is needed.",
            next_step="Update the server, or name another one in `database`.",
        )
    if encoding != ENCODING:
        raise StoreUnwritableError(
            f"The database at {name} stores texts in {encoding}, which cannot hold all of them.",
            next_step="Name a database that was made with ENCODING 'UTF8'; nothing was changed.",
        )
    if standby:
        raise StoreUnwritableError(
            f"The server at {name} is a replica, which can only be read.",
            next_step="Name the primary server in `database`; `target_session_attrs=read-write` finds it.",
        )
    return words, is_pooled


def _refused(error: psycopg.Error, name: str) -> StoreError:
    words = " ".join(str(error).split()) or type(error).__name__
    words = words.rpartition("FATAL: ")[2].strip()
    if "password" in words or "no pg_hba.conf" in words or "does not exist" in words:
        return StoreUnwritableError(
            f"The database server at {name} does not let this program in: {words}.",
            next_step="Correct the user, the password or the name of the database; nothing was changed.",
        )
    if "too many" in words or "connection slots" in words:
        return StoreBusyError(
            f"The database server at {name} has no connection left: {words}.",
            next_step="Nothing was changed. Try again later; `sequences-mcp doctor` shows its limits.",
        )
    return unreachable(name)


def unreachable(name: str) -> StoreBusyError:
    """Return the error for a server that does not answer."""
    return StoreBusyError(
        f"The database server at {name} cannot be reached, or all its connections are in use.",
        next_step="Nothing was changed. Try again in a few seconds; `sequences-mcp doctor` says more.",
    )


def server_error(error: psycopg.Error, name: str) -> SequencesError:
    """Return the product's error for one of the driver's."""
    state, words = error.sqlstate or "", str(error).partition("\n")[0]
    if isinstance(error, errors.UniqueViolation) and (conflict := taken(_unique_columns(error))):
        return conflict
    if state == "22P05" or (not state and isinstance(error, psycopg.DataError)):
        return InvalidArgumentsError(
            "A text has a NUL character in it, which the database cannot hold.",
            next_step="Nothing was changed. Leave that character out.",
        )
    if isinstance(error, errors.LockNotAvailable):
        return StoreBusyError(
            f"Another process has been holding the database {name} for too long.",
            next_step="Nothing was changed. Try again in a few seconds.",
        )
    if state in _UNWRITABLE:
        return StoreUnwritableError(
            f"The database {name} cannot be written: {words}.",
            next_step="It needs a primary server with room on its disk, and a user who may write there.",
        )
    if state.startswith(_INTERRUPTED) or (not state and isinstance(error, psycopg.OperationalError)):
        return StoreInterruptedError(
            f"The database {name} gave this up: {words or 'the connection was lost'}.",
            next_step="Nothing was changed. Try again in a few seconds.",
        )
    if state.startswith("XX"):
        return damaged_server(name, words)
    if state.startswith(_BUSY):
        return StoreBusyError(
            f"The database {name} gave this up: {words}.",
            next_step="Nothing was changed. Try again in a few seconds.",
        )
    return StoreError(
        f"The database refused the change: {words}.",
        next_step="Nothing was changed. Run `sequences-mcp doctor` and report what it prints.",
    )


def _unique_columns(error: psycopg.Error) -> str:
    """Return the columns that two rows would share, as SQLite names them, without their values."""
    columns = _COLUMNS.match(error.diag.message_detail or "")
    named = columns[1].split(", ") if columns else []
    return ", ".join(f"{error.diag.table_name}.{column}" for column in named)


def damaged_server(name: str, why: str) -> StoreDamagedError:
    """Return the error for a database that is not sound."""
    return StoreDamagedError(
        f"The database {name} is not sound: {why}.",
        next_step="Nothing will be sent. Have whoever runs the server restore it from its backup.",
    )


def driver_errors(name: str) -> Translating:
    """Turn every error of the driver inside the block into one of the StoreError family, or a ConflictError."""
    return Translating(psycopg.Error, server_error, name)


def is_lost(error: psycopg.Error, connection: Connection) -> bool:
    """Say whether an error means that the connection is gone, so that another may do better."""
    ended = isinstance(error, errors.AdminShutdown | errors.CrashShutdown | errors.CannotConnectNow)
    return ended or connection.broken or connection.closed


def pauses(seconds: float) -> Iterator[float]:
    """Sleep a little longer each time, yielding the seconds that are left, until none are."""
    give_up, pause = time.monotonic() + seconds, FIRST_PAUSE
    while (left := give_up - time.monotonic()) > 0:
        yield left
        time.sleep(min(pause, max(give_up - time.monotonic(), 0.0)))
        pause = min(pause * 2, LONGEST_PAUSE)
