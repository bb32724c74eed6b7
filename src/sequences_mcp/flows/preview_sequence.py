"""What each contact would get, when, and what would hold or block it; changes nothing."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from datetime import datetime

from sequences_mcp.domain.blueprint import Blueprint
from sequences_mcp.domain.contact import Contact, facts_of
from sequences_mcp.domain.ids import LOCAL, Kind
from sequences_mcp.domain.plan import Terms
from sequences_mcp.flows.busy import busy_now
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.entry import Entry, Rows, optional_facts, read_rows, told_of, with_optional
from sequences_mcp.flows.get_blueprint import get_blueprint
from sequences_mcp.flows.left_out import left_out, left_out_there
from sequences_mcp.flows.person import Person, person
from sequences_mcp.flows.start_at_vendor import enrollees, offer_of, require_sound_rows
from sequences_mcp.flows.timetable import Slot, timetable

UNSAVED = "unsaved"


@dataclass(frozen=True, slots=True)
class PersonPreview:
    """One person's texts and times; ``blocked`` says why a start would leave them out."""

    person: Person
    slots: tuple[Slot, ...]
    blocked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """A blueprint as it would reach each contact."""

    blueprint: Blueprint
    people: tuple[PersonPreview, ...]
    terms: Terms


async def preview_sequence(desk: Desk, *, blueprint_id: str, contacts: Items[object]) -> Preview:
    """Return the final texts and local times for each contact; contacts given as facts are not saved."""
    rows = read_rows(contacts, policy=desk.policy)
    if desk.provider_of(blueprint_id, Kind.BLUEPRINT).name != LOCAL:
        return await _preview_there(desk, blueprint_id, rows)
    with told_of(rows):
        blueprint = (await get_blueprint(desk, blueprint_id=blueprint_id)).blueprint
    people = await _people(desk, blueprint, rows)
    suppressed = await desk.suppressions.suppressed_among(people)
    busy = await busy_now(desk, [contact.id for contact in people])
    shown = []
    for entry, contact in zip(rows.entries, people, strict=True):
        one = person(desk, blueprint, contact, variables=entry.variables, texts=entry.texts)
        slots = timetable(desk, blueprint.steps, zone=one.time_zone, start=desk.clock())
        blocked = left_out(one, suppressed=suppressed.get(contact.id), busy=busy.get(contact.id))
        shown.append(PersonPreview(one, slots, blocked))
    return Preview(blueprint, tuple(shown), desk.terms)


async def _preview_there(desk: Desk, blueprint_id: str, rows: Rows) -> Preview:
    if not rows.is_sound:
        await require_sound_rows(desk, rows, blueprint_id=blueprint_id)
    offer = await offer_of(desk, blueprint_id=blueprint_id, review_left_out=False)
    people = await enrollees(desk, offer, rows, keep=False)
    slots = timetable(desk, offer.blueprint.steps, zone="", start=desk.clock())
    blocked = await left_out_there(desk, people)
    shown = [
        PersonPreview(replace(one.person, findings=(*offer.warnings, *one.person.findings)), slots, reasons)
        for one, reasons in zip(people, blocked, strict=True)
    ]
    return Preview(offer.blueprint, tuple(shown), desk.vendor_terms[offer.provider.name])


async def _people(desk: Desk, blueprint: Blueprint, rows: Rows) -> list[Contact]:
    contacts = offered(desk.local.contacts, desk.local, verb="read contacts")
    entries = with_optional(rows.entries, optional_facts(blueprint.steps))
    matched = await contacts.match_contacts([entry.contact for entry in entries])
    rows.require_sound(matched.problems)
    return [
        _merged(entry, stored, position=position, now=desk.clock())
        for position, (entry, stored) in enumerate(zip(entries, matched.people, strict=True), start=1)
    ]


def _merged(entry: Entry, stored: Contact | None, *, position: int, now: datetime) -> Contact:
    given = {name: value for name, value in facts_of(entry.contact.fields).items() if value is not None}
    if stored is None:
        return Contact(id=f"{UNSAVED} {position}", created_at=now, updated_at=now, **given)
    return replace(stored, **given)
