"""Let a run wait until a future time."""

from __future__ import annotations

from datetime import datetime

from sequences_mcp.domain.ids import Kind
from sequences_mcp.domain.limits import future
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.providers.port import SequenceDetail


async def pause_sequence(desk: Desk, *, sequence_id: str, paused_until: datetime) -> SequenceDetail:
    """Return the paused run; InvalidArgumentsError for a time that ``domain.limits.future`` refuses."""
    until = future("paused_until", paused_until, now=desk.clock())
    provider = desk.provider_of(sequence_id, Kind.SEQUENCE)
    sequences = offered(provider.sequences, provider, verb="pause sequences")
    return await sequences.pause_sequence(sequence_id, until=until)
