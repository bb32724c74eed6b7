"""The values that go to a vendor and come from it, the records of its writes, and a limit of calls at once.

Nothing is enrolled before a person has approved the plan that names everybody and what the vendor is given about
them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Sequence as Items
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeVar

from sequences_mcp.domain.contact import Contact, ContactFields
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.run import Run
from sequences_mcp.errors import ProviderUnavailableError
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.ports.embedded import ToolCall

T = TypeVar("T")
U = TypeVar("U")
MAX_CONCURRENT = 5  # calls; each may take two reads, and ten connections are open at most
ANSWER_SOON = 5.0  # seconds


async def gather_limited(calls: Items[Callable[[], Awaitable[T]]], *, at_once: int = MAX_CONCURRENT) -> list[T]:
    """Await these calls in groups of ``at_once``; return the results in order.

    After an error no further group begins. Those under way have ANSWER_SOON seconds, then they are cancelled, and
    the first error in order is raised once all have ended: a call that went on for nobody would use connections
    that are closed meanwhile. Where a vendor is unavailable all of them end by themselves: one may be the call
    that finds out whether it is back, which the others were refused for.
    """
    results: list[T] = []
    for start in range(0, len(calls), at_once):
        group = [asyncio.ensure_future(call()) for call in calls[start : start + at_once]]
        try:
            done, late = await asyncio.wait(group, return_when=asyncio.FIRST_EXCEPTION)
            if late:
                errors = [task.exception() for task in done if not task.cancelled()]
                is_down = any(isinstance(error, ProviderUnavailableError) for error in errors)
                await asyncio.wait(late, timeout=None if is_down else ANSWER_SOON)
        finally:
            given_up = [task for task in group if task.cancel()]
            await asyncio.gather(*group, return_exceptions=True)
        failed = [task for task in group if task.cancelled() or task.exception()]
        for task in sorted(failed, key=given_up.__contains__):  # what was cancelled here is not why
            task.result()
        results += [task.result() for task in group]
    return results


async def gather_both(left: Callable[[], Awaitable[T]], right: Callable[[], Awaitable[U]]) -> tuple[T, U]:
    """Await two calls of different kinds at once, as ``gather_limited`` does."""
    calls: list[Callable[[], Awaitable[Any]]] = [left, right]
    of_left, of_right = await gather_limited(calls)
    return of_left, of_right


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorWrite:
    """One write to a vendor: ``subject`` is the id of what it changes; ``safe`` ones only pause, stop or exclude.

    ``repeatable``: repeating the same request does no harm, and its answer reconciles the first one.
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
    """A write to a vendor as recorded; ``answer`` is the result of one that is done, else an error as JSON."""

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
    """A recorded operation, and whether this call carries it out (False: another call does or did)."""

    operation: VendorOperation
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What was last requested here about a run at a vendor: paused until an instant, or stopped for a reason."""

    paused_until: datetime | None = None
    stop_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcingRow:
    """A job that a vendor looks for people for, as lists show it."""

    id: str
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactInput:
    """A person to store at a vendor: facts, or the vendor's whole id of them."""

    id: str | None
    fields: ContactFields


class Misfit(NamedTuple):
    """Why a vendor cannot store a person, as a clause, and the next step."""

    problem: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedContact:
    """The outcome of storing one person at a vendor.

    ``why`` is this program's wording; ``vendor_code`` and ``vendor_message`` quote the vendor.
    """

    outcome: Literal["done", "not_done", "unknown"]
    contact_id: str | None = None
    was_there: bool = False
    why: str | None = None
    vendor_code: str | None = None
    vendor_message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What else identifies a person at a vendor: further ids, every e-mail address, a LinkedIn profile."""

    ids: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    linkedin_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorMessage:
    """A message in the thread of a task: a third party's text."""

    direction: str | None
    channel: str | None
    subject: str | None
    body: str | None
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorTask:
    """A task at a vendor in the vendor's own words, with its newest messages.

    ``unavailable_because`` says which of its messages could not be read, and why.
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
    """What a vendor's runs say about a person: why they cannot be enrolled, or what could not be read."""

    obstacle: str | None = None
    warning: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightSnapshot:
    """What was read at the vendor just before a request.

    By run id: ``baselines`` are compared with a later read, ``obstacles`` say why a person must not be enrolled
    after all, and ``addresses`` are all those to which the vendor may write.
    """

    baselines: Mapping[str, str] = field(default_factory=dict)
    obstacles: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentBatch:
    """One request to enrol people of a plan, with what was read at the vendor just before.

    Where its outcome is unknown, ``people`` are those concerned, and ``known_done`` counts the others of the
    request whom the vendor certainly has.
    """

    plan: Plan
    people: tuple[Run, ...]
    before: Mapping[str, str] = field(default_factory=dict)
    known_done: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentOutcome:
    """The outcome for one person of an enrolment; ``remote_id`` is the vendor's id of the run.

    ``error`` is the vendor's answer in the form of :func:`sequences_mcp.errors.error_facts`.
    """

    sequence_id: str
    outcome: Literal["done", "not_done", "unknown"]
    remote_id: str | None = None
    why: str = ""
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentTally:
    """How many people of a plan are enrolled, of unknown outcome, not enrolled, and still to be enrolled.

    ``errors`` are the vendor's answers about those not enrolled or unknown, each with the number of people it
    concerns; ``why`` the first reasons for those about whom there was no answer. ``operation_ids`` are the
    requests that are not reconciled.
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
    """People that this caller may enrol now, under an operation that is recorded."""

    operation_id: str
    order: EnrolmentBatch
