"""Runs and tasks: read, paused, resumed, stopped, retried, completed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Items
from dataclasses import replace
from datetime import datetime
from functools import partial

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.argument_limits import future
from sequences_mcp.domain.ids import LOCAL, IdKind, provider_of
from sequences_mcp.domain.page import DEFAULT_SIZE, Page
from sequences_mcp.domain.run import (
    LIVE,
    TERMINAL,
    SequenceStatus,
    StepState,
    StopReason,
    StopScope,
    TaskOutcome,
)
from sequences_mcp.errors import SequencesError
from sequences_mcp.ports.embedded import OpenTask, SequenceDetail, SequenceFilter, VendorFacts
from sequences_mcp.ports.provider import Provider
from sequences_mcp.ports.vendor import Pace, VendorTask, gather_limited

PENDING = frozenset({StepState.PLANNED, StepState.HELD})


async def get_sequence(app: AppContext, *, sequence_id: str) -> SequenceDetail:
    """Return one run; NotFoundError. One that a vendor carries out is followed there, where it is connected."""
    provider = app.provider_of(sequence_id, IdKind.SEQUENCE)
    detail = await provider.get_sequence(sequence_id)
    if detail.sequence.is_at_vendor:
        return await followed(app, detail)
    run_id = None if provider.name == app.local.name else await app.vendor_runs.find(sequence_id)
    if run_id is None:
        return (await with_pace(app, [detail]))[0]
    # The vendor may have answered with an earlier run of the same person.
    if await app.vendor_runs.baseline_of(run_id.sequence) is not None:
        return await followed(app, run_id)
    seen = await app.vendor_runs.observe(run_id.sequence, detail)
    return (await with_pace(app, [seen]))[0]


async def id_there(app: AppContext, sequence_id: str) -> str:
    """Return the id that a vendor has for a run of ours that it carries out; else the id as it is.

    What cannot be read now stays as it is too: whoever uses the id says what is wrong with it.
    """
    if provider_of(sequence_id) != LOCAL:
        return sequence_id
    try:
        detail = await app.local.get_sequence(sequence_id)
        run = detail.sequence
        if run.is_handed_over and not run.has_unknown_outcome and run.remote_id is None:
            run = (await followed(app, detail)).sequence
    except SequencesError:
        return sequence_id
    return run.remote_id or sequence_id


async def with_pace(app: AppContext, details: Iterable[SequenceDetail]) -> tuple[SequenceDetail, ...]:
    """Return runs at vendors with until when they are paused, or why they were stopped, where that was done here.

    Topo's answers do not tell either (page "Sequences").
    """
    runs = list(details)
    paces = await app.operations.paces([_id_at_provider(run) for run in runs if _may_have_pace(run)])
    return tuple(_paced(run, paces.get(_id_at_provider(run)), app.clock()) for run in runs)


def _id_at_provider(detail: SequenceDetail) -> str:
    return detail.sequence.remote_id or detail.sequence.id


def _may_have_pace(detail: SequenceDetail) -> bool:
    facts = detail.facts
    is_waiting = detail.sequence.status is SequenceStatus.WAITING_FOR_LEAD
    if facts is None or (facts.paused_until if is_waiting else facts.stop_reason):
        return False
    return is_waiting or detail.sequence.status is SequenceStatus.STOPPED_EARLY


def _paced(detail: SequenceDetail, pace: Pace | None, now: datetime) -> SequenceDetail:
    if pace is None or not _may_have_pace(detail):
        return detail
    facts = detail.facts or VendorFacts()
    if detail.sequence.status is SequenceStatus.STOPPED_EARLY:
        return replace(detail, facts=replace(facts, stop_reason=pace.stop_reason))
    if pace.paused_until is None or pace.paused_until <= now:
        return detail
    why = f"Paused until {pace.paused_until:%Y-%m-%d %H:%M} {pace.paused_until.tzname()}, as was asked for here."
    return replace(
        detail,
        facts=replace(facts, paused_until=pace.paused_until),
        outlook=replace(detail.outlook, next_at=pace.paused_until, why=why),
    )


async def followed(app: AppContext, detail: SequenceDetail) -> SequenceDetail:
    """Return a run that was started here as its vendor tells of it now."""
    run = detail.sequence
    vendor = app.providers.get(run.provider)
    if (
        vendor is None
        or not vendor.offers(Provider.follow_run)
        or not run.is_handed_over
        or run.has_unknown_outcome
    ):
        return detail
    seen = await vendor.follow_run(run, baseline=await app.vendor_runs.baseline_of(run))
    if seen is None:
        return replace(
            detail, outlook=replace(detail.outlook, why=run.reason or f"{vendor.title} shows no run yet.")
        )
    return await app.vendor_runs.observe(run, seen)


MOST_READ = 20  # reads of each of the two kinds that one page of a list may cost


async def list_sequences(
    app: AppContext, *, wanted: SequenceFilter, provider: str = LOCAL
) -> Page[SequenceDetail]:
    """Return one page of runs that match the filters; a vendor's blueprint says whose runs are meant.

    Of a vendor whose API lists none, those started here. They are read again before the filters apply: first those
    that were not read for longest, then what else the page shows; the note says of how many that failed.
    """
    of_blueprint = provider_of(wanted.blueprint_id or "")
    where = app.named(of_blueprint if provider == LOCAL and of_blueprint in app.providers else provider)
    if where.offers(Provider.list_sequences):
        page = await where.list_sequences(wanted)
        return page if where.name == LOCAL else page.of(await with_pace(app, page.items))
    stale = await app.vendor_runs.to_read_again(where.name, wanted, size=MOST_READ)
    fresh = {
        detail.sequence.id
        for detail in await gather_limited([partial(_read_from_vendor, app, detail) for detail in stale])
        if detail
    }
    results = await app.vendor_runs.list_runs(where.name, wanted)
    left = [item for item in results.items if item.sequence.id not in fresh and _may_change(item)][:MOST_READ]
    if left:
        fresh |= {
            detail.sequence.id
            for detail in await gather_limited([partial(_read_from_vendor, app, detail) for detail in left])
            if detail
        }
        results = await app.vendor_runs.list_runs(where.name, wanted)
    unread = sum(_may_change(item) and item.sequence.id not in fresh for item in results.items)
    note = f"{unread} of these could not be read at {where.title} now and are shown as they were last read."
    return replace(results, note=note) if unread else results


def _may_change(detail: SequenceDetail) -> bool:
    run = detail.sequence
    return run.is_handed_over and not run.has_unknown_outcome and run.status not in TERMINAL


async def _read_from_vendor(app: AppContext, detail: SequenceDetail) -> SequenceDetail | None:
    """Return a run as its vendor tells of it now, which is kept; None where the vendor cannot be asked."""
    try:
        return await followed(app, detail)
    except SequencesError:
        return None


async def pause_sequence(app: AppContext, *, sequence_id: str, paused_until: datetime) -> SequenceDetail:
    """Return the paused run; InvalidArgumentsError for a time that ``domain.argument_limits.future`` refuses."""
    until = future("paused_until", paused_until, now=app.clock())
    provider = app.provider_of(sequence_id, IdKind.SEQUENCE)
    return await provider.pause_sequence(sequence_id, until=until)


async def resume_sequence(app: AppContext, *, sequence_id: str) -> SequenceDetail:
    """Return the run as it goes on; ConflictError when it is not paused."""
    provider = app.provider_of(sequence_id, IdKind.SEQUENCE)
    return await provider.resume_sequence(sequence_id)


def leaves_next(detail: SequenceDetail, *, vendor: str = "") -> str:
    """Return what is known of what a resumed run sends next: to whom, and when; ``vendor`` carries it out."""
    sequence, at = detail.sequence, detail.outlook.next_at
    when = f" on {at:%Y-%m-%d %H:%M} UTC at the earliest" if at else ""
    if vendor:
        known = [run for run in sequence.steps if run.state in PENDING]
        sentence = f"{vendor} goes on{when}"
        if not known:
            return f"{sentence}; which text leaves next, its API does not tell."
        return f"{sentence}, next with step {known[0].step.id} as get_sequence shows it."
    pending = [run for run in sequence.steps if run.state in PENDING]
    if sequence.status not in LIVE or not pending:
        return f"Nothing of it is to leave: {detail.outlook.why}"
    run = pending[0]
    to = f" to {run.recipient}" if run.recipient else ", which reaches nobody,"
    return f"Next: step {run.step.id}{to}{when or ' once it is due'} ({detail.outlook.why})."


async def stop_sequence(
    app: AppContext, *, sequence_id: str, reason: StopReason, scope: StopScope = StopScope.CONTACT
) -> list[SequenceDetail]:
    """Return every run that was stopped, this one first; ConflictError when it has already ended."""
    provider = app.provider_of(sequence_id, IdKind.SEQUENCE)
    return await provider.stop_sequence(sequence_id, reason=reason, scope=scope)


async def not_stopped(app: AppContext, *, sequence_id: str, scope: StopScope) -> Mapping[str, tuple[str, ...]]:
    """Return, by reason, the runs that stopping a whole company left alone; none where a vendor stops."""
    provider = app.provider_of(sequence_id, IdKind.SEQUENCE)
    if scope is not StopScope.COMPANY or not provider.offers(Provider.not_stopped):
        return {}
    return await provider.not_stopped(sequence_id)


async def busy_now(app: AppContext, contact_ids: Items[str]) -> Mapping[str, str]:
    """Return, by contact id, the id of the live run that each of them has.

    A run at a vendor that counts as live here is read from the vendor first, since it may have ended.
    """
    busy = await app.suppressions.busy_among(contact_ids)
    runs = await app.vendor_runs.at_vendors(list(busy.values())) if busy else []
    if not runs:
        return busy
    await gather_limited([partial(read_again, app, run) for run in runs])
    return await app.suppressions.busy_among(contact_ids)


async def read_again(app: AppContext, run: SequenceDetail) -> None:
    """Look at a run at its vendor, so that its status here is the present one, unless the vendor is away."""
    try:
        await followed(app, run)
    except SequencesError:
        return  # the vendor does not answer: the run still counts as live


async def list_tasks(
    app: AppContext, *, provider: str = LOCAL, page: int = 1, size: int = DEFAULT_SIZE
) -> Page[OpenTask] | Page[VendorTask]:
    """Return the open tasks, oldest first; a vendor's are in its own words."""
    where = app.named(provider)
    return await where.list_tasks(page=page, size=size)


async def complete_task(app: AppContext, *, task_id: str, outcome: TaskOutcome) -> OpenTask | VendorTask:
    """Return the task as it is now; ConflictError for one that is over, or accepted and no invitation.

    A vendor's can be skipped alone: NotSupportedError for any other outcome.
    """
    provider = app.provider_of(task_id, IdKind.TASK)
    return await provider.complete_task(task_id, outcome=outcome)


async def resolve_run(app: AppContext, *, sequence_id: str, finished: bool, actor: Actor) -> SequenceDetail:
    """Return the run as over, carried out to its end or stopped before; ConflictError unless a vendor has it."""
    return await app.vendor_runs.end(sequence_id, finished=finished, actor=actor)
