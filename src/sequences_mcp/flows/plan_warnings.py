"""The warnings that a yes to a plan covers: about the blueprint, and about one person's own data."""

from __future__ import annotations

from sequences_mcp.domain.blueprint import Sourcing
from sequences_mcp.domain.finding import Finding, warnings_in
from sequences_mcp.domain.plan import Plan
from sequences_mcp.flows.at_vendor import values_found
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.person import final_findings, values_for
from sequences_mcp.flows.planned_blueprint import planned_blueprint
from sequences_mcp.providers.port import SequenceDetail


async def blueprint_warnings(desk: Desk, plan: Plan) -> tuple[Finding, ...]:
    """Return the warnings about everybody's texts, without those that are waived."""
    return warnings_in((await planned_blueprint(desk, plan)).findings)


def person_findings(desk: Desk, detail: SequenceDetail, *, sourcing: Sourcing) -> tuple[Finding, ...]:
    """Return what the guards find in one person's texts as they stand."""
    sequence = detail.sequence
    if sequence.is_at_vendor:
        return values_found(desk, detail.contact, (run.step for run in sequence.steps))
    values = values_for(detail.contact, sourcing=sourcing, sender=desk.sender, variables=sequence.variables)
    return tuple(
        finding
        for run in sequence.steps
        if run.content is not None
        for finding in final_findings(
            run.step,
            subject=run.subject,
            content=run.content,
            values=values,
            earlier=sequence.before(run.step.id),
            policy=desk.policy,
        )
    )


def person_warnings(desk: Desk, detail: SequenceDetail, *, sourcing: Sourcing) -> tuple[Finding, ...]:
    """Return the warnings about what is in one person's texts alone: their data, and texts of their own."""
    own = {run.step.id for run in detail.sequence.steps if run.step.is_written_per_contact or run.generation}
    found = person_findings(desk, detail, sourcing=sourcing)
    return tuple(dict.fromkeys(warnings_in(f for f in found if f.variable or f.step_id in own)))


async def sourcing_of(desk: Desk, plan: Plan) -> Sourcing:
    """Return what a plan's blueprint version fills."""
    return (await planned_blueprint(desk, plan)).blueprint.sourcing
