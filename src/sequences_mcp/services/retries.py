"""A new plan of a blueprint's failed runs: whom it takes, whom it leaves out and why, which steps are left."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import replace
from datetime import datetime
from functools import partial

from sequences_mcp.context import AppContext
from sequences_mcp.domain.blueprint import Blueprint, OnReply
from sequences_mcp.domain.ids import LOCAL, IdKind
from sequences_mcp.domain.inbound import ReceivedKind
from sequences_mcp.domain.page import MAX_SIZE
from sequences_mcp.domain.run import Run, SequenceStatus, StepState
from sequences_mcp.errors import ConflictError, NotSupportedError
from sequences_mcp.planning.reminders import with_reminders
from sequences_mcp.planning.rendering import NO_VARIANTS, render_recipient
from sequences_mcp.planning.variants import assigned_variants
from sequences_mcp.ports.embedded import PlannedPerson, ReplyFilter, SequenceFilter, StepText, ToolCall
from sequences_mcp.services import starts
from sequences_mcp.services.left_out import Tally, left_out_because
from sequences_mcp.services.sequences import busy_now

OVER = frozenset({StepState.SENT, StepState.DONE, StepState.SKIPPED})
DONE_BEFORE = "an earlier run has done it"
ANSWERED_BEFORE = "they answered the earlier run: answer them yourself, or start them anew"
_OF_THE_PERSON = {
    kind: f"they were recorded as {kind} since: write to them yourself, or start them anew"
    for kind in (ReceivedKind.WON, ReceivedKind.LOST)
}
_ENDING = (ReceivedKind.NOT_INTERESTED, *_OF_THE_PERSON)  # these end a run whatever its blueprint says of answers


async def retry_failed(
    app: AppContext, *, blueprint_id: str, call: ToolCall | None = None, progress: starts.Progress
) -> starts.StartReport:
    """Return a plan of the failed runs of a blueprint, without the steps that were done, as that of ``call``.

    Everything is asked again: suppression, other runs, addresses, guards. Raises ConflictError when nobody's
    newest run has failed, RefusedByGuardsError when nobody of them may be written to.
    """
    provider = app.provider_of(blueprint_id, IdKind.BLUEPRINT)
    if provider.name != LOCAL:
        raise NotSupportedError(
            f"{provider.title} sends by itself and tries again by itself.",
            next_step="get_sequence shows what failed there; start_sequence begins anew.",
        )
    failed = await _failed(app, blueprint_id)
    app = await app.sending_for(failed[0]) if failed else app
    blueprint, warnings = await starts.startable(app, blueprint_id)
    app = app.sending(blueprint.steps)
    if not failed:
        raise ConflictError(
            "Nobody's newest run of this blueprint has failed, so there is nothing to plan anew.",
            next_step="list_sequences shows its runs; list_reviews the plans that wait.",
        )
    plan = await app.plans.open_plan(starts.header_of(blueprint, warnings, terms=app.terms, now=app.clock()))
    tally, done = Tally(warnings=dict.fromkeys(warnings)), 0
    answered = await _answered(app, blueprint, failed)
    elsewhere = await _from_elsewhere(app, blueprint, failed)
    everybody = await app.local.get_contacts([run.contact_id for run in failed])
    variants = await assigned_variants(app, blueprint, everybody)
    for batch in starts.batches(failed, starts.BATCH):
        judged = await _judged(app, blueprint, batch, besides={**answered, **elsewhere}, variants=variants)
        going = [_planned(recipient, run) for recipient, run, reasons in judged if tally.take(recipient, reasons)]
        if going:
            await app.plans.add_people(plan.id, going)
        done += len(batch)
        await progress(done, len(failed))
    return await starts.sealed_start(app, plan, tally=tally, number=len(failed), call=call)


async def _failed(app: AppContext, blueprint_id: str) -> list[Run]:
    """Return the failed runs of those who have no newer one of this blueprint, the oldest first."""
    newest: dict[str, Run] = {}
    page, more = 0, True
    while more:
        page += 1
        wanted = SequenceFilter(blueprint_id=blueprint_id, sort_order="asc", page=page, size=MAX_SIZE)
        results = await app.local.list_sequences(wanted)
        newest |= {item.sequence.contact_id: item.sequence for item in results.items}
        more = results.has_more
    return [run for run in newest.values() if run.status is SequenceStatus.FAILED and not run.is_at_vendor]


async def _from_elsewhere(app: AppContext, blueprint: Blueprint, failed: Items[Run]) -> dict[str, str]:
    """Return, by run id, why a run that began with another mailbox is not in a plan of this one."""
    if len(app.mailboxes) == 1 or any(step.config and step.config.user_id for step in blueprint.steps):
        return {}
    plans = {plan_id: await app.plans.get_plan(plan_id) for plan_id in {run.plan_id for run in failed}}
    began = {run.id: app.sending_under(plans[run.plan_id].header.terms).mailbox for run in failed}
    return {
        run_id: f"it began with the mailbox {mailbox.name}: call again once this plan is decided"
        for run_id, mailbox in began.items()
        if mailbox is not app.mailbox
    }


async def _answered(app: AppContext, blueprint: Blueprint, failed: Items[Run]) -> dict[str, str]:
    """Return, by run id, why what came back since keeps a run from being planned anew.

    What came of somebody counts whichever run it was recorded about, and what was recorded about no run, because
    nothing was under way, for every earlier one. An answer alone counts unless the blueprint goes on after it.
    """
    result: dict[str, str] = {}
    oldest = min(run.created_at for run in failed)
    for kind in _ENDING if blueprint.replies.on_reply is OnReply.CONTINUE else (ReceivedKind.REPLY, *_ENDING):
        page, more = 0, True
        while more:
            page += 1
            wanted = ReplyFilter(kind=kind, since=oldest, page=page, size=MAX_SIZE)
            replies = await app.local.list_replies(wanted)
            about = {reply.entry.sequence_id for reply in replies.items}
            latest: dict[str, datetime] = {}
            for entry in (reply.entry for reply in replies.items):
                if kind in _OF_THE_PERSON or entry.sequence_id is None:
                    latest[entry.contact_id] = max(entry.at, latest.get(entry.contact_id, entry.at))
            for run in failed:
                since_then = latest.get(run.contact_id)
                if run.id in about or (since_then is not None and since_then >= run.created_at):
                    result[run.id] = _OF_THE_PERSON.get(kind, ANSWERED_BEFORE)
            more = replies.has_more
    return result


async def _judged(
    app: AppContext,
    blueprint: Blueprint,
    runs: list[Run],
    *,
    besides: Mapping[str, str],
    variants: Mapping[str, Mapping[str, int]],
) -> list[tuple[PlannedPerson, Run, tuple[str, ...]]]:
    contacts = await app.local.get_contacts([run.contact_id for run in runs])
    waivers = await app.waivers.waivers_of(blueprint.id)
    suppressed = await app.suppressions.suppressed_among(contacts)
    busy = await busy_now(app, [contact.id for contact in contacts])
    judged = []
    for run, contact in zip(runs, contacts, strict=True):
        recipient = render_recipient(
            app,
            blueprint,
            contact,
            variables=run.variables,
            texts=_own_texts(run, blueprint),
            variants=variants.get(contact.id, NO_VARIANTS),
        )
        recipient = with_reminders(app, recipient, waivers)
        reasons = left_out_because(recipient, suppressed=suppressed.get(contact.id), busy=busy.get(contact.id))
        also = (besides[run.id],) if run.id in besides else ()
        judged.append((recipient, run, reasons + also + _unlike(run, blueprint)))
    return judged


def _own_texts(run: Run, blueprint: Blueprint) -> dict[str, StepText]:
    """Return the texts that were written for this person alone."""
    step_ids = {step.id for step in blueprint.steps if step.is_written_per_contact}
    return {
        step.step.id: StepText(subject=step.subject, content=step.content)
        for step in run.steps
        if step.step.id in step_ids and step.content is not None
    }


def _finished_steps(run: Run) -> list[str]:
    return [step.step.id for step in run.steps if step.state in OVER]


def _unlike(run: Run, blueprint: Blueprint) -> tuple[str, ...]:
    done = _finished_steps(run)
    if done == [step.id for step in blueprint.steps[: len(done)]] and len(done) < len(blueprint.steps):
        return ()
    return ("the blueprint has changed since, so which of its steps are left cannot be told",)


def _planned(recipient: PlannedPerson, run: Run) -> PlannedPerson:
    finished = set(_finished_steps(run))
    skipped = partial(replace, recipient=None, state=StepState.SKIPPED, reason=DONE_BEFORE)
    return replace(
        recipient, steps=tuple(skipped(step) if step.step.id in finished else step for step in recipient.steps)
    )
