"""The warnings that a yes to a plan covers, about everybody's texts and about single people, and their number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sequences_mcp.domain.blueprint import Sourcing
from sequences_mcp.domain.finding import Finding, warnings_in
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.sequence import Sequence, StepRun
from sequences_mcp.flows.at_vendor import values_found
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.last_check import final_findings, values_for
from sequences_mcp.flows.person import doubts_about
from sequences_mcp.flows.planned_blueprint import planned_blueprint
from sequences_mcp.providers.port import Draft, SequenceDetail


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWarnings:
    """``of_all`` are about everybody's texts, ``of_people`` by run id about one person; ``number`` counts all.

    ``of_people`` has the first people of the plan alone where a plan has many; ``number`` counts everybody's.
    """

    of_all: tuple[Finding, ...]
    of_people: Mapping[str, tuple[Finding, ...]]
    number: int

    @property
    def distinct(self) -> tuple[Finding, ...]:
        """Every different warning once."""
        return tuple(dict.fromkeys((*self.of_all, *(one for found in self.of_people.values() for one in found))))


async def warnings_of(desk: Desk, plan: Plan, *, people: int) -> PlanWarnings:
    """Return what a yes to a plan covers, as every surface tells it, with the warnings about its first people."""
    report = await planned_blueprint(desk, plan)
    of_all = warnings_in(report.findings)
    of_people = {}
    if plan.warnings:
        found = await desk.records.list_people(plan.id, page=1, size=people)  # those with warnings come first
        of_people = {
            one.sequence.id: person_warnings(desk, one, sourcing=report.blueprint.sourcing)
            for one in found.items
            if one.sequence.warnings and not one.sequence.is_over
        }
    return PlanWarnings(of_all=of_all, of_people=of_people, number=len(of_all) + plan.warnings)


async def number_of_warnings(desk: Desk, plan: Plan) -> int:
    """Return the one number of warnings that a yes to a plan covers."""
    return len(await blueprint_warnings(desk, plan)) + plan.warnings


async def blueprint_warnings(desk: Desk, plan: Plan) -> tuple[Finding, ...]:
    """Return the warnings about everybody's texts, without those that are waived."""
    return warnings_in((await planned_blueprint(desk, plan)).findings)


def person_warnings(desk: Desk, detail: SequenceDetail | Draft, *, sourcing: Sourcing) -> tuple[Finding, ...]:
    """Return the warnings about one person alone, as they were counted when they were found."""
    sequence = detail.sequence
    if sequence.findings or not sequence.warnings:
        return sequence.findings
    return own_warnings(desk, detail, sourcing=sourcing)  # an older program kept the number alone


def own_warnings(desk: Desk, detail: SequenceDetail | Draft, *, sourcing: Sourcing) -> tuple[Finding, ...]:
    """Return what the guards warn of now about one person alone: their data, and texts of their own."""
    steps = detail.sequence.steps
    own = {run.step.id for run in steps if run.step.is_written_per_contact or run.text_generation}
    found = person_findings(desk, detail, sourcing=sourcing)
    told = warnings_in(one for one in found if one.variable or one.step_id in own)
    return tuple(dict.fromkeys((*doubts_about(detail.contact), *told)))


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


async def sourcing_of(desk: Desk, plan: Plan) -> Sourcing:
    """Return what a plan's blueprint version fills."""
    return (await planned_blueprint(desk, plan)).blueprint.sourcing


async def sourcing_of_run(desk: Desk, sequence: Sequence) -> Sourcing:
    """Return what the blueprint version of a run fills."""
    blueprints = offered(desk.local.blueprints, desk.local, verb="read blueprints")
    return (await blueprints.get_blueprint(sequence.blueprint_id, sequence.blueprint_version)).sourcing
