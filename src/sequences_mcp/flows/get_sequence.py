"""Read one run: every step's state, what happens next and when, why it waits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sequences_mcp.domain.ids import LOCAL, Kind, provider_of
from sequences_mcp.domain.sequence import SequenceStatus
from sequences_mcp.errors import SequencesError
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.providers.port import SequenceDetail, VendorFacts
from sequences_mcp.providers.vendor_port import Pace


async def get_sequence(desk: Desk, *, sequence_id: str) -> SequenceDetail:
    """Return one run; NotFoundError. One that a vendor carries out is followed there, where it is connected."""
    provider = desk.provider_of(sequence_id, Kind.SEQUENCE)
    found = await offered(provider.sequences, provider, verb="read sequences").get_sequence(sequence_id)
    if found.sequence.is_at_vendor:
        return await followed(desk, found)
    own = None if provider.name == desk.local.name else await desk.vendor_runs.find(sequence_id)
    if own is None:
        return (await with_pace(desk, [found]))[0]
    if await desk.vendor_runs.mark_of(own.sequence) is not None:  # what was found may be an earlier run of theirs
        return await followed(desk, own)
    seen = await desk.vendor_runs.observe(own.sequence, found)
    return (await with_pace(desk, [seen]))[0]


async def id_there(desk: Desk, sequence_id: str) -> str:
    """Return the id that a vendor has for a run of ours that it carries out; else the id as it is.

    What cannot be read now stays as it is too: whoever uses the id says what is wrong with it.
    """
    if provider_of(sequence_id) != LOCAL:
        return sequence_id
    try:
        kept = await offered(desk.local.sequences, desk.local, verb="read sequences").get_sequence(sequence_id)
        run = kept.sequence
        if run.is_handed_over and not run.is_in_doubt and run.remote_id is None:
            run = (await followed(desk, kept)).sequence
    except SequencesError:
        return sequence_id
    return run.remote_id or sequence_id


async def with_pace(desk: Desk, found: Iterable[SequenceDetail]) -> tuple[SequenceDetail, ...]:
    """Return runs at vendors with until when they are paused, or why they were stopped, where that was done here.

    Topo's answers do not tell either (page "Sequences").
    """
    runs = list(found)
    paces = await desk.operations.paces([_own(one) for one in runs if _may_have_pace(one)])
    return tuple(_paced(one, paces.get(_own(one)), desk.clock()) for one in runs)


def _own(detail: SequenceDetail) -> str:
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


async def followed(desk: Desk, kept: SequenceDetail) -> SequenceDetail:
    """Return a run that was started here as its vendor tells of it now."""
    run = kept.sequence
    vendor = desk.providers.get(run.provider)
    if vendor is None or vendor.enrolment is None or not run.is_handed_over or run.is_in_doubt:
        return kept
    seen = await vendor.enrolment.follow(run, mark=await desk.vendor_runs.mark_of(run))
    if seen is None:
        return replace(kept, outlook=replace(kept.outlook, why=run.reason or f"{vendor.title} shows no run yet."))
    return await desk.vendor_runs.observe(run, seen)
