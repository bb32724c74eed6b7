"""A whole plan as it is shown, on the page and inside a chat: steps in time, numbers, what a yes causes."""

from __future__ import annotations

from dataclasses import dataclass

from sequences_mcp.domain.blueprint import Sourcing
from sequences_mcp.domain.finding import Finding, warnings_in
from sequences_mcp.domain.plan import OPEN, Plan
from sequences_mcp.domain.record import PlanTally
from sequences_mcp.flows.blueprint_needs import accounts_needed
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.planned_blueprint import planned_blueprint
from sequences_mcp.flows.timetable import timetable
from sequences_mcp.providers.port import SequenceDetail
from sequences_mcp.review import consent, outline
from sequences_mcp.review.consent import Duty
from sequences_mcp.review.outline import Stop
from sequences_mcp.review.sessions import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """A plan and all that is said about everybody in it; ``first`` is whom others are compared with.

    ``warnings`` is how many a yes covers, ``accounts`` what has to be connected at a vendor.
    """

    plan: Plan
    tally: PlanTally
    stops: tuple[Stop, ...]
    consequence: str
    findings: tuple[Finding, ...]
    sourcing: Sourcing
    first: SequenceDetail | None
    duties: tuple[Duty, ...]
    warnings: int
    accounts: str | None

    @property
    def decidable(self) -> bool:
        """Whether a person can still say no to it, and yes once it is not void."""
        return self.plan.status in OPEN


async def overview(desk: Desk, plan: Plan, *, reading: Reading) -> Overview:
    """Return a plan as it stands, for somebody who has read so much of it; they have now seen this state of it."""
    await _note(desk, plan, reading)
    tally = await desk.records.tally(plan.id)
    report = await planned_blueprint(desk, plan)
    people = await desk.records.list_people(plan.id, page=1, size=1)
    first = people.items[0] if people.items else None
    steps, sourcing = report.blueprint.steps, report.blueprint.sourcing
    slots = timetable(desk, steps, zone=first.sequence.time_zone if first else "UTC", start=desk.clock())
    open_duties = await consent.duties(desk, plan, tally=tally, reading=reading)
    return Overview(
        plan=plan,
        tally=tally,
        stops=outline.stops(plan, steps, slots, tally=tally),
        consequence=outline.consequence(plan, tally=tally, steps=steps, first=slots[0] if slots else None),
        findings=tuple(report.findings),
        sourcing=sourcing,
        first=first,
        duties=tuple(open_duties) if plan.status in OPEN else (),
        warnings=len(warnings_in(report.findings)) + plan.warnings,
        accounts=accounts_needed(plan.header.blueprint_id, steps),
    )


async def _note(desk: Desk, plan: Plan, reading: Reading) -> None:
    if plan.digest and plan.digest not in reading.seen:
        newest = await desk.records.list_audit(page=1, size=1)
        reading.seen[plan.digest] = newest.items[0].number if newest.items else 0
