"""A PostgreSQL database for one thread: named statements, transactions, snapshots, commits that are verified.

Advisory locks of the server order those who write. The transaction of a verb holds the lock WRITING exclusively,
as it would the file on SQLite, so that what it read still holds when it writes. Transactions of workers share it:
each locks the row of the run that it takes, skips rows that others have locked, and locks the mailbox whose limits
it checks. Each row of the audit has the hash of the one before, so its rows are written at the end of a
transaction, under the lock AUDIT, which is thus held as shortly as possible.

Each transaction writes how many its thread has begun into a row of its own (``last_commit``), by which a commit is
found again whose answer was lost. That row is locked until the transaction has ended, so that whoever can lock it
knows that nothing follows any more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from threading import Event
from typing import Any, TypeAlias, TypeVar, cast

import psycopg
from psycopg import pq
from psycopg.sql import quote

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import StoreBusyError, StoreDamagedError, StoreInterruptedError, StoreUnwritableError
from sequences_mcp.store import filesystem
from sequences_mcp.store.database import REMEMBERED, Database, Question
from sequences_mcp.store.postgres import conditions, dialect, news
from sequences_mcp.store.postgres import connection as connections
from sequences_mcp.store.postgres.schema import BEGIN, LOCK, TURN, require_known, upgrade_postgres

T = TypeVar("T")
Rows: TypeAlias = "list[connections.PostgresRow]"
OF_WORKERS = {"workers", "lineage"}  # files of statements about workers and hosts themselves
TOLD_LOOKS = 5  # how many times longer a worker sleeps that is told of new work
AT = "CAST(extract(epoch FROM now()) * 1000000 AS bigint)"
# Waits for the transaction that has the row, and changes nothing.
LAST_NUMBER = (
    f"INSERT INTO last_commit (holder, number, at) VALUES ('{{}}', 0, {AT})"  # noqa: S608 - our own numbers
    " ON CONFLICT (holder) DO UPDATE SET number = last_commit.number RETURNING number"
)
FORGOTTEN = f"DELETE FROM last_commit WHERE at < {AT} - 86400000000"  # noqa: S608 - our own numbers
IS_MOVED = "EXISTS (SELECT 1 FROM moved_database)"
# Settings, locks and number, and what is to be known at once; the server keeps its plan (migration 0042).
BEGUN = "SELECT version, is_moved, line FROM begin_work('{}', {}, {}, {})"
HOST_FOLDER = "host_folder"  # the parameter that every statement may have
AUDITED_AT_ONCE = 1_000  # rows of the audit
WAITS_MS = 130_000  # longer than anybody insists (engine.context.INSIST)
WANTS_TURN = (
    f"BEGIN; SET LOCAL idle_in_transaction_session_timeout = {WAITS_MS};"
    f" SELECT pg_advisory_xact_lock_shared({LOCK}, {TURN})"
)
# https://www.postgresql.org/docs/15/view-pg-locks.html, a lock by two numbers
TURN_IS_WANTED = (
    f"SELECT 1 AS waits FROM pg_locks WHERE locktype = 'advisory' AND classid = {LOCK} AND objid = {TURN}"  # noqa: S608 - our own numbers
    " AND objsubid = 2 AND granted AND database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database()) LIMIT 1"
)
ASKS_FOR = 30.0  # seconds in which a commit without an answer is asked after


class PostgresDatabase(Database):
    """An open database, for the thread that opened it. A connection is held for a transaction, not longer."""

    is_far = True

    def __init__(self, workspace: Workspace, pool: connections.Pool, *, patience: float) -> None:
        super().__init__(workspace, patience=patience)
        self._pool = pool
        self._held: connections.Connection | None = None
        self._held_cursor: psycopg.RawCursor[Any] | None = None  # what asks on it
        self._is_beside = False
        self._holder, self._number = token_hex(16), 0  # of the transactions of this thread
        self._last: list[Any] = []
        self._last_written = 0
        self._foreseen: dict[tuple[bytes, tuple[Any, ...]], Rows] = {}  # by statement and values
        self._is_ending = False  # the open transaction, which only writes its last rows and commits
        self._with_commit = b""  # what the server does before that, in the same round trip
        self._soon: list[tuple[bytes, list[Any], Callable[[], Exception] | None]] = []  # what is still to change
        self._write_last: Callable[[Sequence[Any]], None] | None = None
        self._staging: tuple[str, Callable[[], None]] | None = None
        self._seen: tuple[str, str] = "", ""  # the open snapshot, and on which line of a server's history
        self._host_folder = host_folder(workspace.folder)
        self._notice: str | None = None  # what the open transaction's commit tells others
        self._remembered: dict[Hashable, Any] = {}
        self._remembered_at: int | None = None
        self._known_work = pool.news.work
        self._secret: bytes | None = None

    @classmethod
    def open(
        cls, workspace: Workspace, url: str, *, now: datetime, busy_seconds: float = 10.0
    ) -> PostgresDatabase:
        """Open the database at an address, up to date; the folder of ``workspace`` has journals and outbox.

        Raises StoreUnwritableError, StoreBusyError, StoreTooNewError, StoreDamagedError, SettingsError.
        """
        filesystem.make_folder(workspace.folder)
        pool = connections.Pool.of(url)
        try:
            connection = pool.take(busy_seconds)
            try:
                with connections.driver_errors(pool.name):
                    upgrade_postgres(connection, pool.name, now=now)
                    connection.execute(FORGOTTEN.encode())
            finally:
                pool.give_back(connection)
            filesystem.enforce_private(workspace.folder)
            return cls(workspace, pool, patience=busy_seconds)
        except BaseException:
            pool.release()
            raise

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.release()

    @property
    def title(self) -> str:
        """The database, for people to read: its address without the password."""
        return self._pool.name

    @contextmanager
    def _nested(self) -> Iterator[None]:
        before = len(self._last), self._last_written
        try:
            with super()._nested():
                try:
                    yield
                    self._write_out()
                except BaseException:
                    self._soon.clear()
                    raise
        except BaseException:
            del self._last[before[0] :]
            self._last_written = before[1]
            raise

    def _is_begun(self) -> bool:
        return self._held is not None and not self._held.closed

    @contextmanager
    def _outermost(self, *, beside: bool, alone_for: str | None, run: str | None) -> Iterator[None]:
        """Wait for all other changes and have the database alone; with ``beside``, run with others that say so.

        A temporary table is filled before anybody is waited for.
        """
        self._number += 1
        counted = BEGUN.format(self._holder, self._number, beside, max(round(self._patience * 1000), 1))
        if alone_for is not None:
            counted = f"{counted}; SELECT pg_advisory_xact_lock({_number_of(alone_for)})"
        if run is not None:
            counted = f"{counted}; SELECT FROM sequence WHERE id = {quote(run)} FOR UPDATE"
        self._held, seen = self._begun(f"{BEGIN}; {counted if self._staging is None else 'SELECT 1'}")
        self._depth, self._is_beside, self._notice = 1, beside, None
        try:
            if self._staging is not None:
                seen = self._filled(*self._staging, then=counted)
            version, is_moved, self.line = seen
            require_known(int(version), self.title)  # a newer program may have begun to use it meanwhile
            if is_moved:  # somebody has moved it away since it was opened
                self._require_here()
            yield
            self._write_out()
            self._is_ending = True
            self._flush_last()
            self._commit()
        except BaseException:
            self._afterwards.clear()
            self._roll_back()
            raise
        finally:
            self._depth, self._is_beside, self._is_ending = 0, False, False
            self._last.clear()
            self._soon.clear()
            self._foreseen.clear()
            self._last_written, self._with_commit = 0, b""
            self._let_go()

    def _filled(self, table: str, fill: Callable[[], None], *, then: str) -> tuple[Any, ...]:
        """Make and fill the temporary table of the transaction; return what ``then`` answers."""
        assert self._held is not None
        self._command(f"CREATE TEMP TABLE {table} ON COMMIT DROP")
        fill()
        self._command(f"ANALYZE {table.split()[0]}")
        with connections.driver_errors(self.title):
            return tuple(self._held.execute(then.encode()).fetchone() or ())

    @contextmanager
    def staged(self, table: str, fill: Callable[[], None]) -> Iterator[None]:
        """Have each transaction of the block fill a temporary table of its own before it waits for others.

        It is gone with the transaction, because the next one may have another connection (pgbouncer).
        """
        self._staging = table, fill
        try:
            yield
        finally:
            self._staging = None

    def stage(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Put rows into the temporary table that is being filled."""
        assert self._held is not None
        sql = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        with connections.driver_errors(self.title), self._held.cursor().copy(sql.encode()) as copy:
            for row in rows:
                copy.write_row(row)

    def _begun(self, begin: str) -> tuple[connections.Connection, tuple[Any, ...]]:
        """Return a connection on which a transaction was begun, and what the first statement answered that does.

        A connection that the server has ended meanwhile is replaced: nothing was done on it.
        """
        for left in connections.pauses(self._patience):
            connection = self._pool.take(left)
            try:
                cursor = connection.execute(begin.encode())
                while cursor.pgresult is None or not cursor.pgresult.nfields:
                    cursor.nextset()
                return connection, tuple(cursor.fetchone() or ())
            except psycopg.Error as error:
                lost = connections.is_lost(error, connection)
                self._undo(connection)
                if not lost:
                    raise connections.server_error(error, self.title) from error
            except BaseException:
                self._undo(connection)
                raise
        raise connections.unreachable(self.title)

    def _undo(self, connection: connections.Connection) -> None:
        try:
            if not connection.closed:
                connection.execute("ROLLBACK")
        except psycopg.Error:
            connection.close()
        self._pool.give_back(connection)

    def _commit(self) -> None:
        """Commit; where the answer is lost, look whether it is stored. What has changed nothing is rolled back."""
        assert self._held is not None
        if self._notice is None:
            self._roll_back()
            return
        try:
            self._held.execute(self._with_commit + f"NOTIFY {news.CHANNEL}, '{self._notice}'; COMMIT".encode())
        except psycopg.Error as error:
            if not connections.is_lost(error, self._held):
                raise connections.server_error(error, self.title) from error
            self._read_back()
        self._pool.changed()

    def _read_back(self) -> None:
        """Wait until the transaction has ended on whichever server has its place now, and see whether it is there.

        StoreInterruptedError where it is not; StoreBusyError where no server tells in time.
        """
        for left in connections.pauses(ASKS_FOR):
            self._let_go()
            try:
                self._held = self._pool.take(1.0)
                self._held.execute(f"{BEGIN}; SET LOCAL lock_timeout = {max(round(left * 1000), 1)}".encode())
                [number] = self._held.execute(LAST_NUMBER.format(self._holder).encode()).fetchone() or (0,)
                self._held.execute(b"ROLLBACK")
            except (psycopg.Error, StoreBusyError):
                continue
            if number == self._number:
                return
            raise StoreInterruptedError(
                f"The database {self.title} ended the connection before the change was stored.",
                next_step="Nothing was changed. Try again in a few seconds.",
            )
        raise StoreBusyError(
            f"The database {self.title} went away while a change was being stored; whether it was is not known.",
            next_step="Look at what is there before doing it again; a call with the same key is never done twice.",
        )

    def _require_here(self) -> None:
        """Raise StoreUnwritableError with the place to which the database was moved."""
        assert self._held is not None
        self._pool.require_here(self._held)

    def _roll_back(self) -> None:
        if self._held is None or self._held.closed:
            return
        try:
            self._held.execute("ROLLBACK")
        except psycopg.Error:
            self._held.close()

    def _let_go(self) -> None:
        held, self._held, self._held_cursor = self._held, None, None
        if held is not None:
            self._pool.give_back(held)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        self._held, (seen, line, is_moved) = self._begun(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
            f" SELECT pg_current_snapshot()::text, server_line(), {IS_MOVED}"
        )
        self._seen = seen, line
        try:
            if is_moved:
                self._require_here()
            yield
        finally:
            self._roll_back()
            self._let_go()

    def _snapshot_version(self) -> tuple[str, str]:
        """Return the server's snapshot: two that read alike on one line see the same transactions and rows.

        https://www.postgresql.org/docs/15/functions-info.html, pg_current_snapshot
        """
        return self._seen

    def write_last(self, items: Sequence[T], write: Callable[[Sequence[T]], None]) -> None:
        """Have ``write`` store these after all else that the open transaction does, with all others so given."""
        self._last.extend(items)
        self._write_last = cast("Callable[[Sequence[Any]], None]", write)

    def _flush_last(self) -> None:
        items = self._last[self._last_written :]
        if items and self._write_last is not None:
            self._last_written = len(self._last)
            self._write_last(items)

    def write_chained(self, rows: Sequence[Sequence[Any]], covered: Callable[..., str]) -> None:
        """Add rows to the audit, numbered and hashed by the server; the last ones in the round trip of the commit.

        Nobody else adds any from here to the commit.
        """
        self._note_change()
        for begin in range(0, len(rows), AUDITED_AT_ONCE):
            part = [[*facts, covered(*facts)] for facts in rows[begin : begin + AUDITED_AT_ONCE]]
            call = self._held_call("append_audit", json.dumps(part))
            if self._is_ending and begin + AUDITED_AT_ONCE >= len(rows):
                self._with_commit = call
            else:
                self._command(call)

    def _held_call(self, function: str, text: str) -> bytes:
        assert self._held is not None
        with connections.driver_errors(self.title):
            literal = pq.Escaping(self._held.pgconn).escape_literal(text.encode())
        return b"SELECT %s(%s); " % (function.encode(), literal)

    def write(self, name: str, /, **values: Any) -> int:
        """Execute the named statement; return how many rows it changed."""
        with self.joined(), connections.driver_errors(self.title):
            self._write_out()
            self._note_change(name)
            sql, names = dialect.by_place(self._statement(name))
            self._forget(sql)
            return self._cursor().execute(sql, self._listed(names, values)).rowcount

    def write_soon(self, name: str, /, *, unless: Callable[[], Exception] | None = None, **values: Any) -> None:
        """Execute the named statement with the next ones, in one round trip, where a worker's step writes it."""
        if not self._is_beside:
            super().write_soon(name, unless=unless, **values)
            return
        sql, names = dialect.by_place(self._statement(name))
        tables = dialect.changed_tables(sql)
        if any(dialect.changed_tables(other) == tables for other, _, _ in self._soon):
            self._write_out()
        self._note_change(name)
        self._forget(sql)
        self._soon.append((sql, self._listed(names, values), unless))

    def _write_out(self) -> None:
        """Do what waits to be done soon; raise what one of them asks for that changes nothing."""
        if not self._soon:
            return
        soon, self._soon = self._soon, []
        together = dialect.changing_together(tuple([sql for sql, _, _ in soon]))
        with connections.driver_errors(self.title):
            cursor = self._cursor().execute(together, [value for _, values, _ in soon for value in values])
            [numbers] = cursor.fetchall()
        for number, (_, _, unless) in zip(numbers, soon, strict=True):
            if not number and unless is not None:
                raise unless()

    def write_many(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute the named statement once for each set of values."""
        with self.joined(), connections.driver_errors(self.title):
            self._write_out()
            self._note_change(name)
            sql, names = dialect.by_place(self._statement(name))
            self._forget(sql)
            parameters = [self._listed(names, row) for row in rows]
            if len(parameters) == 1:  # in one round trip, where many need three
                self._cursor().execute(sql, parameters[0])
                return
            with psycopg.RawCursor(self._cursor().connection) as cursor:
                cursor.executemany(sql, parameters)

    def _cursor(self) -> psycopg.RawCursor[Any]:
        """Return the one cursor of the connection that is held: whoever asks fetches all of the answer at once."""
        assert self._held is not None
        if self._held_cursor is None:
            self._held_cursor = psycopg.RawCursor(self._held)
        return self._held_cursor

    def _listed(self, names: Sequence[str], values: Mapping[str, Any]) -> list[Any]:
        """Return the values of these parameters in order, with the one that is the same for a whole host."""
        return [values[name] if name != HOST_FOLDER else self._host_folder for name in names]

    def _note_change(self, name: str = "") -> None:
        """Have the commit tell others: of new work, but not where a worker did a step or showed itself."""
        is_quiet = self._is_beside or name.partition(".")[0] in OF_WORKERS
        self._notice = self._notice or news.STEP if is_quiet else news.WORK

    def remembered(self, key: Hashable, read: Callable[[], T]) -> T:
        """Return what ``read`` finds under a key; while the server tells of changes, it is not asked for any."""
        changes = None if self._depth or self._in_snapshot else self._pool.news.changes
        if changes is None:
            return super().remembered(key, read)
        if self._remembered_at != changes:
            self._remembered.clear()
            self._remembered_at = changes
        if key not in self._remembered:
            value = super().remembered(key, read)
            if len(self._remembered) == REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            self._remembered[key] = value
        return cast("T", self._remembered[key])

    def want_turn(self) -> Callable[[], None] | None:
        """Ask a long transaction to step aside, on whichever host it is; return what ends that, if it can be."""
        return self._pool.want_turn(WANTS_TURN.encode())

    def is_turn_wanted(self) -> bool:
        """Say whether anybody on any host asks a long transaction to step aside."""
        return bool(self._query(TURN_IS_WANTED, {}))

    def sleep(self, stop: Event, seconds: float) -> None:
        """Sleep until told to stop or until ``seconds`` have passed; sooner where others tell of new work."""
        self._known_work = self._pool.news.sleep(stop, seconds, known=self._known_work)

    def longest_sleep(self, poll: float) -> float:
        """Return ``poll``, or several times that while the server tells of new work."""
        return poll * TOLD_LOOKS if self._pool.news.hears else poll

    def _statement(self, name: str) -> str:
        return dialect.postgres_statement(name, locked=self._is_beside)

    def _query(self, sql: str, values: Mapping[str, Any]) -> Rows:
        text, names = dialect.by_place(sql)
        listed = self._listed(names, values)
        if self._held is None:
            return self._query_alone(text, listed)
        if self._last and dialect.reads_audit(sql):
            self._flush_last()
        key = text, tuple(listed)
        if self._foreseen and (known := self._foreseen.get(key)) is not None:
            if dialect.is_new_each_time(text):
                del self._foreseen[key]
            return list(known)
        self._write_out()
        if self._depth and dialect.changes_rows(sql):
            self._note_change()
            self._forget(text)
        with connections.driver_errors(self.title):
            rows = _fetched(self._cursor().execute(text, listed))
        if rows and dialect.is_kept(text):
            self._foreseen[key] = rows
        return rows

    def foresee(self, questions: Sequence[Question]) -> None:
        """Ask all of these in one round trip, for whoever asks one of them next in the open transaction.

        The answers are forgotten with a change of their tables, and where the transaction may have waited.
        """
        if not self._depth or self._is_ending:
            return
        self._write_out()
        statements = [(dialect.by_place(self._statement(name)), values) for name, values in questions]
        keys = [(text, tuple(self._listed(names, values))) for (text, names), values in statements]
        together = dialect.together(tuple(text for text, _ in keys))
        with connections.driver_errors(self.title):
            [row] = self._cursor().execute(together, [value for _, values in keys for value in values]).fetchall()
        self._foreseen |= zip(keys, map(connections.rows_from_json, row), strict=True)

    def _forget(self, text: bytes) -> None:
        """Forget what was foreseen of the tables that a statement changes."""
        for table in dialect.changed_tables(text) if self._foreseen else ():
            self._foreseen = {key: rows for key, rows in self._foreseen.items() if table not in key[0]}

    def _query_alone(self, sql: bytes, values: list[Any]) -> Rows:
        """Read outside of a transaction; where the server has ended the connection meanwhile, on another."""
        for left in connections.pauses(self._patience):
            connection = self._pool.take(left)
            try:
                self._pool.require_here(connection)
                return _fetched(psycopg.RawCursor(connection).execute(sql, values))
            except psycopg.Error as error:
                if not connections.is_lost(error, connection):
                    raise connections.server_error(error, self.title) from error
                connection.close()
            finally:
                self._pool.give_back(connection)
        raise connections.unreachable(self.title)

    def _command(self, sql: str | bytes) -> None:
        assert self._held is not None
        self._write_out()
        self._foreseen.clear()
        with connections.driver_errors(self.title):
            self._held.execute(sql.encode() if isinstance(sql, str) else sql)

    def _damaged(self, why: str) -> StoreDamagedError:
        return connections.damaged_server(self.title, why)

    def has_room(self) -> bool:
        """Say whether this host's disk has room for what is written down beside the database after a send."""
        try:
            return filesystem.has_room(self.workspace.folder)
        except OSError as error:
            raise StoreUnwritableError(
                f"The data folder {self.workspace.folder} cannot be looked into: {error.strerror or error}.",
                next_step="Put it back, or check its disk; the program goes on by itself when it is there.",
            ) from error

    def require_in_place(self) -> None:
        """Raise StoreUnwritableError where the address leads to another database than the one that was opened."""
        present = self.remembered("secret", partial(self.secret, "message_id"))
        if self._secret is None:
            self._secret = present
        elif present != self._secret:
            raise StoreUnwritableError(
                f"Another database has taken the place of {self.title}.",
                next_step="The program opens it anew by itself; nothing was sent meanwhile.",
            )

    def check(self) -> None:
        """Ask the server whether it answers; what its pages hold it checks itself."""
        self.row("schema.secret", name="message_id")

    def sweep(self) -> bool:
        """Have the server write its tables anew without what deleted and changed rows left in them.

        False where others use one of them for longer than this waits. What the server's log and its backups hold
        ends with those.
        """
        if self._pool.is_pooled:
            return self._swept_through_a_pooler()
        connection = self._pool.take(self._patience)
        try:
            with connections.driver_errors(self.title):
                connection.execute(f"SET lock_timeout = {max(round(self._patience * 1000), 1)}".encode())
                connection.execute(b"VACUUM (FULL)")
        except StoreBusyError:
            return False
        finally:
            if not connection.closed:
                connection.execute(b"RESET lock_timeout")
            self._pool.give_back(connection)
        return True

    def _swept_through_a_pooler(self) -> bool:
        """Do the same without a setting, which would stay with others' connection: pass over what is in use."""
        passed_over: list[str] = []
        connection = self._pool.take(self._patience)
        try:
            connection.add_notice_handler(lambda notice: passed_over.append(notice.severity_nonlocalized or ""))
            with connections.driver_errors(self.title):
                connection.execute(b"VACUUM (FULL, SKIP_LOCKED)")
        finally:
            connection.close()  # with what listens to its notices
            self._pool.give_back(connection)
        return "WARNING" not in passed_over

    def server_lines(self, *, now: datetime) -> tuple[tuple[bool | None, str], ...]:
        """Return what is to be known of the server: its settings, clock, limits and replicas."""
        with self.snapshot(), connections.driver_errors(self.title):
            assert self._held is not None
            [facts] = self._held.execute(conditions.ASKED).fetchall()
        return conditions.judged(facts, now=now, version=self._pool.version, is_pooled=self._pool.is_pooled)

    def described(self) -> tuple[str, str]:
        """Return how commits are made durable and why so, for people to read."""
        with self.snapshot(), connections.driver_errors(self.title):
            assert self._held is not None
            [durable] = self._held.execute("SHOW synchronous_commit").fetchone() or ("",)
        return f"synchronous_commit {durable}", f"the server is PostgreSQL {self._pool.version}"


def _fetched(cursor: psycopg.Cursor[Any]) -> Rows:
    """Return what a statement answers, which is nothing where it changes something."""
    has_rows = cursor.pgresult is not None and cursor.pgresult.nfields > 0
    return cast("Rows", cursor.fetchall() if has_rows else [])


def _number_of(name: str) -> int:
    """Return the number of the lock that has a name."""
    return int.from_bytes(sha256(name.encode()).digest()[:8], signed=True)


def host_folder(folder: Path) -> str:
    """Return an id for a data folder that no other host has: a hash of the machine and the path."""
    from sequences_mcp.store.lineage import machine

    return sha256(f"{machine()}:{folder.resolve()}".encode()).hexdigest()[:32]
