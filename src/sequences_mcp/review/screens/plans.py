"""One plan: what it would do, who is in it, and a person's yes or no."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from itertools import groupby

from starlette.responses import Response

from sequences_mcp.domain.blueprint import Sourcing
from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.domain.sequence import SequenceStatus
from sequences_mcp.errors import ApprovalError
from sequences_mcp.flows.approve_plan import approve_plan
from sequences_mcp.flows.at_vendor import handed
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.hand_over import hand_over_soon
from sequences_mcp.flows.plan_warnings import person_warnings
from sequences_mcp.flows.refuse_plan import refuse_plan
from sequences_mcp.providers.port import SequenceDetail
from sequences_mcp.review import consent
from sequences_mcp.review.decide import MANY
from sequences_mcp.review.differences import changes
from sequences_mcp.review.overview import overview
from sequences_mcp.review.presence import Fault, doubt, facts_for
from sequences_mcp.review.visit import ACTOR, Visit, whole_number

SIZE = 50
HAND_OVER_AT_MOST = 3.0  # seconds that the page waits for a vendor; the handing over goes on without it


@dataclass(frozen=True, slots=True)
class Row:
    """One person of a plan in a list: ``differs`` None is a text of their own; ``handed`` what a vendor gets."""

    detail: SequenceDetail
    group: str
    differs: tuple[str, ...] | None
    findings: tuple[str, ...]
    handed: str


async def plan(visit: Visit) -> Response:
    """Show one plan."""
    found = await visit.desk.plans.get_plan(visit.named("plan"))
    return await _shown(visit, found)


async def approve(visit: Visit) -> Response:
    """Say yes to exactly what was shown."""
    found = await visit.desk.plans.get_plan(visit.named("plan"))
    tally = await visit.desk.records.tally(found.id)
    stated = visit.form.get("people", "")
    people = whole_number(stated, name="people") if stated.strip() else None
    if why := await consent.objection(visit.desk, found, tally=tally, reading=visit.own, people=people):
        return await _shown(visit, found, fault=Fault(HTTPStatus.CONFLICT, why))
    if fault := await doubt(visit):
        return await _shown(visit, found, fault=fault)
    try:
        done = await approve_plan(
            visit.desk,
            plan_id=found.id,
            digest=visit.form.get("digest", ""),
            actor=visit.actor,
            signature=visit.signature,
        )
    except ApprovalError as error:
        present = await visit.desk.plans.get_plan(found.id)
        since = visit.own.seen.get(visit.form.get("digest", ""))
        moved = [] if since is None else await consent.changes_since(visit.desk, present, since)
        return await _shown(visit, present, fault=Fault(HTTPStatus.CONFLICT, str(error)), moved=moved)
    if done.header.is_at_vendor:
        await hand_over_soon(visit.desk, plan_id=done.id, seconds=HAND_OVER_AT_MOST)
    return visit.goes(f"/plans/{done.id}")


async def refuse(visit: Visit) -> Response:
    """Say no."""
    reason = visit.form.get("reason", "").strip() or "refused on the review page"
    done = await refuse_plan(visit.desk, plan_id=visit.named("plan"), reason=reason, actor=ACTOR)
    return visit.goes(f"/plans/{done.id}")


async def renew(visit: Visit) -> Response:
    """Give a void plan today's terms, to be read and approved again."""
    done = await visit.desk.plans.renew_plan(visit.named("plan"))
    return visit.goes(f"/plans/{done.id}")


async def _shown(
    visit: Visit, found: Plan, *, fault: Fault | None = None, moved: list[str] | None = None
) -> Response:
    desk = visit.desk
    seen = await overview(desk, found, reading=visit.own)
    people = await desk.records.list_people(found.id, page=visit.page, size=SIZE)
    return visit.shows(
        "plan.html",
        **facts_for(visit, fault),
        plan=found,
        seen=seen,
        outcome=await desk.vendor_runs.outcome(found.id) if _is_handed_over(found) else None,
        many=seen.tally.concerned > MANY,
        groups=_groups(desk, people.items, seen.first, sourcing=seen.sourcing) if seen.first else [],
        people=people,
        moved=moved or [],
        waits=desk.waits_for_worker(found) if seen.tally.live else None,
    )


def _is_handed_over(plan: Plan) -> bool:
    return plan.header.is_at_vendor and plan.status is PlanStatus.APPROVED


def _groups(
    desk: Desk, people: tuple[SequenceDetail, ...], first: SequenceDetail, *, sourcing: Sourcing
) -> list[tuple[str, list[Row]]]:
    rows = [_row(desk, one, first, sourcing=sourcing) for one in people]
    return [(group, list(members)) for group, members in groupby(rows, key=lambda row: row.group)]


def _row(desk: Desk, one: SequenceDetail, first: SequenceDetail, *, sourcing: Sourcing) -> Row:
    found = person_warnings(desk, one, sourcing=sourcing)
    words = tuple(f"{finding.message} {finding.excerpt}".strip() for finding in found)
    return Row(one, _group(one), changes(one, first), words, handed(one.sequence))


def _group(one: SequenceDetail) -> str:
    sequence = one.sequence
    if sequence.status in (SequenceStatus.REFUSED, SequenceStatus.STOPPED_EARLY):
        return "Taken out"
    if sequence.warnings:
        return "Look at these first"
    if sequence.is_at_vendor:
        return "Everybody"
    if any(run.text_generation for run in sequence.steps):
        return "Changed for one person"
    if any(run.step.is_written_per_contact for run in sequence.steps):
        return "With texts of their own"
    if any(run.recipient is None for run in sequence.steps):
        return "With a step left out"
    return "The same text for everybody"
