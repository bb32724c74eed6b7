"""The values that go to a vendor and come from it, those kept of its writes, and how it is asked a few at a time.

Nothing is enrolled before a person has approved the plan that names everybody and what the vendor is given about
them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeVar

from sequences_mcp.domain.contact import Contact, ContactFields
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.run import Run
from sequences_mcp.ports.embedded import ToolCall

T = TypeVar("T")
MAX_CONCURRENT = 5  # calls; each may take two reads, and ten connections are open at most


async def gather_limited(calls: Items[Callable[[], Awaitable[T]]]) -> list[T]:
    """Return what each call returns, in order; the first error ends it."""
    results: list[T] = []
    for start in range(0, len(calls), MAX_CONCURRENT):
        results += await asyncio.gather(*(call() for call in calls[start : start + MAX_CONCURRENT]))
    return results


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorWrite:
    """One write to a vendor: ``subject`` is the id of what it changes; ``safe`` ones only ever hold back.

    ``repeatable``: the very same call once more does no harm, and settles what became of the first.
    """

    call: ToolCall
    provider: str
    subject: str
    arguments: Mapping[str, object]
    safe: bool = False
    repeatable: bool = False


LAST_ANSWER = "last_answer"  # in the stored answer of an operation: the error that the vendor's last answer was


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorOperation:
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

    operation: VendorOperation
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What was last done here about the pace of a run at a vendor: paused until then, stopped for that reason."""

    paused_until: datetime | None = None
    stop_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcingRow:
    """What is being filled at Kalent."""

    id: str
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactInput:
    """Somebody to be taken in: facts, or the vendor's own whole id of them."""

    id: str | None
    fields: ContactFields


class Misfit(NamedTuple):
    """Why a vendor cannot take a newcomer in, as a clause, and what to do."""

    problem: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedContact:
    """What became of one newcomer. ``why`` is ours; ``vendor_code`` and ``vendor_message`` quote the vendor."""

    outcome: Literal["done", "not_done", "unknown"]
    contact_id: str | None = None
    was_there: bool = False
    why: str | None = None
    vendor_code: str | None = None
    vendor_message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """How somebody is known at a vendor: further ids, every e-mail address, a LinkedIn profile."""

    ids: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    linkedin_url: str | None = None


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

    ``unavailable_because`` says what of its messages is not here, and why.
    """

    id: str
    type: str | None
    priority: str | None
    status: str | None
    sequence_id: str | None
    created_at: datetime | None
    messages: tuple[VendorMessage, ...] = ()
    unavailable_because: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRequest:
    """Whom a start names: an id of the vendor's, or facts; ``note`` is for whoever writes the texts.

    ``emails`` and ``phones`` are further ones, beside those in ``fields``. ``key`` is the caller's idempotency
    key, ``shares_key`` whether the call names others as well.
    """

    vendor_id: str | None
    fields: ContactFields
    note: str | None = None
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    key: str | None = None
    shares_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorPerson:
    """A person as the vendor knows them; ``vendor_facts`` is exactly what it would be given to enrol them.

    ``obstacle`` says why they cannot be enrolled, ``left_out`` what is known of them and not given; ``addresses``
    are all to which the vendor may write.
    """

    contact: Contact
    vendor_facts: Mapping[str, str]
    obstacle: str | None = None
    left_out: str | None = None
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonStanding:
    """What the vendor's list of runs says about a person: why they cannot be enrolled, or what nobody can tell."""

    obstacle: str | None = None
    warning: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightSnapshot:
    """What was read at the vendor just before a request.

    ``baselines`` are what a later look is compared with. By run's id, ``obstacles`` say why somebody must not be
    enrolled after all, and ``addresses`` are all to which the vendor may write.
    """

    baselines: Mapping[str, str] = field(default_factory=dict)
    obstacles: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentBatch:
    """One request to enrol: who, from which plan, and what was read at the vendor just before.

    Of an order whose outcome is unknown ``people`` are those of whom it is, and ``known_done`` says how many
    others of the same request the vendor certainly has.
    """

    plan: Plan
    people: tuple[Run, ...]
    before: Mapping[str, str] = field(default_factory=dict)
    known_done: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentOutcome:
    """What became of one person of an order; ``remote_id`` is the id under which the run is read there.

    ``error`` is what the vendor answered, as :func:`sequences_mcp.errors.error_facts` writes it.
    """

    sequence_id: str
    outcome: Literal["done", "not_done", "unknown"]
    remote_id: str | None = None
    why: str = ""
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentTally:
    """How many of a plan's people a vendor has, may have, did not take, and are still to be handed over.

    ``errors`` are the vendor's answers about those it has not, or may have, each with how many it is about;
    ``why`` the first reasons of those about whom it has not answered. ``operation_ids`` are the requests that are
    not settled.
    """

    done: int
    unknown: int
    not_done: int
    waiting: int
    why: tuple[str, ...] = ()
    errors: tuple[tuple[Mapping[str, Any], int], ...] = ()
    operation_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedBatch:
    """People that are this caller's to hand over, under an operation that is written down."""

    operation_id: str
    order: EnrolmentBatch
