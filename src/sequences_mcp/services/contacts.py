"""Contacts: searched, saved, and placed on a vendor's lists."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from datetime import timedelta
from typing import Any, NamedTuple

from sequences_mcp.context import AppContext
from sequences_mcp.domain.contact import Contact, facts_of
from sequences_mcp.domain.ids import LOCAL, provider_of
from sequences_mcp.domain.page import DEFAULT_SIZE, Page
from sequences_mcp.errors import (
    NotFoundError,
    NotSupportedError,
    OutcomeUnknownError,
    ProviderConflictError,
    ProviderError,
    ProviderRejectedError,
    SequencesError,
)
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.planning.recipient_rows import (
    PART,
    matched_people,
    read_contact_inputs,
    read_many_recipients,
)
from sequences_mcp.ports.embedded import ContactEntry, SavedContact
from sequences_mcp.ports.provider import Provider
from sequences_mcp.ports.vendor import ContactInput, PlacedContact, SourcingRow
from sequences_mcp.vendors.registry import vendors_with_tool


class FoundContacts(NamedTuple):
    """A page of people, and why those of them who must never be contacted are on the list, by contact id."""

    page: Page[Contact]
    never: Mapping[str, str]


async def find_contacts(
    app: AppContext, *, query: str = "", provider: str = LOCAL, page: int = 1, size: int = DEFAULT_SIZE
) -> FoundContacts:
    """Return people whose name, address, company or title contains the query; everybody for an empty one.

    ``provider`` is a name, or the id of a Kalent sourcing.
    """
    where = app.named(provider_of(provider))
    if where.offers(Provider.find_candidates):
        results = await where.find_candidates(provider, query.strip(), page=page, size=size)
    else:
        results = await where.find_contacts(query.strip(), page=page, size=size)
    return FoundContacts(results, await app.suppressions.suppressed_among(results.items))


async def save_contacts(app: AppContext, *, contacts: Items[object]) -> list[SavedContact]:
    """Save all or none; a note is appended with a stamp and nothing stored is erased."""
    return await app.local.save_contacts(await entries_to_save(app, contacts=contacts))


async def entries_to_save(app: AppContext, *, contacts: Items[object]) -> Items[ContactEntry]:
    """Return the people of a call as they are to be saved; one error names what is wrong with each of them.

    It lets everything else on the event loop go on meanwhile, so it is called before a transaction.
    """
    rows = await read_many_recipients(contacts, policy=app.policy, extras=False)
    entries = [entry.contact for entry in rows.entries]
    if rows.is_sound and len(entries) <= PART:
        return entries
    # In parts, as a start does it; and one answer names what is wrong with the other rows too.
    matched = await matched_people(app.local.match_contacts, entries)
    rows.require_sound(matched.problems)
    return matched.entries


async def list_sourcings(app: AppContext, *, page: int = 1, size: int = DEFAULT_SIZE) -> Page[SourcingRow]:
    """Return one page; NotSupportedError where no vendor that has sourcings is connected."""
    names = vendors_with_tool("list_sourcings")
    where = app.named(next((name for name in names if name in app.providers), names[0]))
    return await where.list_sourcings(page=page, size=size)


LONGEST = timedelta(seconds=50)  # one more request may follow; both end before a client gives up waiting
ABOUT_ONE = (
    NotFoundError,
    ProviderRejectedError,
    ProviderConflictError,
)  # errors about one person: the others are tried all the same
UNTRIED = "not tried"


@dataclass(slots=True)
class _Trail:
    """How far a placement is: the outcome of each person, None while they were not tried, and the last error."""

    placed: list[PlacedContact | None]
    error: SequencesError | None = None

    def may_go_on(self) -> bool:
        """Say whether another request may follow."""
        is_unknown = any(placed is not None and placed.outcome == "unknown" for placed in self.placed)
        return not is_unknown and (self.error is None or isinstance(self.error, ABOUT_ONE))

    def people(self) -> tuple[PlacedContact, ...]:
        """Return the outcome of everybody: of people who were not tried, ``not_done``."""
        return tuple(placed or PlacedContact(outcome="not_done", why=UNTRIED) for placed in self.placed)


async def place_contacts(app: AppContext, *, place_id: str, contacts: Items[object]) -> tuple[PlacedContact, ...]:
    """Return what became of each person, in order.

    Raises OutcomeUnknownError, with everybody's outcome, as soon as one is unknown: nobody is tried twice, and
    nobody after them. When nobody was placed, the last error is raised.
    """
    provider = app.named(provider_of(place_id))
    if not provider.offers(Provider.place_contacts):
        raise _takes_nobody(provider)
    people = read_contact_inputs(
        contacts, most=provider.contacts_a_call, misfit=provider.contact_misfit, policy=app.policy
    )
    trail = _Trail(list(await provider.placed_already(place_id, people)))
    await _hold_back(app, people, trail)
    await _put(app, provider, place_id, people=people, trail=trail)
    return _placed_or_raise(trail, provider)


async def _put(
    app: AppContext, provider: Provider, place_id: str, *, people: Items[ContactInput], trail: _Trail
) -> None:
    """Make one request after the other until one ends unknown, fails for everybody, or it takes too long."""
    begun = app.clock()
    waiting = [index for index, placed in enumerate(trail.placed) if placed is None]
    for start in range(0, len(waiting), provider.contacts_a_request):
        if app.clock() - begun > LONGEST or not trail.may_go_on():
            return
        group = waiting[start : start + provider.contacts_a_request]
        try:
            placeds = await provider.place_contacts(place_id, [people[index] for index in group])
        except (ProviderError, NotFoundError) as error:
            trail.error, placeds = error, (_failed(error),) * len(group)
        for index, placed in zip(group, placeds, strict=True):
            trail.placed[index] = placed


def _failed(error: SequencesError) -> PlacedContact:
    return PlacedContact(
        outcome="unknown" if error.outcome == "unknown" else "not_done",
        why=error.code,
        vendor_code=error.data.get("vendor_code"),
        vendor_message=error.data.get("vendor_message"),
    )


async def _hold_back(app: AppContext, people: Items[ContactInput], trail: _Trail) -> None:
    """Set the outcome of suppressed people to "not done": they are placed nowhere."""
    now = app.clock()
    facts = [
        Contact(id=contact.id or f"?{index}", created_at=now, updated_at=now, **facts_of(contact.fields))
        for index, contact in enumerate(people)
    ]
    listed = await app.suppressions.suppressed_among(facts)
    for index, contact in enumerate(facts):
        if contact.id in listed and trail.placed[index] is None:
            trail.placed[index] = PlacedContact(outcome="not_done", why="suppressed: never to be contacted")


def _placed_or_raise(trail: _Trail, provider: Provider) -> tuple[PlacedContact, ...]:
    people = trail.people()
    failed = [(position, placed) for position, placed in enumerate(people, start=1) if placed.outcome != "done"]
    rows = {"people": [_row(*pair) for pair in failed], "taken_in": len(people) - len(failed)}
    if any(person.outcome == "unknown" for person in people):
        raise _unknown(trail, provider, rows)
    if any(person.outcome == "done" for person in people):
        return people
    if trail.error is None:
        raise ProviderRejectedError(
            f"{provider.title} took in none of these people.",
            next_step="`people` says why for each; whoever is mended can be given again.",
            data=rows,
        )
    more = rows if len(people) > 1 else {}
    raise type(trail.error)(
        trail.error.message, next_step=trail.error.next_step, data={**trail.error.data, **more}
    )


def _unknown(trail: _Trail, provider: Provider, rows: dict[str, Any]) -> OutcomeUnknownError:
    known = trail.error.data if isinstance(trail.error, OutcomeUnknownError) else {"provider": provider.name}
    return OutcomeUnknownError(
        f"OUTCOME UNKNOWN: {provider.title} may or may not have taken in the people marked so.",
        next_step="Do not call this again. Whoever is not in `people` was taken in.",
        data={**known, "something_may_have_happened": True, "safe_to_call_again": False, **rows},
    )


def _row(position: int, placed: PlacedContact) -> dict[str, Any]:
    facts = {
        "contact": position,
        "outcome": placed.outcome,
        "why": placed.why,
        "vendor_code": placed.vendor_code,
        "vendor_message": placed.vendor_message,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _takes_nobody(provider: Provider) -> NotSupportedError:
    return NotSupportedError(
        f"{provider.title} has no list to put people on: its start saves the person.",
        next_step="start_sequence with a blueprint of it takes people by their facts and saves them there.",
    )
