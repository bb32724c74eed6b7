"""Plan the remaining steps of those whose run failed, anew: for a person to approve, like any start."""

from __future__ import annotations

from dataclasses import replace

from sequences_mcp.domain.blueprint import Blueprint
from sequences_mcp.domain.ids import LOCAL, Kind
from sequences_mcp.domain.page import MAX_SIZE
from sequences_mcp.domain.sequence import Sequence, SequenceStatus, StepState
from sequences_mcp.errors import ConflictError, NotSupportedError
from sequences_mcp.flows.busy import busy_now
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.left_out import left_out
from sequences_mcp.flows.person import Person, person
from sequences_mcp.flows.start_report import StartReport, Tally
from sequences_mcp.flows.start_sequence import BATCH, Progress, batches, header_of, nobody_left, startable
from sequences_mcp.providers.port import PlannedPerson, SequenceFilter, Text

OVER = frozenset({StepState.SENT, StepState.DONE, StepState.SKIPPED})


async def retry_failed(desk: Desk, *, blueprint_id: str, progress: Progress) -> StartReport:
    """Return a plan of the failed runs of a blueprint, without the steps that were done.

    Everything is asked again: suppression, other runs, addresses, guards. Raises ConflictError when nobody's
    newest run has failed, RefusedByGuardsError when nobody of them may be written to.
    """
    provider = desk.provider_of(blueprint_id, Kind.BLUEPRINT)
    if provider.name != LOCAL:
        raise NotSupportedError(
            f"{provider.title} sends by itself and tries again by itself.",
            next_step="get_sequence shows what failed there; start_sequence begins anew.",
        )
    blueprint, warnings = await startable(desk, blueprint_id)
    failed = await _failed(desk, blueprint.id)
    if not failed:
        raise ConflictError(
            "Nobody's newest run of this blueprint has failed, so there is nothing to plan anew.",
            next_step="list_sequences shows its runs; list_reviews the plans that wait.",
        )
    plan = await desk.plans.open_plan(header_of(blueprint, warnings, terms=desk.terms, now=desk.clock()))
    tally, done = Tally(warnings=dict.fromkeys(warnings)), 0
    for batch in batches(failed, BATCH):
        judged = await _judged(desk, blueprint, batch)
        going = [_planned(one, run) for one, run, reasons in judged if tally.take(one, reasons)]
        if going:
            await desk.plans.add_people(plan.id, going)
        done += len(batch)
        await progress(done, len(failed))
    if len(tally.left_out) == len(failed):
        raise nobody_left(tally.left_out, saved=0)
    plan = await desk.plans.seal_plan(plan.id)
    return tally.report(plan, (await desk.plans.list_people(plan.id, page=1, size=1)).items[0])


async def _failed(desk: Desk, blueprint_id: str) -> list[Sequence]:
    """Return the failed runs of those who have no newer one of this blueprint, the oldest first."""
    newest: dict[str, Sequence] = {}
    store = offered(desk.local.sequences, desk.local, verb="list sequences")
    page, more = 0, True
    while more:
        page += 1
        wanted = SequenceFilter(blueprint_id=blueprint_id, sort_order="asc", page=page, size=MAX_SIZE)
        found = await store.list_sequences(wanted)
        newest |= {one.sequence.contact_id: one.sequence for one in found.items}
        more = found.has_more
    return [one for one in newest.values() if one.status is SequenceStatus.FAILED and not one.is_at_vendor]


async def _judged(
    desk: Desk, blueprint: Blueprint, runs: list[Sequence]
) -> list[tuple[Person, Sequence, tuple[str, ...]]]:
    store = offered(desk.local.contacts, desk.local, verb="read contacts")
    contacts = await store.get_contacts([run.contact_id for run in runs])
    suppressed = await desk.suppressions.suppressed_among(contacts)
    busy = await busy_now(desk, [contact.id for contact in contacts])
    judged = []
    for run, contact in zip(runs, contacts, strict=True):
        one = person(desk, blueprint, contact, variables=run.variables, texts=_own_texts(run, blueprint))
        reasons = left_out(one, suppressed=suppressed.get(contact.id), busy=busy.get(contact.id))
        judged.append((one, run, reasons + _unlike(run, blueprint)))
    return judged


def _own_texts(run: Sequence, blueprint: Blueprint) -> dict[str, Text]:
    """Return the texts that were written for this person alone."""
    own = {step.id for step in blueprint.steps if step.is_written_per_contact}
    return {
        one.step.id: Text(subject=one.subject, content=one.content)
        for one in run.steps
        if one.step.id in own and one.content is not None
    }


def _done(run: Sequence) -> list[str]:
    return [one.step.id for one in run.steps if one.state in OVER]


def _unlike(run: Sequence, blueprint: Blueprint) -> tuple[str, ...]:
    done = _done(run)
    if done == [step.id for step in blueprint.steps[: len(done)]] and len(done) < len(blueprint.steps):
        return ()
    return ("the blueprint has changed since, so which of its steps are left cannot be told",)


def _planned(one: Person, run: Sequence) -> PlannedPerson:
    done = set(_done(run))
    planned = one.planned()
    return replace(planned, steps=tuple(replace(step, is_done=step.step.id in done) for step in planned.steps))
