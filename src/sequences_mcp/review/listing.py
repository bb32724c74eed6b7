"""The people of a plan beside the texts of one of them, as the page and the panel both show them."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from typing import NamedTuple, cast, get_args

from sequences_mcp.context import AppContext
from sequences_mcp.domain.blueprint import Sourcing
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.records import VariantTally
from sequences_mcp.domain.run import Run
from sequences_mcp.domain.shown import PeopleBeside, PersonRow, PersonShown, is_own_text
from sequences_mcp.errors import InvalidArgumentsError, NotFoundError
from sequences_mcp.planning.warnings import sourcing_of_plan
from sequences_mcp.ports.embedded import PeopleFilter, PeopleKind, SequenceDetail
from sequences_mcp.review import consent
from sequences_mcp.review.lock.sessions import Reading
from sequences_mcp.review.presentation import people_words, present_person, present_texts
from sequences_mcp.services.sequences import get_sequence

LONGEST_SEARCH = 200


class BesideRequest(NamedTuple):
    """Whom a person wants to see, by the id of a run, else the first of a page of the list; and which list."""

    chosen: str | None
    page: int
    size: int
    wanted: PeopleFilter


def people_wanted(*, search: str, kind: str) -> PeopleFilter:
    """Return the conditions of a list from what a person typed and chose; InvalidArgumentsError."""
    if kind not in get_args(PeopleKind):
        raise InvalidArgumentsError(f"{kind[:20]!r} is no kind of people.", next_step="Choose one of the list.")
    return PeopleFilter(search=search.strip()[:LONGEST_SEARCH], kind=cast(PeopleKind, kind))


async def people_beside(
    app: AppContext, plan: Plan, reading: Reading, *, request: BesideRequest, shown: Callable[[Run], None]
) -> PeopleBeside:
    """Return the people of a plan with the texts of the one who is chosen; NotFoundError where they are not in it.

    ``app`` sends under the plan's terms. ``shown`` is called with whose texts are shown, before it is counted what
    is left to be read.
    """
    chosen, wanted, size = request.chosen, request.wanted, request.size
    place = await app.records.place_of_person(plan.id, chosen, wanted=wanted) if chosen else None
    number = request.page if place is None else (place - 1) // size + 1
    listed = await app.records.list_people(plan.id, page=number, size=size, wanted=wanted)
    sourcing = await sourcing_of_plan(app, plan)
    detail = await _chosen(app, plan, listed=listed, chosen=chosen)
    if detail is not None:
        shown(detail.sequence)
    unread, turn = await consent.next_unread(app, plan, reading, after=detail.sequence.id if detail else None)
    if detail is not None and consent.unread_texts(app, detail.sequence, reading=reading):
        turn = detail.sequence.id
    before, after = await _neighbours(app, plan, listed, wanted=wanted, detail=detail)
    variants = await app.records.variants_in(plan.id)
    return PeopleBeside(
        people=listed.map(lambda item: _row(app, item, reading=reading, sourcing=sourcing, variants=variants)),
        person=present_texts(app, detail, sourcing=sourcing) if detail else None,
        before=before,
        after=after,
        unread=unread,
        turn=turn,
    )


async def _chosen(
    app: AppContext, plan: Plan, *, listed: Page[SequenceDetail], chosen: str | None
) -> SequenceDetail | None:
    if chosen is None:
        return listed.items[0] if listed.items else None
    known = next((detail for detail in listed.items if detail.sequence.id == chosen), None)
    detail = known or await get_sequence(app, sequence_id=chosen)
    if detail.sequence.plan_id != plan.id:
        raise NotFoundError("This person is not in this plan.", next_step="The plan's list shows who is.")
    return detail


async def _neighbours(
    app: AppContext,
    plan: Plan,
    listed: Page[SequenceDetail],
    *,
    wanted: PeopleFilter,
    detail: SequenceDetail | None,
) -> tuple[str | None, str | None]:
    """Return who is before and after the chosen person in the list; after somebody who is not in it, its first."""
    ids = [other.sequence.id for other in listed.items]
    if detail is None or detail.sequence.id not in ids:
        return None, ids[0] if ids and detail is not None else None
    at = ids.index(detail.sequence.id)
    place = (listed.page - 1) * listed.size + at + 1

    async def at_place(number: int) -> str | None:
        if not 1 <= number <= listed.total_count:
            return None
        listed_there = await app.records.list_people(plan.id, page=number, size=1, wanted=wanted)
        return listed_there.items[0].sequence.id if listed_there.items else None

    before = ids[at - 1] if at else await at_place(place - 1)
    after = ids[at + 1] if at + 1 < len(ids) else await at_place(place + 1)
    return before, after


def _row(
    app: AppContext,
    detail: SequenceDetail,
    *,
    reading: Reading,
    sourcing: Sourcing,
    variants: Items[VariantTally],
) -> PersonRow:
    person = present_person(app, detail, sourcing=sourcing)
    unread = bool(consent.unread_texts(app, detail.sequence, reading=reading))
    return PersonRow(person=person, group=_group(person, variants), unread=unread)


def _group(person: PersonShown, variants: Items[VariantTally]) -> str:
    sequence = person.sequence
    if person.is_out:
        return "Taken out"
    if sequence.warnings:
        return "Look at these first"
    if sequence.is_at_vendor:
        return "Everybody"
    if any(run.text_generation for run in sequence.steps):
        return "Changed for one person"
    if any(map(is_own_text, sequence.steps)):
        return "With texts of their own"
    for place, run in enumerate(sequence.steps):
        if run.variant is not None:
            mine = (known.people for known in variants if (known.place, known.number) == (place, run.variant))
            people = next((f", for {people_words(number)}" for number in mine), "")
            return f"Variant {run.letter} of step {place + 1}{people}"
    if any(run.recipient is None for run in sequence.steps):
        return "With a step left out"
    return "The same text for everybody"
