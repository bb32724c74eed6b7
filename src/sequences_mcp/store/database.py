"""What a database does for the repositories: named statements, transactions and snapshots.

``Database`` has what is the same for all of them; SQLite and PostgreSQL add how they begin, commit, read and
write. The repositories and most statements are the same for both.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from functools import partial
from hashlib import sha256
from threading import Event
from types import TracebackType
from typing import Any, TypeAlias, TypeVar, cast

from sequences_mcp.domain.page import Page
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import ConflictError, StoreDamagedError
from sequences_mcp.store import filesystem

T = TypeVar("T")
Row: TypeAlias = Any
"""One row of an answer, its values by name and by place as the driver gives them; not seen outside the store."""
Question: TypeAlias = tuple[str, Mapping[str, Any]]
"""A named statement that only reads, and its values."""
REMEMBERED = 64
BEGINNING = bytes(32)  # before the first row of the audit
CHAINED = ("no", "at", "actor", "action", "subject", "detail", "previous", "hash")  # a row of the audit


class Translating:
    """Turns errors of one kind inside the block into what ``translate`` makes of them, given ``of`` too.

    It is around every statement, so that it is no generator, which would take as long as the statement.
    """

    __slots__ = ("_kind", "_of", "_translate")

    def __init__(self, kind: type[Exception], translate: Callable[[Any, Any], Exception], of: object) -> None:
        self._kind, self._translate, self._of = kind, translate, of

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, self._kind):
            raise self._translate(error, self._of) from error


class Database(ABC):
    """An open database, for the thread that opened it. Everything raises StoreError and its kinds."""

    is_far = False
    """Whether every statement takes a journey to a server."""

    def __init__(self, workspace: Workspace, *, patience: float) -> None:
        self.workspace = workspace  # whose journals belong to this database
        self._patience = patience  # seconds to wait for other processes
        self._depth = 0
        self._in_snapshot = False
        self._afterwards: list[Callable[[], None]] = []
        self._known: dict[Hashable, Any] = {}
        self._known_at: Hashable = None
        self._is_compared = False  # whether what is known was compared with the state that the snapshot reads
        self._looked_up: dict[Hashable, Any] = {}
        self.commits = 0  # of this thread, since it was opened
        self.line = ""  # of the open or the last transaction: on which line of a server's history it is

    @property
    @abstractmethod
    def title(self) -> str:
        """The database, for people to read: its file, or its address without the password."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._depth > 0

    @contextmanager
    def transaction(
        self, *, beside: bool = False, alone_for: str | None = None, run: str | None = None
    ) -> Iterator[None]:
        """Run the block in one transaction that nobody else's writes come between; a nested block joins it.

        It commits at its end and rolls back on an error. An error that leaves a nested block undoes that alone.
        It must not span any other I/O. With ``beside``, where the database can, other transactions that say so run
        at the same time: each changes the run that it has taken, which the others pass over. ``alone_for`` names
        what else an outermost one needs: no other that names the same goes on until it has ended. ``run`` is the
        id of a run that it takes as it begins, so that all it reads is what others have left of that.
        """
        if self._in_snapshot:
            raise RuntimeError("a transaction inside a snapshot would wait for itself")
        with self._nested() if self._depth else self._outermost(beside=beside, alone_for=alone_for, run=run):
            yield
        if not self._depth:
            self.commits += 1
            afterwards, self._afterwards = self._afterwards, []
            for act in afterwards:
                act()

    @abstractmethod
    def _outermost(self, *, beside: bool, alone_for: str | None, run: str | None) -> AbstractContextManager[None]:
        """Begin a transaction, with ``_depth`` 1 inside; commit, or roll back and forget ``_afterwards``."""

    @contextmanager
    def _nested(self) -> Iterator[None]:
        name, noted = f"inner_{self._depth}", len(self._afterwards)
        self._command(f"SAVEPOINT {name}")
        self._depth += 1
        try:
            yield
            self._command(f"RELEASE {name}")
        except BaseException:
            del self._afterwards[noted:]
            if self._is_begun():
                self._command(f"ROLLBACK TO {name}")
                self._command(f"RELEASE {name}")
            raise
        finally:
            self._depth -= 1

    @abstractmethod
    def _is_begun(self) -> bool:
        """Say whether the database itself still has the transaction open: some errors end it by themselves."""

    def joined(self) -> AbstractContextManager[None]:
        """Join the open transaction, or begin one. An error that leaves the block rolls the whole of it back."""
        return nullcontext() if self._depth else self.transaction()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Give every read of the block the same state of the database; free inside a transaction."""
        if self._depth or self._in_snapshot:
            yield
            return
        with self._reading():
            self._in_snapshot, self._is_compared = True, False
            try:
                yield
            finally:
                self._in_snapshot = False
                self._looked_up.clear()

    @abstractmethod
    def _reading(self) -> AbstractContextManager[None]:
        """Begin a transaction that only reads, and end it."""

    @contextmanager
    def hasty(self, seconds: float) -> Iterator[None]:
        """Inside the block, wait at most ``seconds`` for locks of other processes; for a caller that retries."""
        before, self._patience = self._patience, min(seconds, self._patience)
        try:
            yield
        finally:
            self._patience = before

    def of_any_size(self) -> AbstractContextManager[None]:
        """Inside the block, let a transaction change any number of rows in a bounded amount of memory.

        From some size on others may have to wait for its end to read, where the database is a file.
        """
        return nullcontext()

    def after_commit(self, act: Callable[[], None]) -> None:
        """Call a function after the open transaction commits, never when it rolls back; at once outside of one."""
        if self._depth:
            self._afterwards.append(act)
        else:
            act()

    @abstractmethod
    def write_last(self, items: Sequence[T], write: Callable[[Sequence[T]], None]) -> None:
        """Have ``write`` store these in the open transaction: at its end, where others would wait meanwhile."""

    def remembered(self, key: Hashable, read: Callable[[], T]) -> T:
        """Return what ``read`` finds under a key, read again only when anything was committed since, by anybody.

        What it finds must be a value, come from this database alone, and be small: the last 64 are kept. Inside a
        transaction it is read each time.
        """
        if self._depth:
            return read()
        if not self._in_snapshot:
            with self.snapshot():
                return self.remembered(key, read)
        if not self._is_compared:
            if self._known_at != (version := self._snapshot_version()):
                self._known.clear()
                self._known_at = version
            self._is_compared = True
        if key not in self._known:
            if len(self._known) == REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[key] = read()
        return cast("T", self._known[key])

    def once(self, key: Hashable, read: Callable[[], T]) -> T:
        """Return what ``read`` finds under a key beside the database, looked for once in a snapshot."""
        if not self._in_snapshot:
            return read()
        if key not in self._looked_up:
            self._looked_up[key] = read()
        return cast("T", self._looked_up[key])

    def sleep(self, stop: Event, seconds: float) -> None:
        """Sleep until told to stop or until ``seconds`` have passed; sooner where others tell of new work."""
        stop.wait(seconds)

    def longest_sleep(self, poll: float) -> float:
        """Return the longest sleep in seconds between two looks for work: more than ``poll`` after ``LISTEN``."""
        return poll

    def want_turn(self) -> Callable[[], None] | None:
        """Ask a long transaction to step aside; return what ends that, None where nobody can be asked now."""
        lock = filesystem.want_turn(self.workspace.folder)
        return None if lock is None else partial(os.close, lock)

    def is_turn_wanted(self) -> bool:
        """Say whether anybody who works with this database asks a long transaction to step aside."""
        return filesystem.is_turn_wanted(self.workspace.folder)

    def server_lines(self, *, now: datetime) -> tuple[tuple[bool | None, str], ...]:
        """Return what is to be known of a server, each with whether it is right; nothing of a file."""
        return ()

    @abstractmethod
    def _snapshot_version(self) -> Hashable:
        """Return a value that is equal for two snapshots only if nothing was committed between them."""

    def rows(self, name: str, /, **values: Any) -> list[Row]:
        """Return all rows of the named statement."""
        return self._query(self._statement(name), values)

    def row(self, name: str, /, **values: Any) -> Row | None:
        """Return the first row of the named statement, or None."""
        rows = self._query(self._statement(name), values)
        return rows[0] if rows else None

    @abstractmethod
    def foresee(self, questions: Sequence[Question]) -> None:
        """Know that the open transaction is about to ask these: far away, they are answered in one round trip."""

    def pieced(self, name: str, pieces: Mapping[str, str], values: Mapping[str, Any]) -> list[Row]:
        """Return all rows of the named statement with SQL put in for its ``/* piece */`` marks.

        Pieces are constants of the code, never a user's words.
        """
        sql = self._statement(name)
        for mark, piece in pieces.items():
            sql = sql.replace(f"/* {mark} */", piece)
        return self._query(sql, values)

    @abstractmethod
    def write(self, name: str, /, **values: Any) -> int:
        """Execute the named statement; return how many rows it changed."""

    def write_soon(self, name: str, /, *, unless: Callable[[], Exception] | None = None, **values: Any) -> None:
        """Execute the named statement, before anything is read again or the open transaction is committed.

        Far away, several of them go in one round trip. It changes rows of one table by its values alone; where it
        changes none, what ``unless`` makes is raised, by then at the latest.
        """
        if not self.write(name, **values) and unless is not None:
            raise unless()

    @abstractmethod
    def write_many(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute the named statement once for each set of values."""

    def write_listed(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Execute the named statement once for each row of values, which stand in the order of ``columns``."""
        self.write_many(name, (dict(zip(columns, row, strict=True)) for row in rows))

    def write_chained(self, rows: Sequence[Sequence[Any]], covered: Callable[..., str]) -> None:
        """Add rows, each at, actor, action, subject and detail, to the audit, which is a chain (``linked``).

        ``covered`` returns what the hash of a row covers behind its number.
        """
        head = self.row("audit.head")
        first, before = (head["no"] + 1, bytes(head["hash"])) if head else (1, BEGINNING)

        def chained() -> Iterator[tuple[Any, ...]]:
            previous = before
            for number, facts in enumerate(rows, start=first):
                linked_hash = linked(previous, number, covered(*facts))
                yield (number, *facts, previous, linked_hash)
                previous = linked_hash

        self.write_listed("audit.insert", CHAINED, chained())

    @abstractmethod
    def staged(self, table: str, fill: Callable[[], None]) -> AbstractContextManager[None]:
        """Inside the block, let each transaction find a temporary table that ``fill`` has filled with ``stage``.

        ``table`` is its name and columns. Nobody waits while it is filled, and nobody else sees it; it is gone
        with the block. ``fill`` may be called again for each transaction.
        """

    @abstractmethod
    def stage(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Put rows of values, in the order of ``columns``, into the temporary table, from inside of ``fill``."""

    @abstractmethod
    def _statement(self, name: str) -> str:
        """Return the text of the statement called ``file.name``; KeyError."""

    @abstractmethod
    def _query(self, sql: str, values: Mapping[str, Any]) -> list[Row]:
        """Return all rows of a statement: in the open transaction or snapshot, or alone."""

    @abstractmethod
    def _command(self, sql: str) -> None:
        """Execute a statement without values or rows in the open transaction."""

    def secret(self, name: str) -> bytes:
        """Return a random key that was made with the database."""
        row = self.row("schema.secret", name=name)
        if row is None:
            raise self._damaged(f"its key {name!r} is missing")
        return bytes.fromhex(row["value"])

    @abstractmethod
    def _damaged(self, why: str) -> StoreDamagedError:
        """Return the error for a database that is not sound."""

    @abstractmethod
    def has_room(self) -> bool:
        """Say whether there is room for the commits that must follow a send."""

    @abstractmethod
    def require_in_place(self) -> None:
        """Raise StoreUnwritableError unless what is open is still the database at its path."""

    @abstractmethod
    def check(self) -> None:
        """Examine the whole database, slowly; StoreDamagedError says what is wrong."""

    @abstractmethod
    def sweep(self) -> bool:
        """Remove what deleted and changed rows have left in the files; False where others keep them busy now."""

    @abstractmethod
    def described(self) -> tuple[str, str]:
        """Return how commits are made durable, in a word, and why so, for people to read."""

    @abstractmethod
    def close(self) -> None:
        """Close it, and let a restore have the folder."""


def linked(previous: bytes, number: int, covered: str) -> bytes:
    """Return the hash of a row of the audit, over that of the one before, its number and what ``covered`` says."""
    return sha256(previous + f"[{number}{covered}".encode("utf-8", "surrogatepass")).digest()


def page_of(
    database: Database, name: str, read: Callable[[Row], T], *, page: int, size: int, **values: Any
) -> Page[T]:
    """Return one page of a list: ``file.list`` has its rows, ``file.count_list`` how many there are in all."""
    file, _, listed = name.partition(".")
    with database.snapshot():
        rows = database.rows(name, **values, size=size, skip=(page - 1) * size)
        total = database.rows(f"{file}.count_{listed}", **values)[0]["found"]
    return Page(tuple(map(read, rows)), total, page, size)


_SAME_CALL = (
    "A call with the same idempotency key is stored already.",
    "Repeat the first call exactly to get its answer, or use a new key.",
)
_LIVE = (
    "Somebody else has just started this person: a live run of theirs is stored already.",
    "list_sequences shows it; it has to end or be stopped before another begins.",
)
# By the columns of the unique index that two rows would share: verbs look first, so that only a race comes so far.
_TAKEN: Mapping[str, tuple[str, str]] = {
    "operation.key": _SAME_CALL,
    "plan.call_key": _SAME_CALL,
    "vendor_operation.key": _SAME_CALL,
    "vendor_operation.subject, vendor_operation.tool": (
        "Another request of this kind to the vendor about the same run has not ended.",
        "get_sequence shows what became of it; try again then.",
    ),
    "sequence.contact_no": _LIVE,
    "sequence.address_key": _LIVE,
    "contact.email_key": (
        "Somebody else has just saved a person with this e-mail address.",
        "find_contacts shows them; use that person.",
    ),
    "blueprint_version.blueprint_id, blueprint_version.version": (
        "Somebody else has just changed this blueprint.",
        "get_blueprint shows its newest version; make the change to that.",
    ),
}


def taken(columns: str) -> ConflictError | None:
    """Return the error for a second row with the same values of unique columns, as "table.column, table.column".

    None for columns that no race of verbs can come to: then it is a fault of the program.
    """
    words = _TAKEN.get(columns)
    return ConflictError(f"{words[0]} Nothing was changed.", next_step=words[1]) if words else None
