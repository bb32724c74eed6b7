"""How people are enrolled in a blueprint at a vendor, and how that is kept track of here.

The third part of the contract in ``providers.port``: what a start at a vendor needs. Nothing is enrolled before a
person has approved the plan that names everybody and what the vendor is given about them.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from sequences_mcp.domain.blueprint import Blueprint
from sequences_mcp.domain.contact import Contact, ContactFields
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.sequence import Sequence
from sequences_mcp.providers.port import SequenceDetail, SequenceFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
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
class Candidate:
    """A person as the vendor knows them; ``handover`` is exactly what it would be given to enrol them.

    ``obstacle`` says why they cannot be enrolled, ``left_out`` what is known of them and not given; ``addresses``
    are all to which the vendor may write.
    """

    contact: Contact
    handover: Mapping[str, str]
    obstacle: str | None = None
    left_out: str | None = None
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the vendor's list of runs says about a person: why they cannot be enrolled, or what nobody can tell."""

    obstacle: str | None = None
    doubt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What was read at the vendor just before a request.

    ``marks`` are to compare a later look with. By run's id, ``obstacles`` say why somebody must not be enrolled
    after all, and ``addresses`` are all to which the vendor may write.
    """

    marks: Mapping[str, str] = field(default_factory=dict)
    obstacles: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One request to enrol: who, from which plan, and what was read at the vendor just before.

    Of an order whose outcome is unknown ``people`` are those of whom it is, and ``known_done`` says how many
    others of the same request the vendor certainly has.
    """

    plan: Plan
    people: tuple[Sequence, ...]
    before: Mapping[str, str] = field(default_factory=dict)
    known_done: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of one person of an order; ``remote_id`` is the id under which the run is read there.

    ``error`` is what the vendor answered, as :func:`sequences_mcp.errors.error_facts` writes it.
    """

    sequence_id: str
    outcome: Literal["done", "not_done", "unknown"]
    remote_id: str | None = None
    why: str = ""
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
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


class Enrolment(Protocol):
    """Starts at one vendor."""

    @property
    def people_a_call(self) -> int:
        """How many people one request enrols at most."""
        ...

    @property
    def takes_several(self) -> bool:
        """Whether one person may have several e-mail addresses and phone numbers in a start."""
        ...

    @property
    def has_review(self) -> bool:
        """Whether the vendor can have a person read its texts before they leave, and be told not to."""
        ...

    @property
    def names_sender(self) -> bool:
        """Whether a start says who sends, where the blueprint itself may name nobody."""
        ...

    async def offer(self, blueprint_id: str) -> Blueprint:
        """Return what would be started, as its newest version known here; its steps are empty where no API tells
        them. NotFoundError; ConflictError for one that takes nobody now.
        """
        ...

    async def candidate(self, asked: Asked, *, blueprint: Blueprint, reviewed_there: bool) -> Candidate:
        """Return one person; NotFoundError, InvalidArgumentsError.

        ``reviewed_there`` False: the operator allowed that the vendor's own review is left out.
        """
        ...

    async def standings(self, people: Items[Candidate]) -> list[Standing]:
        """Return what is read about everybody of a start at once, in order."""
        ...

    async def before(self, plan: Plan, people: Items[Sequence]) -> Before:
        """Read what a later look has to be compared with, just before the request. Changes nothing."""
        ...

    async def enrol(self, order: Order) -> tuple[Fate, ...]:
        """Enrol them; raise for what concerns them all. The one write."""
        ...

    async def read_back(self, order: Order) -> tuple[Fate, ...]:
        """Return what the vendor shows of an order whose outcome is unknown."""
        ...

    async def follow(self, run: Sequence, *, mark: str | None) -> SequenceDetail | None:
        """Return a run that was handed over as the vendor tells of it, or None while it shows none.

        ``mark`` is what :meth:`before` read about this person.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """People that are this caller's to hand over, under an operation that is written down."""

    operation_id: str
    order: Order


class VendorRuns(Protocol):
    """Approved starts at vendors: who is still to be handed over, and what became of whom."""

    async def keep_people(self, people: Items[Contact]) -> list[Contact]:
        """Return each person as they are kept here: the one known already, or a new row."""
        ...

    async def waiting(self) -> list[Plan]:
        """Return approved plans with people still to be handed over."""
        ...

    async def left_alone(self, plan_id: str) -> str | None:
        """Return that a plan was approved for another account or other settings than this process's, or None."""
        ...

    async def next_people(self, plan_id: str, *, size: int) -> list[Sequence]:
        """Return who would be handed over next; none while an earlier request of the plan is open.

        After the day that an approval holds nobody is left: they are refused.
        """
        ...

    async def take(self, plan_id: str, sequence_ids: Items[str], *, before: Before) -> Taken | None:
        """Ask everything again and, in the same transaction, write the operation down and take its people.

        Whoever may not be contacted by now is refused. None when nobody is left, or the approval does not hold
        (which voids the plan).
        """
        ...

    async def settle(self, operation_id: str, fates: Items[Fate], *, actor: str | None = None) -> None:
        """Record what became of those of an operation who are in doubt, and of the operation, at once.

        Without an ``actor`` the fates are the answer to the request itself, which also corrects what somebody who
        looked too early has settled.
        """
        ...

    async def release(self, operation_id: str, *, reason: str, error: Mapping[str, Any] | None = None) -> None:
        """Record that certainly nobody was enrolled, why, and that it may be tried again."""
        ...

    async def put_off(self, plan_id: str, *, error: Mapping[str, Any]) -> None:
        """Record why nobody of a plan could be asked for now: they go on waiting."""
        ...

    async def give_up(self, plan_id: str, *, reason: str, error: Mapping[str, Any] | None = None) -> None:
        """Refuse everybody of a plan who was not handed over."""
        ...

    async def order_of(self, operation_id: str) -> Order:
        """Return what is in doubt of an operation's order, for a look at what became of it."""
        ...

    async def mark_of(self, run: Sequence) -> str | None:
        """Return what was read about this person at the vendor just before they were handed over."""
        ...

    async def find(self, remote_id: str) -> SequenceDetail | None:
        """Return the run started here that has this id at its vendor, or None."""
        ...

    async def observe(self, run: Sequence, seen: SequenceDetail) -> SequenceDetail:
        """Keep what a vendor tells of a run, and return both as one."""
        ...

    async def end(self, sequence_id: str, *, finished: bool, actor: str) -> SequenceDetail:
        """Record that somebody has seen a run to be over at its vendor; NotFoundError, ConflictError."""
        ...

    async def to_read_again(self, provider: str, wanted: SequenceFilter, *, size: int) -> list[SequenceDetail]:
        """Return runs at a vendor that are not over, the longest unread first, whatever their last status."""
        ...

    async def list_runs(self, provider: str, wanted: SequenceFilter) -> Page[SequenceDetail]:
        """Return one page of the runs started here at a vendor."""
        ...

    async def outcome(self, plan_id: str) -> HandedOver:
        """Return how far the handing over of a plan's people is."""
        ...

    async def known_as(self, vendor_id: str) -> str | None:
        """Return the id of the stored person who has this id at a vendor, or None."""
        ...

    async def live_among(self, marks: Items[tuple[str, str]]) -> list[SequenceDetail]:
        """Return runs at vendors that may still reach whoever these marks cover.

        A mark is a kind (``address``, ``domain``, ``contact``) and its value, and on the own list by now.
        """
        ...

    async def live_as(self, people: Items[Items[str]]) -> list[str | None]:
        """Return, for each person, a live run that reaches them by one of these addresses or vendor's ids."""
        ...

    async def at_vendors(self, sequence_ids: Items[str]) -> list[SequenceDetail]:
        """Return those of these runs that a vendor carries out."""
        ...
