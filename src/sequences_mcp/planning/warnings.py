"""The warnings that an approval of a plan covers, and their number."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items

from sequences_mcp.context import AppContext
from sequences_mcp.domain.blueprint import Sourcing
from sequences_mcp.domain.findings import ANSWERED_BEFORE, COMPLETED_BEFORE, Finding, waived, warnings_in
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.run import Run, StepRun
from sequences_mcp.domain.threads import thread_subject
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.planning.reminders import reminders_of_plan
from sequences_mcp.planning.rendering import final_findings, sender_findings, values_for, warnings_about
from sequences_mcp.planning.requirements import BlueprintReport, after_answers, findings_of, unread
from sequences_mcp.planning.vendor_texts import NO_AGENT, UNREVIEWED, values_found, vendor_warnings
from sequences_mcp.ports.embedded import Draft, SequenceDetail
from sequences_mcp.vendors.registry import DESCRIPTIONS

FIRST_PEOPLE = 10


async def planned_blueprint(app: AppContext, plan: Plan) -> BlueprintReport:
    """Return the version with what the guards say about it today, and what an approval covers at a vendor."""
    header = plan.header
    blueprint = await app.plans.version_of(header.blueprint_id, header.blueprint_version)
    findings = findings_of(blueprint.steps, app.policy) if blueprint.steps else ()
    findings = (*findings, *reminders_of_plan(header, blueprint.steps))
    findings = waived(findings, await app.waivers.waivers_of(blueprint.id))
    if header.is_at_vendor:
        reviewed = not any(UNREVIEWED in warning for warning in header.warnings)
        named = not any(NO_AGENT in warning for warning in header.warnings)
        findings = (*findings, *vendor_warnings(blueprint, reviewed_there=reviewed, sender_named=named))
    else:
        findings = (
            *findings,
            *unread(app.sending_under(header.terms), blueprint.steps),
            *after_answers(blueprint),
        )
    return BlueprintReport(blueprint, findings)


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
        return tuple(
            dict.fromkeys(
                (*self.of_all, *(finding for of_person in self.of_people.values() for finding in of_person))
            )
        )


async def warnings_of(app: AppContext, plan: Plan, *, people: int) -> PlanWarnings:
    """Return what approving a plan covers, as every surface says it, with the warnings about its first people."""
    report = await planned_blueprint(app, plan)
    app = app.sending_under(plan.header.terms)
    of_all = warnings_in(report.findings)
    of_people = {}
    if plan.warnings:
        page = await app.records.list_people(plan.id, page=1, size=people)  # those with warnings come first
        of_people = {
            item.sequence.id: person_warnings(app, item, sourcing=report.blueprint.sourcing)
            for item in page.items
            if item.sequence.warnings and not item.sequence.is_over
        }
    return PlanWarnings(of_all=of_all, of_people=of_people, number=len(of_all) + plan.warnings)


async def distinct_warnings(app: AppContext, plan: Plan, *, of_all: Items[Finding]) -> tuple[Finding, ...]:
    """Return every different warning that an approval of a plan covers: ``of_all``, and those about its people."""
    of_people = await app.plans.findings_of_people(plan.id) if plan.warnings else ()
    if plan.warnings and not of_people:  # an older program kept the number alone
        return (await warnings_of(app, plan, people=FIRST_PEOPLE)).distinct
    return tuple(dict.fromkeys((*of_all, *of_people)))


async def number_of_warnings(app: AppContext, plan: Plan) -> int:
    """Return the one number of warnings that an approval of a plan covers."""
    return len(await blueprint_warnings(app, plan)) + plan.warnings


async def blueprint_warnings(app: AppContext, plan: Plan) -> tuple[Finding, ...]:
    """Return the warnings about everybody's texts, without those that are waived."""
    return warnings_in((await planned_blueprint(app, plan)).findings)


def person_warnings(app: AppContext, detail: SequenceDetail | Draft, *, sourcing: Sourcing) -> tuple[Finding, ...]:
    """Return the warnings about one person alone, as they were counted when they were found."""
    sequence = detail.sequence
    if sequence.findings or not sequence.warnings:
        return sequence.findings
    return own_warnings(app, detail, sourcing=sourcing)  # an older program kept the number alone


def own_warnings(app: AppContext, detail: SequenceDetail | Draft, *, sourcing: Sourcing) -> tuple[Finding, ...]:
    """Return what the guards warn of now about one person alone: their data, and texts of their own."""
    steps = detail.sequence.steps
    before = (ANSWERED_BEFORE, COMPLETED_BEFORE)
    earlier = (finding for finding in detail.sequence.findings if finding.rule in before)
    own_steps = {run.step.id for run in steps if run.step.is_written_per_contact or run.text_generation}
    findings = person_findings(app, detail, sourcing=sourcing)
    personal = warnings_in(finding for finding in findings if finding.variable or finding.step_id in own_steps)
    return tuple(dict.fromkeys((*earlier, *warnings_about(detail.contact), *personal)))


def person_findings(app: AppContext, detail: SequenceDetail | Draft, *, sourcing: Sourcing) -> tuple[Finding, ...]:
    """Return what the guards find in one person's texts as they stand."""
    sequence = detail.sequence
    if sequence.is_at_vendor:
        steps = (run.step for run in sequence.steps)
        filled_there = DESCRIPTIONS[sequence.provider].fills_in
        return values_found(
            app, detail.contact, steps, vendor_facts=sequence.vendor_facts, filled_there=filled_there
        )
    return tuple(
        finding for run in sequence.steps for finding in _text_findings(app, detail, run, sourcing=sourcing)
    )


async def draft_findings(app: AppContext, draft: Draft) -> tuple[Finding, ...]:
    """Return what the guards find in one text as it stands, which is what the check at the send will find."""
    sending = await app.sending_for(draft.sequence)
    findings = _text_findings(sending, draft, draft.run, sourcing=await sourcing_of_run(app, draft.sequence))
    if sending.sender is None:
        return findings
    return (*sender_findings(draft.run, sender=sending.sender, policy=app.policy), *findings)


def _text_findings(
    app: AppContext, detail: SequenceDetail | Draft, run: StepRun, *, sourcing: Sourcing
) -> tuple[Finding, ...]:
    if run.content is None:
        return ()
    sequence = detail.sequence
    before = sequence.steps_before(run.step.id)
    return final_findings(
        run.step,
        subject=run.subject,
        content=app.sender.unsigned(run.content) if app.sender else run.content,
        values=values_for(detail.contact, sourcing=sourcing, sender=app.sender, variables=sequence.variables),
        earlier=sequence.before(run.step.id),
        policy=app.policy,
        answers=thread_subject((step.step, step.subject) for step in before),
    )


async def sourcing_of_plan(app: AppContext, plan: Plan) -> Sourcing:
    """Return what a plan's blueprint version fills."""
    return (await planned_blueprint(app, plan)).blueprint.sourcing


async def sourcing_of_run(app: AppContext, sequence: Run) -> Sourcing:
    """Return what the blueprint version of a run fills."""
    return (await app.plans.version_of(sequence.blueprint_id, sequence.blueprint_version)).sourcing
