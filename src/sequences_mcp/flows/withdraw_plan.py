"""Take a plan back before anybody decides about it, and whoever an approved one has not handed over yet."""

from __future__ import annotations

from dataclasses import dataclass

from sequences_mcp.domain.ids import LOCAL, Kind, parse
from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.domain.record import PlanTally
from sequences_mcp.flows.desk import Desk
from sequences_mcp.providers.record_port import AskedChange

ACTOR = "withdraw_plan"
CHANGE = f"{LOCAL}:{Kind.OPERATION}_"
UNSAID = "no reason was given"
LONGEST = 500


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A plan after it was taken back, its people as they are now, and how many a vendor was still to be given."""

    plan: Plan
    tally: PlanTally
    kept_from_vendor: int = 0


async def withdraw_plan(desk: Desk, *, plan_id: str, reason: str | None = None) -> Withdrawn:
    """Return the plan that waits no longer: nobody of it is written to. ConflictError for one that is decided.

    Of an approved start at a vendor, those who are still to be handed over are kept back; the others are there.
    """
    own, why = str(parse(plan_id, Kind.PLAN)), (reason or "").strip()[:LONGEST] or UNSAID
    plan = await desk.plans.get_plan(own)
    if plan.header.is_at_vendor and plan.status is PlanStatus.APPROVED:
        waiting = (await desk.vendor_runs.outcome(own)).waiting
        if waiting:
            await desk.vendor_runs.give_up(own, reason=f"withdrawn: {why}")
            left = (await desk.vendor_runs.outcome(own)).waiting
            return Withdrawn(plan, await desk.records.tally(own), kept_from_vendor=waiting - left)
    plan = await desk.plans.withdraw_plan(own, reason=why, actor=ACTOR)
    return Withdrawn(plan, await desk.records.tally(own))


async def withdraw_change(desk: Desk, *, change_id: str, reason: str | None = None) -> AskedChange:
    """Return the change at a vendor that waits no longer: nothing is changed. ConflictError for a decided one."""
    own, why = str(parse(change_id, Kind.OPERATION)), (reason or "").strip()[:LONGEST] or UNSAID
    return await desk.changes.refuse(own, reason=why, actor=ACTOR)
