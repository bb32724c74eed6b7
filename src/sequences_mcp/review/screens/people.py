"""One person of a plan: the exact texts, what differs, what was found; and a no to this person alone."""

from __future__ import annotations

from starlette.responses import Response

from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.sequence import StopReason
from sequences_mcp.errors import NotFoundError
from sequences_mcp.flows.at_vendor import handed, not_given
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.get_sequence import get_sequence
from sequences_mcp.flows.plan_warnings import sourcing_of
from sequences_mcp.flows.stop_sequence import stop_sequence
from sequences_mcp.providers.port import SequenceDetail
from sequences_mcp.review import consent
from sequences_mcp.review.exact_text import doubts_of, texts_of
from sequences_mcp.review.visit import Visit


async def sample(visit: Visit) -> Response:
    """Go to the first person of a plan who waits."""
    plan = await visit.desk.plans.get_plan(visit.named("plan"))
    people = await visit.desk.records.list_people(plan.id, page=1, size=1)
    if not people.items:
        raise NotFoundError("This plan has nobody in it.", next_step="Refuse it.")
    return visit.goes(f"/plans/{plan.id}/people/{people.items[0].sequence.id}")


async def person(visit: Visit) -> Response:
    """Show one person's texts in full, which counts as having opened them."""
    plan, detail = await _of_plan(visit)
    other = await _other(visit.desk, plan, detail)
    consent.show_person(visit.own, detail.sequence)
    return visit.shows(
        "person.html",
        plan=plan,
        detail=detail,
        other=other,
        texts=texts_of(visit.desk, detail, other, sourcing=await sourcing_of(visit.desk, plan)),
        refusable=detail.sequence.waits_for_plan,
        handed=handed(detail.sequence),
        not_given=not_given(detail),
        doubts=await doubts_of(visit.desk, plan, detail),
    )


async def refuse(visit: Visit) -> Response:
    """Take one person out of a plan; the others stay."""
    plan, detail = await _of_plan(visit)
    await stop_sequence(visit.desk, sequence_id=detail.sequence.id, reason=StopReason.LOSE)
    return visit.goes(f"/plans/{plan.id}#people")


async def _of_plan(visit: Visit) -> tuple[Plan, SequenceDetail]:
    plan = await visit.desk.plans.get_plan(visit.named("plan"))
    detail = await get_sequence(visit.desk, sequence_id=visit.named("sequence"))
    if detail.sequence.plan_id != plan.id:
        raise NotFoundError("This person is not in this plan.", next_step="The plan's list shows who is.")
    return plan, detail


async def _other(desk: Desk, plan: Plan, detail: SequenceDetail) -> SequenceDetail | None:
    """Return somebody of the plan to compare with: the first person, or the second for the first."""
    people = await desk.records.list_people(plan.id, page=1, size=2)
    return next((one for one in people.items if one.sequence.id != detail.sequence.id), None)
