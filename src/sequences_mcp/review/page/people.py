"""The people of a plan beside the texts of one of them: searched, filtered, read one by one, taken out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import cast, get_args
from urllib.parse import urlencode

from starlette.responses import Response

from sequences_mcp.context import AppContext
from sequences_mcp.domain.blueprint import Sourcing
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.run import StopReason
from sequences_mcp.domain.shown import PersonShown, is_own_text
from sequences_mcp.errors import InvalidArgumentsError, NotFoundError
from sequences_mcp.planning.warnings import sourcing_of_plan
from sequences_mcp.ports.embedded import PeopleFilter, PeopleKind, SequenceDetail
from sequences_mcp.review import consent
from sequences_mcp.review.lock.sessions import Reading
from sequences_mcp.review.page.guard import READS
from sequences_mcp.review.page.request import PageRequest, local_path
from sequences_mcp.review.presentation import present_person, present_texts
from sequences_mcp.services.sequences import get_sequence, stop_sequence

SIZE = 50
LONGEST_SEARCH = 200
SELECTED = "out."  # begins the name of the field of each selected person


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One person of a plan in the list; ``unread``: has a text to be read that was not opened."""

    person: PersonShown
    group: str
    unread: bool
    path: str

    @property
    def facts(self) -> str:
        """Their title and company."""
        contact = self.person.contact
        return ", ".join(filter(None, (contact.job_title, contact.company)))

    @property
    def address(self) -> str:
        """Where the first step reaches them."""
        sequence, contact = self.person.sequence, self.person.contact
        if sequence.steps:
            return sequence.steps[0].recipient or "no address for the first step"
        return contact.email or contact.linkedin_url or contact.phone or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The list of a plan's people as it is shown beside one of them, and where to go from there.

    ``person`` is None for a plan without people, or where no one meets the conditions. ``unread`` is how many
    people have a text to be read that was not opened, ``turn`` the path of whose turn that is next, ``path`` that
    of this person's screen, ``listing`` that of the list as it is shown, which names nobody. ``query`` has the
    conditions, as every link carries them. ``is_counted``: these texts, being on the screen, count as read.
    """

    people: Page[Row]
    wanted: PeopleFilter
    person: PersonShown | None
    before: str | None
    after: str | None
    unread: int
    turn: str | None
    path: str
    listing: str
    query: str
    is_counted: bool

    @property
    def groups(self) -> list[tuple[str, list[Row]]]:
        """The people of this page under the headings of what is special about them."""
        return [(group, list(rows)) for group, rows in groupby(self.people.items, key=lambda row: row.group)]


@dataclass(frozen=True, slots=True)
class _Paths:
    """The addresses of people in one list."""

    plan: Plan
    query: str

    def of(self, sequence_id: str | None) -> str | None:
        """Return the path that shows a person, or None for nobody."""
        return f"/plans/{self.plan.id}/people/{sequence_id}{self.query}" if sequence_id else None


async def side(page_request: PageRequest, plan: Plan, *, chosen: str | None = None) -> Side:
    """Return the people of a plan with the texts of the one who is chosen, which counts as having opened them.

    Where nobody is chosen that is whose turn it is to be read, or the first of the list. A search, a filter, a
    page of the list and the answer to a form show the first as well, but these texts do not count as opened: the
    person asked for the list.
    """
    app, reading = page_request.app.sending_under(plan.header.terms), page_request.unlocked
    wanted, query = _conditions(page_request)
    is_opening = page_request.request.method in READS and not page_request.request.query_params
    is_counted = chosen is not None or is_opening
    if chosen is None and is_opening:
        _, chosen = await consent.next_unread(app, plan, reading)
    place = await app.records.place_of_person(plan.id, chosen, wanted=wanted) if chosen else None
    number = page_request.page if place is None else (place - 1) // SIZE + 1
    listed = await app.records.list_people(plan.id, page=number, size=SIZE, wanted=wanted)
    sourcing = await sourcing_of_plan(app, plan)
    detail = await _chosen(app, plan, listed=listed, chosen=chosen)
    if detail is not None and is_counted:
        consent.show_person(reading, detail.sequence)
    unread, turn = await consent.next_unread(app, plan, reading, after=detail.sequence.id if detail else None)
    if detail is not None and consent.unread_texts(app, detail.sequence, reading=reading):
        turn = detail.sequence.id
    before, after = await _neighbours(app, plan, listed, wanted=wanted, detail=detail)
    paths = _Paths(plan, query)
    return Side(
        people=listed.map(lambda item: _row(app, item, reading=reading, sourcing=sourcing, paths=paths)),
        wanted=wanted,
        person=present_texts(app, detail, sourcing=sourcing) if detail else None,
        before=paths.of(before),
        after=paths.of(after),
        unread=unread,
        turn=paths.of(turn),
        path=paths.of(detail.sequence.id if detail else None) or f"/plans/{plan.id}{query}",
        listing=f"/plans/{plan.id}{query or '?'}{'&' if query else ''}page={listed.page}",
        query=query,
        is_counted=is_counted,
    )


def _conditions(page_request: PageRequest) -> tuple[PeopleFilter, str]:
    """Return the conditions of the list, and the same as a query string."""
    given = page_request.request.query_params
    search, kind = given.get("q", "").strip()[:LONGEST_SEARCH], given.get("show", "")
    if kind not in get_args(PeopleKind):
        raise InvalidArgumentsError(f"{kind[:20]!r} is no kind of people.", next_step="Choose one of the list.")
    parts = {name: value for name, value in (("q", search), ("show", kind)) if value}
    wanted = PeopleFilter(search=search, kind=cast(PeopleKind, kind))
    return wanted, f"?{urlencode(parts)}" if parts else ""


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


def _row(app: AppContext, detail: SequenceDetail, *, reading: Reading, sourcing: Sourcing, paths: _Paths) -> Row:
    person = present_person(app, detail, sourcing=sourcing)
    unread = bool(consent.unread_texts(app, detail.sequence, reading=reading))
    return Row(person=person, group=_group(person), unread=unread, path=paths.of(detail.sequence.id) or "")


def _group(person: PersonShown) -> str:
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
    if any(run.recipient is None for run in sequence.steps):
        return "With a step left out"
    return "The same text for everybody"


async def sample_screen(page_request: PageRequest) -> Response:
    """Go to the first person of a plan who waits."""
    plan = await page_request.app.plans.get_plan(page_request.path_part("plan"))
    people = await page_request.app.records.list_people(plan.id, page=1, size=1)
    if not people.items:
        raise NotFoundError("This plan has nobody in it.", next_step="Refuse it.")
    return page_request.redirect(f"/plans/{plan.id}/people/{people.items[0].sequence.id}")


async def unread_screen(page_request: PageRequest) -> Response:
    """Go to the person whose turn it is to be read, or to the plan where everybody was."""
    plan = await page_request.app.plans.get_plan(page_request.path_part("plan"))
    _, turn = await consent.next_unread(page_request.app, plan, page_request.unlocked)
    return page_request.redirect(_Paths(plan, "").of(turn) or f"/plans/{plan.id}")


async def reject_person_form(page_request: PageRequest) -> Response:
    """Take one person out of a plan; the others stay."""
    await _taken_out(page_request, [page_request.path_part("sequence")])
    return _back(page_request)


async def reject_people_form(page_request: PageRequest) -> Response:
    """Take the selected people out of a plan; the others stay."""
    selected = [name.removeprefix(SELECTED) for name in page_request.form if name.startswith(SELECTED)]
    if not selected:
        raise InvalidArgumentsError("Nobody is selected.", next_step="Select people in the list first.")
    await _taken_out(page_request, selected)
    return _back(page_request)


async def _taken_out(page_request: PageRequest, sequence_ids: Iterable[str]) -> None:
    """Take people out of the plan of the path; NotFoundError, before anybody was, for one who is not in it."""
    plan = await page_request.app.plans.get_plan(page_request.path_part("plan"))
    details = [await get_sequence(page_request.app, sequence_id=sequence_id) for sequence_id in sequence_ids]
    if any(detail.sequence.plan_id != plan.id for detail in details):
        raise NotFoundError("This person is not in this plan.", next_step="The plan's list shows who is.")
    for detail in details:
        await stop_sequence(page_request.app, sequence_id=detail.sequence.id, reason=StopReason.LOSE)


def _back(page_request: PageRequest) -> Response:
    then = page_request.form.get("then", "")
    return page_request.redirect(local_path(then) if then else f"/plans/{page_request.path_part('plan')}#people")
