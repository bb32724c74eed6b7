"""From what a vendor tells to the values that the product's verbs work with.

A status whose meaning is not documented counts as live: nothing must be started again because a word is new.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NoReturn

from sequences_mcp.domain.blueprint import Blueprint, Sourcing
from sequences_mcp.domain.contact import Contact, ContactFields, facts_of
from sequences_mcp.domain.ids import VENDORS
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.sequence import Sequence, SequenceStatus
from sequences_mcp.errors import NotSupportedError
from sequences_mcp.providers.port import Outlook, SequenceDetail
from sequences_mcp.providers.remote import RemoteBlueprint, RemoteContact, RemotePage, RemoteSequence

UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
UNTOLD = 0


def detail_of(run: RemoteSequence, *, contact: Contact | None = None) -> SequenceDetail:
    """Return a vendor's run: without steps, zone and plan, which its API does not tell."""
    created = run.created_at or UNDATED
    person = run.contact_id or f"{run.provider}:?"
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
    why = _why(run, VENDORS[run.provider])
    return SequenceDetail(
        sequence=sequence,
        contact=contact or unnamed,
        outlook=Outlook(next_at=None, why=why),
        provider_status=run.provider_status,
        steps_there=run.steps,
    )


def _why(run: RemoteSequence, title: str) -> str:
    if run.status is None:
        return f"{title} does not document its own status; it counts as live. {title}'s app shows more."
    if run.needs_action:
        return f"A person has to do something in {title}'s app."
    return f"{title} runs it and does not tell over its API what comes next."


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
