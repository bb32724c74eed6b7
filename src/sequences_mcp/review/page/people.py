"""The people of a plan on its screen: searched, filtered, read one by one, taken out."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

from starlette.responses import Response

from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.run import Run, StopReason
from sequences_mcp.domain.shown import PeopleBeside
from sequences_mcp.errors import InvalidArgumentsError, NotFoundError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.ports.embedded import PeopleFilter
from sequences_mcp.review import consent
from sequences_mcp.review.listing import BesideRequest, people_beside, people_wanted
from sequences_mcp.review.page.guard import READS
from sequences_mcp.review.page.request import PageRequest, local_path
from sequences_mcp.services.sequences import get_sequence, stop_sequence

SIZE = 50
EVERYBODY = PeopleFilter()
SELECTED = "out."  # begins the name of the field of each selected person


@dataclass(frozen=True, slots=True, kw_only=True)
class SideAddresses:
    """The URLs of the list of a plan's people that stands beside the texts.

    ``wanted`` has the search and filter of the list, which every link keeps; ``chosen`` is the run id of the
    person whose texts are shown, ``page`` the page of the list. ``is_counted``: showing these texts counts as
    having read them.
    """

    plan_id: str
    wanted: PeopleFilter = EVERYBODY
    chosen: str | None = None
    page: int = 1
    is_counted: bool = False

    @property
    def query(self) -> str:
        """The search and the filter as a query string, with its question mark; empty for neither."""
        parts = {name: value for name, value in (("q", self.wanted.search), ("show", self.wanted.kind)) if value}
        return f"?{urlencode(parts)}" if parts else ""

    def of(self, sequence_id: str | None) -> str | None:
        """Return the path that shows a person, or None for nobody."""
        return f"/plans/{self.plan_id}/people/{sequence_id}{self.query}" if sequence_id else None

    @property
    def current(self) -> str:
        """The path of the person on the screen, else of the list."""
        return self.of(self.chosen) or f"/plans/{self.plan_id}{self.query}"

    @property
    def listing(self) -> str:
        """The path of the list as it is shown."""
        return f"/plans/{self.plan_id}{self.query or '?'}{'&' if self.query else ''}page={self.page}"


async def side(
    page_request: PageRequest, plan: Plan, *, chosen: str | None = None
) -> tuple[PeopleBeside, SideAddresses]:
    """Return a page of a plan's people, with the texts of one of them, and the URLs around it.

    ``chosen`` is the run id of the person to show; without it, the next person who is still to be read, or else
    the first of the list. Showing somebody counts as having opened their texts, except where the request was a
    search, a filter, a page of the list or the answer to a form: those ask for the list, not for a person.
    """
    app, reading = page_request.app.sending_under(plan.header.terms), page_request.unlocked
    given = page_request.request.query_params
    wanted = people_wanted(search=given.get("q", ""), kind=given.get("show", ""))
    is_opening = page_request.request.method in READS and not given
    is_counted = chosen is not None or is_opening
    if chosen is None and is_opening:
        _, chosen = await consent.next_unread(app, plan, reading)

    def shown(run: Run) -> None:
        if is_counted:
            consent.show_person(reading, run)

    request = BesideRequest(chosen, page_request.page, SIZE, wanted)
    beside = await people_beside(app, plan, reading, request=request, shown=shown)
    links = SideAddresses(
        plan_id=plan.id,
        wanted=wanted,
        chosen=beside.person.sequence.id if beside.person else None,
        page=beside.people.page,
        is_counted=is_counted,
    )
    return beside, links


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
    return page_request.redirect(SideAddresses(plan_id=plan.id).of(turn) or f"/plans/{plan.id}")


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
