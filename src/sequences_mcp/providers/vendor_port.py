"""What only a vendor has: operations whose outcome may be unknown, sourcings, variables of its own, a key.

The second half of the contract in ``providers.port``.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

from sequences_mcp.domain.blueprint import Blueprint, Step
from sequences_mcp.domain.contact import Contact, ContactFields
from sequences_mcp.domain.page import Page
from sequences_mcp.providers.port import Call, SequenceDetail


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write to a vendor: ``subject`` is the id of what it changes; ``safe`` ones only ever hold back.

    ``repeatable``: the very same call once more does no harm, and settles what became of the first.
    """

    call: Call
    provider: str
    subject: str
    arguments: Mapping[str, object]
    safe: bool = False
    repeatable: bool = False


LAST_ANSWER = "last_answer"  # in the stored answer of an operation: the error that the vendor's last answer was


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A write to a vendor as it was recorded; ``answer`` is a result when done, else the JSON of an error."""

    id: str
    provider: str
    tool: str
    subject: str
    fingerprint: str
    arguments: Mapping[str, object]
    state: Literal["begun", "done", "not_done", "unknown"]
    answer: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Begun:
    """An operation, and whether this call is the one to carry it out."""

    operation: Operation
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What was last done here about the pace of a run at a vendor: paused until then, stopped for that reason."""

    paused_until: datetime | None = None
    stop_reason: str | None = None


class Operations(Protocol):
    """Writes to vendors: recorded before the request, settled after it."""

    async def begin(self, write: Write) -> Begun:
        """Record a write that is about to be made, or return the earlier one of the same key.

        A repeatable write whose twin's outcome is unknown is carried out again as that same operation.
        KeyReusedError for a key that belongs to other arguments, ConflictError with the operation's id while
        another write on the same thing is open. One whose caller has died counts as unknown.
        """
        ...

    async def get(self, operation_id: str) -> Operation:
        """Return one operation; NotFoundError."""
        ...

    async def paces(self, subjects: Items[str]) -> Mapping[str, Pace]:
        """Return, by run, the last pause, resumption or stop that was done through here; vendors tell of none."""
        ...

    async def unknown(self, *, size: int) -> Items[Operation]:
        """Return operations whose outcome nobody knows, oldest first."""
        ...

    async def doubt(self, operation_id: str, *, answer: str) -> Operation:
        """Record that nobody knows what became of it."""
        ...

    async def settle(
        self, operation_id: str, *, state: Literal["done", "not_done"], answer: str, actor: str | None = None
    ) -> Operation:
        """Record what became of it; what is settled stays as it was."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcingRow:
    """What is being filled at Kalent."""

    id: str
    name: str | None


class Sourcings(Protocol):
    """Where Kalent keeps its candidates and blueprints."""

    async def list_sourcings(self, *, page: int, size: int) -> Page[SourcingRow]:
        """Return one page."""
        ...

    async def find_candidates(self, sourcing_id: str, query: str, *, page: int, size: int) -> Page[Contact]:
        """Return one page of a sourcing's people whose facts contain the query."""
        ...

    async def create_blueprint(
        self, sourcing_id: str, *, name: str, steps: Items[Step], config: Mapping[str, Any] | None = None
    ) -> Blueprint:
        """Create a blueprint there, which becomes version 1 as known here.

        ``config`` is the vendor's sequence-level configuration, passed on as it is.
        """
        ...

    async def configure_blueprint(
        self, known: Blueprint, *, name: str, steps: Items[Step], config: Mapping[str, Any]
    ) -> Blueprint:
        """Change a blueprint there together with its configuration; ``known`` is the version that is changed."""
        ...


class Overrides(Protocol):
    """Variables of a run, changed at the vendor."""

    async def update_variables(self, sequence_id: str, *, variables: Mapping[str, str | None]) -> SequenceDetail:
        """Merge overrides; None removes one."""
        ...

    async def require_used(self, sequence_id: str, *, variables: Mapping[str, str | None]) -> None:
        """Raise InvalidArgumentsError for a variable that no text of the run can have; changes nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """Somebody to be taken in: facts, or the vendor's own whole id of them."""

    id: str | None
    fields: ContactFields


class Misfit(NamedTuple):
    """Why a vendor cannot take a newcomer in, as a clause, and what to do."""

    problem: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What became of one newcomer. ``why`` is ours; ``vendor_code`` and ``vendor_message`` quote the vendor."""

    outcome: Literal["done", "not_done", "unknown"]
    contact_id: str | None = None
    was_there: bool = False
    why: str | None = None
    vendor_code: str | None = None
    vendor_message: str | None = None


class Places(Protocol):
    """Where a vendor takes people in: Topo's contact lists, Kalent's sourcings."""

    @property
    def a_request(self) -> int:
        """How many people one request takes."""
        ...

    @property
    def most(self) -> int:
        """How many people one call takes, in several requests."""
        ...

    def misfit(self, one: Newcomer) -> Misfit | None:
        """Return why the vendor could not take somebody, or None."""
        ...

    async def look_into(self, place_id: str, people: Items[Newcomer]) -> tuple[Placed | None, ...]:
        """Return, for each, what is so already, or None for those who are to be put there.

        Changes nothing. ApprovalError for a place that starts a sequence for whoever is put there.
        """
        ...

    async def put(self, place_id: str, people: Items[Newcomer]) -> tuple[Placed, ...]:
        """Put people there in one request and return what became of each."""
        ...

    async def count_in(self, place_id: str, people: Items[Newcomer]) -> tuple[int | None, str]:
        """Return how many of these are there now, None where nobody can tell, and one line about it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """How somebody is known at a vendor: further ids, every e-mail address, a LinkedIn profile."""

    ids: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    linkedin_url: str | None = None


class Traces(Protocol):
    """Who stands behind a vendor's id of a person."""

    async def trace(self, contact_id: str) -> Trace:
        """Read the person; NotFoundError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorMessage:
    """A message that a task is about: somebody else's text."""

    direction: str | None
    channel: str | None
    subject: str | None
    body: str | None
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorTask:
    """Something to be done by hand at a vendor, in the vendor's own words, with its newest messages.

    ``untold`` says what of its messages is not here, and why.
    """

    id: str
    type: str | None
    priority: str | None
    status: str | None
    sequence_id: str | None
    created_at: datetime | None
    messages: tuple[VendorMessage, ...] = ()
    untold: str | None = None


class VendorTasks(Protocol):
    """What waits at a vendor to be done by hand."""

    async def list_open(self, *, page: int, size: int) -> Page[VendorTask]:
        """Return one page of those that are not over, oldest first, the first few with their messages."""
        ...

    async def skip(self, task_id: str) -> VendorTask:
        """Skip one; its run goes on."""
        ...

    async def status_of(self, task_id: str) -> str | None:
        """Return the vendor's word for how a task stands, or None where it is not among the newest."""
        ...


class Exclusions(Protocol):
    """A vendor's own list of those it must not import again.

    ``kind`` is ``address``, ``domain`` or ``profile``, the address of a LinkedIn page.
    """

    async def is_excluded(self, kind: str, value: str) -> bool:
        """Say whether it is there."""
        ...

    async def exclude(self, kind: str, value: str, *, message: str) -> None:
        """Put it there, for good."""
        ...


class Reach(Protocol):
    """Live runs at a vendor, whoever started them."""

    def covers(self, marks: Items[tuple[str, str]]) -> bool:
        """Say whether the vendor can be asked about whoever these marks cover."""
        ...

    async def live_of(self, marks: Items[tuple[str, str]]) -> list[SequenceDetail]:
        """Return the live runs that may reach whoever these marks cover.

        A mark is a kind (``address``, ``domain``, ``profile``, ``contact``) and its value. SequencesError where
        that cannot be read, or not to its end.
        """
        ...


class Introduction(Protocol):
    """What a vendor says about the key."""

    async def about_key(self) -> str:
        """Return one line: what the key may do, as far as the vendor tells."""
        ...
