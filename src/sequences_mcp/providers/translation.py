"""From what a vendor tells to the values that the product's verbs work with.

A status whose meaning is not documented counts as live: nothing must be started again because a word is new.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import NoReturn

from sequences_mcp.domain.addresses import read_address, wire_address
from sequences_mcp.domain.blueprint import Blueprint, Sourcing
from sequences_mcp.domain.contact import Contact, ContactFields, facts_of
from sequences_mcp.domain.ids import VENDORS
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.phones import EXTENSION, dialled, read_phone
from sequences_mcp.domain.sequence import Sequence, SequenceStatus
from sequences_mcp.errors import NotSupportedError
from sequences_mcp.providers.port import Outlook, SequenceDetail, VendorFacts
from sequences_mcp.providers.remote import RemoteBlueprint, RemoteContact, RemotePage, RemoteSequence

UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
UNTOLD = 0


def detail_of(run: RemoteSequence, *, contact: Contact | None = None) -> SequenceDetail:
    """Return a vendor's run: without steps, zone and plan, which its API does not tell."""
    created = run.created_at or UNDATED
    person = run.contact_id or ""
    sequence = Sequence(
        id=run.id,
        plan_id="",
        blueprint_id=run.blueprint_id or "",
        blueprint_version=UNTOLD,
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
        blueprint_name=run.name if run.provider == "kalent" else None,
        list_id=run.list_id,
        sequence_id=run.sequence_id,
        progress=run.progress,
        action_required=run.action_required,
        why=_why(run, VENDORS[run.provider]),
    )


def _why(run: RemoteSequence, title: str) -> str:
    """Return what the vendor's status says of what comes next; the words of each are from its documents."""
    if run.status is None:
        return f"{title} does not document its own status; it counts as live. {title}'s app shows more."
    if run.needs_action or run.status is SequenceStatus.WAITING_FOR_USER:
        return f"A person has to do something in {title}'s app."
    word = (run.provider_status or "").upper()
    return _WHY_BY_WORD.get((run.provider, word)) or _WHY[run.status].format(title=title)


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
_WHY_BY_WORD = {
    (
        "clarky",
        "PENDING_APPROVAL",
    ): "Its texts wait in Clarky's review queue; nothing leaves until a person approves.",
    (
        "clarky",
        "GENERATING",
    ): "Clarky writes its texts; then they wait in its review queue, where a review is set.",
    ("clarky", "REPLIED"): "Over: the person replied, as Clarky tells.",
    ("kalent", "TALENT_REPLIED"): "Over: the person replied, as Kalent tells.",
    ("kalent", "WAITING_FOR_ACCEPTANCE"): "It waits until the LinkedIn invitation is accepted.",
    ("kalent", "SCHEDULED"): "Its next step is scheduled; Kalent does not tell when.",
}


def contact_of(person: RemoteContact) -> Contact:
    """Return a vendor's person."""
    created = person.created_at or UNDATED
    return Contact(
        id=person.id,
        notes=person.notes or "",
        created_at=created,
        updated_at=person.updated_at or created,
        **facts_of(person.fields),
    )


def with_facts(person: Contact, told: ContactFields) -> Contact:
    """Return a vendor's person with what a caller told of them; InvalidArgumentsError for what is no address."""
    facts = {name: value for name, value in facts_of(told).items() if value is not None}
    if told.email is not None:
        facts["email"] = read_address(told.email).text
    if told.phone is not None:
        facts["phone"] = read_phone(told.phone, country=told.country or person.country)
    return replace(person, **facts)


def given_of(known: ContactFields, names: Iterable[str]) -> dict[str, str]:
    """Return these facts as a vendor is given them: addresses as a mail server gets them, numbers in E.164.

    A number with an extension is none of them (``domain.phones.dialled``). InvalidArgumentsError for an address
    that is none.
    """
    told = {name: value for name in names if (value := getattr(known, name))}
    if "email" in told:
        told["email"] = wire_address(told["email"])
    if "phone" in told:
        told["phone"] = dialled(told["phone"]) or ""
    return {name: value for name, value in told.items() if value}


def left_out_of(known: ContactFields) -> str | None:
    """Return in words what of a person no vendor is given, or None."""
    if known.phone and EXTENSION in known.phone:
        return f"The number {known.phone} is not given to the vendor, which takes none with an extension."
    return None


def unknown_contact(known: ContactFields) -> Contact:
    """Return a person of whom facts are known, and no id."""
    return Contact(id="", created_at=UNDATED, updated_at=UNDATED, **facts_of(known))


def blueprint_of(found: RemoteBlueprint) -> Blueprint:
    """Return a vendor's blueprint, whose steps its API does not tell."""
    return Blueprint(
        id=found.id,
        name=found.name or found.id,
        version=1,
        steps=(),
        sourcing=Sourcing(),
        created_at=found.created_at or found.updated_at or UNDATED,
    )


def people_of(page: RemotePage[RemoteContact]) -> Page[Contact]:
    """Return a page of a vendor's people."""
    return page.counted().map(contact_of)


def not_supported(vendor: str, verb: str, *, instead: str = "") -> NoReturn:
    """Raise NotSupportedError with what to do instead: in the vendor's own app, where nothing else is known."""
    title = VENDORS[vendor]
    raise NotSupportedError(
        f"{title} has no way to {verb} over its API.", next_step=instead or f"It can be done in {title}'s own app."
    )
