"""People: what is known about them was written by others and stays in fields of its own."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import fields
from typing import Any

from sequences_mcp.domain.contact import Contact, ContactFields
from sequences_mcp.domain.page import Page
from sequences_mcp.providers.port import SavedContact
from sequences_mcp.server.text import cut, fair_limit
from sequences_mcp.server.view import PageView, View, WrittenView, numbered

NOTES_BUDGET = 1_000
FACT_LIMIT = 80
SAVED_SHOWN = 30


class WhoView(View):
    """Enough of a person to tell them from others."""

    contact_id: str
    name: str
    email: str | None = None


class ContactView(View):
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
    notes: str | None = None


class ContactPage(PageView):
    """Some people."""

    items: tuple[ContactView, ...]


class ContactsSaved(WrittenView):
    """What became of each person saved, in order."""

    created: int
    updated: int
    contacts: tuple[WhoView, ...]
    contacts_left_out: int | None = None


def who(contact: Contact) -> dict[str, Any]:
    """Return a person in one line, for the constructor of a WhoView."""
    return {
        "contact_id": contact.id,
        "name": cut(contact.display_name, FACT_LIMIT),
        "email": _fact(contact.email),
    }


def contact_page(page: Page[Contact]) -> ContactPage:
    """Return a page of people whose notes share one budget."""
    limit = fair_limit((len(contact.notes) for contact in page.items), budget=NOTES_BUDGET)
    return ContactPage(items=tuple(_contact(contact, limit) for contact in page.items), **numbered(page))


def contacts_saved(saved: Items[SavedContact]) -> ContactsSaved:
    """Return the result of an upsert."""
    created = sum(one.created for one in saved)
    return ContactsSaved(
        created=created,
        updated=len(saved) - created,
        contacts=tuple(WhoView(**who(one.contact)) for one in saved[:SAVED_SHOWN]),
        contacts_left_out=max(0, len(saved) - SAVED_SHOWN) or None,
        next="start_sequence and preview_sequence take these ids, or the e-mail addresses.",
    )


def _contact(contact: Contact, limit: int) -> ContactView:
    facts: dict[str, Any] = {f.name: _fact(getattr(contact, f.name)) for f in fields(ContactFields)}
    return ContactView(id=contact.id, notes=cut(contact.notes, limit) or None, **facts)


def _fact(value: str | None) -> str | None:
    return None if value is None else cut(value, FACT_LIMIT)
