"""What the vendors' APIs tell, as values, and the product's own values made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Generic, Literal, TypeVar

from sequences_mcp.domain.addresses import read_address, wire_address
from sequences_mcp.domain.blueprint import Blueprint, Sourcing
from sequences_mcp.domain.contact import EXTENSION, Contact, ContactFields, dialled, facts_of, read_phone
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.run import TERMINAL, Run, SequenceStatus, VendorStep
from sequences_mcp.lazy_dataclasses import dataclass, field, replace
from sequences_mcp.ports.embedded import Outlook, SequenceDetail, VendorFacts
from sequences_mcp.ports.vendor import Identity
from sequences_mcp.vendors.description import VendorDescription
from sequences_mcp.vendors.registry import DESCRIPTIONS

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemotePage(Generic[T]):
    """One page of a vendor's list, numbered from 1; ``unreadable`` items were left out."""

    items: tuple[T, ...]
    page: int
    size: int
    total_count: int | None
    has_more: bool
    unreadable: int = 0

    def counted(self) -> Page[T]:
        """Return the page with a total: the vendor's, or what is certain where it tells none."""
        seen = (self.page - 1) * self.size + len(self.items) + self.has_more
        return Page(self.items, self.total_count if self.total_count is not None else seen, self.page, self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """What every remote thing has: its whole id."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSourcing(Remote):
    """A sourcing at Kalent: a position that is being filled."""

    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteBlueprint(Remote):
    """A Topo template; its steps are not told."""

    name: str | None
    provider_status: str | None
    step_count: int | None
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteContact(Remote):
    """A person at a vendor; ``fields`` has the first address and number, the lists have all.

    ``provider_status`` is Kalent's status handle; ``talent_id`` and ``sourcing_id`` are Kalent's too.
    """

    fields: ContactFields
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    notes: str | None = None
    provider_status: str | None = None
    sourcing_id: str | None = None
    talent_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSequence(Remote):
    """One contact's run at a vendor. ``needs_action`` is Kalent's "a person must do something".

    ``sequence_id`` is Clarky's id of the texts it wrote; ``progress`` and ``action_required`` are a vendor's own
    fields, as JSON, where their form is not documented.
    """

    provider: str
    status: SequenceStatus | None
    provider_status: str | None
    contact_id: str | None
    blueprint_id: str | None = None
    list_id: str | None = None
    name: str | None = None
    last_step_executed_at: datetime | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[VendorStep, ...] = ()
    needs_action: bool = False
    sequence_id: str | None = None
    replied_at: datetime | None = None
    paused_until: datetime | None = None
    stop_reason: str | None = None
    progress: str | None = None
    action_required: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def may_be_live(self) -> bool:
        """Whether it may still reach somebody: true for a status whose meaning is not known."""
        return self.status not in TERMINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAgent(Remote):
    """Who sends for Clarky."""

    is_enabled: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteList(Remote):
    """A Topo contact list; with a blueprint, every new entry is enrolled in it.

    ``enrols`` is None where the answer does not say whether it has one.
    """

    name: str | None
    enrols: bool | None
    blueprint_id: str | None
    entries_count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteEntry(Remote):
    """One person on a Topo list; ``contact_id`` is None until Topo has found out who it is."""

    contact_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemOutcome(Generic[T]):
    """The outcome of one item of a batch; ``unknown`` where the answer does not say."""

    outcome: Literal["done", "not_done", "unknown"]
    item: T | None
    provider_status: str | None
    vendor_code: str | None = None
    vendor_message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteExclusion(Remote):
    """Somebody, or a company by its ``domain``, that Topo must not import again."""

    domain: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteActivity(Remote):
    """Something that happened in a Topo run."""

    type: str | None
    channel: str | None
    created_at: datetime | None
    sequence_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteTask(Remote):
    """A step somebody must do by hand at Topo."""

    type: str | None
    provider_status: str | None
    priority: str | None
    sequence_id: str | None
    created_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteMessage(Remote):
    """A message of a task's thread; its text is somebody else's."""

    channel: str | None
    direction: str | None
    subject: str | None
    body: str | None
    sent_at: datetime | None


UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
UNAVAILABLE = 0


def detail_of(run: RemoteSequence, *, contact: Contact | None = None) -> SequenceDetail:
    """Return a vendor's run: without steps, zone and plan, which its API does not tell."""
    created = run.created_at or UNDATED
    person = run.contact_id or ""
    sequence = Run(
        id=run.id,
        plan_id="",
        blueprint_id=run.blueprint_id or "",
        blueprint_version=UNAVAILABLE,
        contact_id=person,
        status=run.status or SequenceStatus.ACTIVE,
        ordinal=0,
        steps=(),
        created_at=created,
        updated_at=run.updated_at or created,
        variables=run.variables,
        time_zone="",
    )
    unnamed = Contact(id=person, created_at=created, updated_at=created)
    facts = _facts(run)
    return SequenceDetail(
        sequence=sequence,
        contact=contact or unnamed,
        outlook=Outlook(next_at=None, why=facts.why or ""),
        provider_status=run.provider_status,
        facts=facts,
        steps_there=run.steps,
    )


def _facts(run: RemoteSequence) -> VendorFacts:
    return VendorFacts(
        created_at=run.created_at,
        updated_at=run.updated_at,
        last_step_executed_at=run.last_step_executed_at,
        replied_at=run.replied_at,
        paused_until=run.paused_until,
        stop_reason=run.stop_reason,
        blueprint_name=run.name if DESCRIPTIONS[run.provider].names_runs_by_blueprint else None,
        list_id=run.list_id,
        sequence_id=run.sequence_id,
        progress=run.progress,
        action_required=run.action_required,
        why=_why(run, DESCRIPTIONS[run.provider]),
    )


def _why(run: RemoteSequence, vendor: VendorDescription) -> str:
    """Return what the vendor's status says of what comes next; the words of each are from its documents."""
    title = vendor.title
    if run.status is None:
        return f"{title} does not document its own status; it counts as live. {title}'s app shows more."
    if run.needs_action or run.status is SequenceStatus.WAITING_FOR_USER:
        return f"A person has to do something in {title}'s app."
    word = (run.provider_status or "").upper()
    return vendor.status_words.get(word) or _WHY[run.status].format(title=title)


_WHY = {
    SequenceStatus.FOUND: "Enrolled at {title}; it waits for a person's approval there.",
    SequenceStatus.ACTIVE: "{title} runs it and does not tell over its API when its next step leaves.",
    SequenceStatus.WAITING_FOR_LEAD: "Paused at {title}, which does not tell until when; it goes on by itself.",
    SequenceStatus.COMPLETED: "Over: all its steps are done, as {title} tells.",
    SequenceStatus.SUCCEEDED: "Over: {title} counts it as succeeded.",
    SequenceStatus.FAILED: "Over: it failed, as {title} tells.",
    SequenceStatus.STOPPED_EARLY: "Over: it was stopped at {title}.",
    SequenceStatus.REFUSED: "Over: it was refused at {title}.",
}


def contact_of_remote(person: RemoteContact) -> Contact:
    """Return a vendor's person."""
    created = person.created_at or UNDATED
    return Contact(
        id=person.id,
        notes=person.notes or "",
        created_at=created,
        updated_at=person.updated_at or created,
        **facts_of(person.fields),
    )


def with_facts(person: Contact, given: ContactFields) -> Contact:
    """Return a vendor's person with what a caller told of them; InvalidArgumentsError for what is no address."""
    facts = {name: value for name, value in facts_of(given).items() if value is not None}
    if given.email is not None:
        facts["email"] = read_address(given.email).text
    if given.phone is not None:
        facts["phone"] = read_phone(given.phone, country=given.country or person.country)
    return replace(person, **facts)


def given_of(known: ContactFields, names: Iterable[str]) -> dict[str, str]:
    """Return these facts as a vendor is given them: addresses as a mail server gets them, numbers in E.164.

    A number with an extension is none of them (``domain.phones.dialled``). InvalidArgumentsError for an address
    that is none.
    """
    given = {name: value for name in names if (value := getattr(known, name))}
    if "email" in given:
        given["email"] = wire_address(given["email"])
    if "phone" in given:
        given["phone"] = dialled(given["phone"]) or ""
    return {name: value for name, value in given.items() if value}


def left_out_of(known: ContactFields) -> str | None:
    """Return in words what of a person no vendor is given, or None."""
    if known.phone and EXTENSION in known.phone:
        return f"The number {known.phone} is not given to the vendor, which takes none with an extension."
    return None


def unknown_contact(known: ContactFields) -> Contact:
    """Return a person of whom facts are known, and no id."""
    return Contact(id="", created_at=UNDATED, updated_at=UNDATED, **facts_of(known))


def blueprint_of_remote(template: RemoteBlueprint) -> Blueprint:
    """Return a vendor's blueprint, whose steps its API does not tell."""
    return Blueprint(
        id=template.id,
        name=template.name or template.id,
        version=1,
        steps=(),
        sourcing=Sourcing(),
        created_at=template.created_at or template.updated_at or UNDATED,
    )


def identity_of_remote(person: RemoteContact) -> Identity:
    """Return how a vendor's person is known there."""
    ids = (person.talent_id,) if person.talent_id else ()
    return Identity(ids=ids, emails=person.emails, linkedin_url=person.fields.linkedin_url)


def people_of_remote(page: RemotePage[RemoteContact]) -> Page[Contact]:
    """Return a page of a vendor's people."""
    return page.counted().map(contact_of_remote)
