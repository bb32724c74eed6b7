"""Read one run: every step's state, what happens next and when, why it waits."""

from __future__ import annotations

from dataclasses import replace

from sequences_mcp.domain.ids import Kind
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.providers.port import SequenceDetail


async def get_sequence(desk: Desk, *, sequence_id: str) -> SequenceDetail:
    """Return one run; NotFoundError. One that a vendor carries out is followed there, where it is connected."""
    provider = desk.provider_of(sequence_id, Kind.SEQUENCE)
    found = await offered(provider.sequences, provider, verb="read sequences").get_sequence(sequence_id)
    if found.sequence.is_at_vendor:
        return await followed(desk, found)
    own = None if provider.name == desk.local.name else await desk.vendor_runs.find(sequence_id)
    if own is None:
        return found
    if await desk.vendor_runs.mark_of(own.sequence) is not None:  # what was found may be an earlier run of theirs
        return await followed(desk, own)
    return await desk.vendor_runs.observe(own.sequence, found)


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
