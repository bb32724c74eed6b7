"""Views of contacts; what is known about a person was written by others and is in fields of its own."""

from __future__ import annotations

from collections.abc import Sequence as Items
from typing import TYPE_CHECKING, Any

from sequences_mcp.domain.contact import Contact, facts_of
from sequences_mcp.ports.embedded import SavedContact
from sequences_mcp.ports.vendor import PlacedContact
from sequences_mcp.server.text import cut, fair_limit, size
from sequences_mcp.server.view import PageView, ResultView, WrittenView, numbered

if TYPE_CHECKING:
    from sequences_mcp.services.contacts import FoundContacts

NOTES_BUDGET = 1_000
FACT_LIMIT = 80
SAVED_SHOWN = 30


class WhoView(ResultView):
    """Identifies a person; without an id, the vendor has deleted the contact."""

    contact_id: str | None = None
    name: str | None = None
    email: str | None = None


class ContactView(ResultView):
    """A stored person. ``notes`` is cut where a page has many; a narrower query shows more of it."""

    id: str
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    company_domain: str | None = None
    job_title: str | None = None
    location: str | None = None
    country: str | None = None
    time_zone: str | None = None
    language: str | None = None
    linkedin_url: str | None = None
    source: str | None = None
    found_at: str | None = None
    basis: str | None = None
    consent: str | None = None
    notes: str | None = None
    never_contact: str | None = None


class ContactPage(PageView):
    """Some people."""

    items: tuple[ContactView, ...]


class NotSavedView(ResultView):
    """A person whom a vendor did not save: the position in the call, our reason, and the vendor's own words."""

    contact: int
    why: str | None = None
    vendor_code: str | None = None
    vendor_message: str | None = None


class ContactsSaved(WrittenView):
    """What became of each person saved, in order; at a vendor, how many and, of those not saved, why."""

    created: int | None = None
    updated: int | None = None
    contacts: tuple[WhoView, ...] | None = None
    contacts_left_out: int | None = None
    saved: int | None = None
    were_there: int | None = None
    not_saved: tuple[NotSavedView, ...] | None = None
    not_saved_left_out: int | None = None


def who(contact: Contact) -> dict[str, Any]:
    """Return a person in one line, for the constructor of a WhoView."""
    return {
        "contact_id": contact.id or None,
        "name": cut(contact.display_name, FACT_LIMIT) or None,
        "email": _fact(contact.email),
    }


def contact_page(matches: FoundContacts) -> ContactPage:
    """Return a page of people: notes cut to one shared budget, and why a suppressed person is on the list."""
    page, never = matches
    limit = fair_limit((size(contact.notes) for contact in page.items), budget=NOTES_BUDGET)
    items = tuple(_contact(contact, limit, never=never.get(contact.id)) for contact in page.items)
    return ContactPage(items=items, **numbered(page))


def contacts_saved(saved: Items[SavedContact]) -> ContactsSaved:
    """Return the result of an upsert."""
    created = sum(person.created for person in saved)
    return ContactsSaved(
        created=created,
        updated=len(saved) - created,
        contacts=tuple(WhoView(**who(person.contact)) for person in saved[:SAVED_SHOWN]),
        contacts_left_out=max(0, len(saved) - SAVED_SHOWN) or None,
        next="start_sequence and preview_sequence take these ids, or the e-mail addresses.",
    )


def contacts_placed(people: Items[PlacedContact]) -> ContactsSaved:
    """Return what became of people given to a vendor; the outcome is "not_done" if one of them was not saved."""
    failed = [(position, person) for position, person in enumerate(people, start=1) if person.outcome != "done"]
    return ContactsSaved(
        outcome="not_done" if failed else "done",
        saved=len(people) - len(failed),
        were_there=sum(person.was_there for person in people),
        not_saved=tuple(_not_saved(*pair) for pair in failed[:SAVED_SHOWN]) or None,
        not_saved_left_out=max(0, len(failed) - SAVED_SHOWN) or None,
        next="Some were saved, the rest was not: not_saved says why. The same call with a new key does no harm."
        if failed
        else "find_contacts shows them there; nothing was started for anybody.",
    )


def _not_saved(position: int, person: PlacedContact) -> NotSavedView:
    message = cut(person.vendor_message, 2 * FACT_LIMIT) if person.vendor_message else None
    return NotSavedView(contact=position, why=person.why, vendor_code=person.vendor_code, vendor_message=message)


def _contact(contact: Contact, limit: int, *, never: str | None) -> ContactView:
    facts: dict[str, Any] = {name: _fact(value) for name, value in facts_of(contact).items()}
    return ContactView(id=contact.id, notes=cut(contact.notes, limit) or None, never_contact=_fact(never), **facts)


def _fact(value: str | None) -> str | None:
    return None if value is None else cut(value, FACT_LIMIT)
