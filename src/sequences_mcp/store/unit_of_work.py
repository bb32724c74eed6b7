"""The interface between the product and its database: a unit of work with one repository a noun."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from importlib import import_module
from threading import Event
from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import StoreInterruptedError
from sequences_mcp.store.database import Database
from sequences_mcp.store.filesystem import enforce_private
from sequences_mcp.store.sqlite.connection import JournalMode
from sequences_mcp.store.sqlite.database import SqliteDatabase
from sequences_mcp.store.sqlite.schema import Migration

if TYPE_CHECKING:
    from sequences_mcp.store.audit import AuditRepository
    from sequences_mcp.store.blueprints import BlueprintRepository, ChangeRepository, WaiverRepository
    from sequences_mcp.store.claims import ClaimRepository
    from sequences_mcp.store.contacts import ContactRepository
    from sequences_mcp.store.erasure import ErasureRepository
    from sequences_mcp.store.inbound import InboundRepository, InboxRepository
    from sequences_mcp.store.lineage import LineageRepository
    from sequences_mcp.store.mailboxes import AttemptRepository, MailboxRepository
    from sequences_mcp.store.operations import (
        OperationRepository,
        ReadingRepository,
        ToolCallRepository,
        VendorErrorRepository,
    )
    from sequences_mcp.store.plans import ApprovalRepository, PlanRepository
    from sequences_mcp.store.reports import OutcomeRepository
    from sequences_mcp.store.runs import RunRepository
    from sequences_mcp.store.schedule import ScheduleRepository
    from sequences_mcp.store.suppressions import SuppressionRepository
    from sequences_mcp.store.upkeep import UpkeepRepository, WorkerRepository
    from sequences_mcp.store.waiting import WaitingRepository

T = TypeVar("T")


class _Late(Generic[T]):
    """A repository that is imported and made when it is used first; from then on it is a plain attribute."""

    def __init__(self, name: str) -> None:
        self._module, _, self._class = name.partition(".")

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, work: Repositories, owner: type) -> T:
        made: T = getattr(import_module(f"sequences_mcp.store.{self._module}"), self._class)(work.database)
        work.__dict__[self._name] = made
        return made


class Repositories:
    """Everything that is stored, one repository a noun, each loaded when it is used first.

    Reads see what the open transaction has changed; a write joins it, or is one by itself.
    """

    audit: _Late[AuditRepository] = _Late("audit.AuditRepository")
    """The audit chain: rows that can only be added, each with the hash of the one before."""
    blueprints: _Late[BlueprintRepository] = _Late("blueprints.BlueprintRepository")
    """Blueprint versions, and which of them the operator allowed to start."""
    waivers: _Late[WaiverRepository] = _Late("blueprints.WaiverRepository")
    """Warnings that a person accepts for a blueprint until an instant."""
    changes: _Late[ChangeRepository] = _Late("blueprints.ChangeRepository")
    """Changes at vendors that wait for a person."""
    contacts: _Late[ContactRepository] = _Late("contacts.ContactRepository")
    """Contacts, one row each."""
    plans: _Late[PlanRepository] = _Late("plans.PlanRepository")
    """Plans and the digests of their texts."""
    approvals: _Late[ApprovalRepository] = _Late("plans.ApprovalRepository")
    """Approvals of plans, texts and changes by people, and their signatures."""
    runs: _Late[RunRepository] = _Late("runs.RunRepository")
    """Runs with their steps."""
    outcomes: _Late[OutcomeRepository] = _Late("reports.OutcomeRepository")
    """What became of every run of a blueprint, to be counted."""
    claims: _Late[ClaimRepository] = _Late("claims.ClaimRepository")
    """What a claim is about to ask, told to a database on a server beforehand."""
    attempts: _Late[AttemptRepository] = _Late("mailboxes.AttemptRepository")
    """Attempts to send, numbered by their leases."""
    mailboxes: _Late[MailboxRepository] = _Late("mailboxes.MailboxRepository")
    """Mailboxes that pause after the server refused them, and when each may be used again."""
    inboxes: _Late[InboxRepository] = _Late("inbound.InboxRepository")
    """How far each mailbox was read, and what stands in the way."""
    inbound: _Late[InboundRepository] = _Late("inbound.InboundRepository")
    """What came in, and about which run."""
    suppressions: _Late[SuppressionRepository] = _Late("suppressions.SuppressionRepository")
    """The list of those who must never be contacted again, and its journal."""
    erasures: _Late[ErasureRepository] = _Late("erasure.ErasureRepository")
    """People who were erased, and what it takes to erase one."""
    tool_calls: _Late[ToolCallRepository] = _Late("operations.ToolCallRepository")
    """Calls of write tools, each with its answer."""
    operations: _Late[OperationRepository] = _Late("operations.OperationRepository")
    """Writes to vendors, each written down before its request leaves."""
    vendor_errors: _Late[VendorErrorRepository] = _Late("operations.VendorErrorRepository")
    """What a vendor last answered about a run."""
    readings: _Late[ReadingRepository] = _Late("operations.ReadingRepository")
    """What was last read of a run at its vendor."""
    workers: _Late[WorkerRepository] = _Late("upkeep.WorkerRepository")
    """What each queue of each process last showed of itself."""
    waiting: _Late[WaitingRepository] = _Late("waiting.WaitingRepository")
    """What waits for a person, and what the operator was last told about it."""
    lineage: _Late[LineageRepository] = _Late("lineage.LineageRepository")
    """Whether this database is the one that sent last."""
    schedule: _Late[ScheduleRepository] = _Late("schedule.ScheduleRepository")
    """When each run is due, and how far a clock outside of the database was told of what happened."""
    upkeep: _Late[UpkeepRepository] = _Late("upkeep.UpkeepRepository")
    """The state of the database in numbers, and rows that time itself changes."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @property
    def line(self) -> str:
        """On which line of its server's history the open transaction is: another one may lack the last commits."""
        return self.database.line

    def after_commit(self, act: Callable[[], None]) -> None:
        """Call a function after the open transaction commits, never when it rolls back; at once outside of one."""
        self.database.after_commit(act)

    def secret(self, name: str) -> bytes:
        """Return a random key that was made with the database."""
        return self.database.secret(name)

    def remembered(self, key: Hashable, read: Callable[[], T]) -> T:
        """Return what ``read`` finds under a key, read again only when anything was committed since, by anybody.

        What it finds must be a value, come from this database alone, and be small.
        """
        return self.database.remembered(key, read)

    def once(self, key: Hashable, read: Callable[[], T]) -> T:
        """Return what ``read`` finds under a key beside the database, looked for once in a snapshot."""
        return self.database.once(key, read)


class UnitOfWork(Repositories):
    """The repositories inside a transaction.

    A function that is given one can neither begin nor end a transaction: its caller decides what is committed
    together.
    """


class Store(Repositories):
    """An open database, for the thread that opened it, which can begin units of work."""

    def __init__(self, database: Database, *, url: str | None = None) -> None:
        super().__init__(database)
        self._work = UnitOfWork(database)
        self._url = url

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
        url: str | None = None,
    ) -> Store:
        """Open, or create, the database of a workspace, up to date, and compare it with its lineage.

        ``url`` is the address of its database on PostgreSQL, where it is not the file of the data folder.

        ``busy_seconds`` is how long to wait for other processes; without ``examined`` a small file is not checked,
        because this process just has. ``journal`` and ``steps`` override what SQLite's version and this program
        ask for. Raises StoreUnwritableError, StoreBusyError, StoreTooNewError, StoreDamagedError.
        """
        database: Database
        if url is not None:
            from sequences_mcp.store.postgres.database import PostgresDatabase

            database = PostgresDatabase.open(workspace, url, now=now, busy_seconds=busy_seconds)
        else:
            database = SqliteDatabase.open(
                workspace, now=now, journal=journal, busy_seconds=busy_seconds, steps=steps, examined=examined
            )
        try:
            store = cls(database, url=url)
            if steps is None:
                store.lineage.require_here()
                store.lineage.look(now=now)
                enforce_private(workspace.folder)
        except BaseException:
            database.close()
            raise
        return store

    def another(self, *, now: datetime) -> Store:
        """Open the same database once more, for another thread."""
        return Store.open(self.workspace, now=now, examined=False, url=self._url)

    def close(self) -> None:
        """Close the database, and let a restore have the folder."""
        self.database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def workspace(self) -> Workspace:
        """The workspace whose database this is."""
        return self.database.workspace

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction of this store is open."""
        return self.database.in_transaction

    @contextmanager
    def transaction(
        self, *, beside: bool = False, mailbox: str | None = None, run: str | None = None
    ) -> Iterator[UnitOfWork]:
        """Run the block as one unit of work: commit at its end, roll back on an error. Nested blocks join it.

        Takes the write lock at once and must not span any other I/O. An error that leaves an inner block undoes
        that block alone. With ``beside``, those of other workers may run at the same time, each on its own run,
        and one after the other where they name the same ``mailbox``. ``run`` is the id of the one that it takes as
        it begins, where that is known.
        """
        with self.database.transaction(beside=beside, alone_for=mailbox and f"mailbox {mailbox}", run=run):
            yield self._work

    def anew(self, act: Callable[[], T]) -> T:
        """Return what ``act`` comes to, called again, at most twice, where the database undid all that it did.

        Before its last commit it must do nothing outside of the database.
        """
        for left in (2, 1, 0):
            commits = self.commits
            try:
                return act()
            except StoreInterruptedError:
                if not left or not self.may_begin_anew(commits):
                    raise
        raise AssertionError

    def may_begin_anew(self, commits: int) -> bool:
        """Say whether what was interrupted is undone as a whole: nothing was committed since ``commits`` was read.

        Not inside a transaction: whoever began that has to begin anew.
        """
        return not self.in_transaction and self.commits == commits

    @property
    def commits(self) -> int:
        """How many units of work of this thread have been committed so far."""
        return self.database.commits

    @contextmanager
    def snapshot(self) -> Iterator[Repositories]:
        """Give every read of the block the same state of the database; free inside a transaction."""
        with self.database.snapshot():
            yield self

    def hasty(self, seconds: float) -> AbstractContextManager[None]:
        """Inside the block, wait at most ``seconds`` for locks of other processes; for a caller that retries."""
        return self.database.hasty(seconds)

    def of_any_size(self) -> AbstractContextManager[None]:
        """Inside the block, let a transaction change any number of rows in a bounded amount of memory."""
        return self.database.of_any_size()

    def sleep(self, stop: Event, seconds: float) -> None:
        """Sleep until told to stop or until ``seconds`` have passed; sooner where others tell of new work."""
        self.database.sleep(stop, seconds)

    def longest_sleep(self, poll: float) -> float:
        """Return the longest sleep in seconds between two looks for work: more than ``poll`` after ``LISTEN``."""
        return self.database.longest_sleep(poll)

    @property
    def is_shared(self) -> bool:
        """Whether several machines use this database, each with a clock of its own."""
        return self._url is not None

    def want_turn(self) -> Callable[[], None] | None:
        """Ask a long transaction to step aside; return what ends that, None where nobody can be asked now."""
        return self.database.want_turn()

    def is_turn_wanted(self) -> bool:
        """Say whether anybody who works with this database asks a long transaction to step aside."""
        return self.database.is_turn_wanted()

    def has_room(self) -> bool:
        """Say whether the disk has room for the commits that must follow a send; StoreUnwritableError."""
        return self.database.has_room()

    def require_in_place(self) -> None:
        """Raise StoreUnwritableError unless the file that is open is still the one at its path."""
        self.database.require_in_place()

    def check(self) -> None:
        """Examine the whole database, which may take minutes; StoreDamagedError says what is wrong."""
        self.database.check()
