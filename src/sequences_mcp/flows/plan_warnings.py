"""The warnings that a yes to a plan covers: about the blueprint, and about one person's own data."""

from __future__ import annotations

from sequences_mcp.domain.finding import Finding, warnings_in
from sequences_mcp.domain.plan import Plan
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.get_blueprint import get_blueprint
from sequences_mcp.flows.person import final_findings, values_for
from sequences_mcp.providers.port import SequenceDetail


async def blueprint_warnings(desk: Desk, plan: Plan) -> tuple[Finding, ...]:
    """Return the warnings about everybody's texts, without those that are waived."""
    header = plan.header
    report = await get_blueprint(desk, blueprint_id=header.blueprint_id, version=header.blueprint_version)
    return warnings_in(report.findings)


async def person_warnings(desk: Desk, detail: SequenceDetail) -> tuple[Finding, ...]:
    """Return the warnings about what is in one person's texts alone: their data, and texts of their own."""
    sequence = detail.sequence
    report = await get_blueprint(desk, blueprint_id=sequence.blueprint_id, version=sequence.blueprint_version)
    values = values_for(
        detail.contact, sourcing=report.blueprint.sourcing, sender=desk.sender, variables=sequence.variables
    )
    found = [
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
        if finding.variable or run.step.is_written_per_contact or run.generation
    ]
    return tuple(dict.fromkeys(warnings_in(found)))
