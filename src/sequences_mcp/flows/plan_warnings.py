"""The warnings that a yes to a plan covers: about the blueprint, and about one person's own data."""

from __future__ import annotations

from sequences_mcp.domain.blueprint import Sourcing
from sequences_mcp.domain.finding import Finding, warnings_in
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.sequence import Sequence, StepRun
from sequences_mcp.flows.at_vendor import values_found
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.last_check import final_findings, values_for
from sequences_mcp.flows.planned_blueprint import planned_blueprint
from sequences_mcp.providers.port import Draft, SequenceDetail


async def blueprint_warnings(desk: Desk, plan: Plan) -> tuple[Finding, ...]:
    """Return the warnings about everybody's texts, without those that are waived."""
    return warnings_in((await planned_blueprint(desk, plan)).findings)


def person_findings(desk: Desk, detail: SequenceDetail | Draft, *, sourcing: Sourcing) -> tuple[Finding, ...]:
    """Return what the guards find in one person's texts as they stand."""
    sequence = detail.sequence
    if sequence.is_at_vendor:
        steps = (run.step for run in sequence.steps)
        return values_found(desk, detail.contact, steps, handover=sequence.handover)
    return tuple(
        finding for run in sequence.steps for finding in _text_findings(desk, detail, run, sourcing=sourcing)
    )


async def draft_findings(desk: Desk, draft: Draft) -> tuple[Finding, ...]:
    """Return what the guards find in one text as it stands, which is what the check at the send will find."""
    return _text_findings(desk, draft, draft.run, sourcing=await sourcing_of_run(desk, draft.sequence))


def _text_findings(
    desk: Desk, detail: SequenceDetail | Draft, run: StepRun, *, sourcing: Sourcing
) -> tuple[Finding, ...]:
    if run.content is None:
        return ()
    sequence = detail.sequence
    return final_findings(
        run.step,
        subject=run.subject,
        content=run.content,
        values=values_for(detail.contact, sourcing=sourcing, sender=desk.sender, variables=sequence.variables),
        earlier=sequence.before(run.step.id),
        policy=desk.policy,
    )


def person_warnings(desk: Desk, detail: SequenceDetail | Draft, *, sourcing: Sourcing) -> tuple[Finding, ...]:
    """Return the warnings about what is in one person's texts alone: their data, and texts of their own."""
    own = {run.step.id for run in detail.sequence.steps if run.step.is_written_per_contact or run.generation}
    found = person_findings(desk, detail, sourcing=sourcing)
    return tuple(dict.fromkeys(warnings_in(f for f in found if f.variable or f.step_id in own)))


async def sourcing_of(desk: Desk, plan: Plan) -> Sourcing:
    """Return what a plan's blueprint version fills."""
    return (await planned_blueprint(desk, plan)).blueprint.sourcing


async def sourcing_of_run(desk: Desk, sequence: Sequence) -> Sourcing:
    """Return what the blueprint version of a run fills."""
    blueprints = offered(desk.local.blueprints, desk.local, verb="read blueprints")
    return (await blueprints.get_blueprint(sequence.blueprint_id, sequence.blueprint_version)).sourcing
