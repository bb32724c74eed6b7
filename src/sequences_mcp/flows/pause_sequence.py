"""Let a run wait until a future time."""

from __future__ import annotations

from datetime import datetime

from sequences_mcp.domain.ids import Kind
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.providers.port import SequenceDetail


async def pause_sequence(desk: Desk, *, sequence_id: str, paused_until: datetime) -> SequenceDetail:
    """Return the paused run. The time must carry an offset and lie in the future: InvalidArgumentsError."""
    if paused_until.tzinfo is None:
        raise InvalidArgumentsError(
            "paused_until has no UTC offset.", next_step="Give it as 2026-11-23T09:00:00+01:00 or with Z."
        )
    provider = desk.provider_of(sequence_id, Kind.SEQUENCE)
    sequences = offered(provider.sequences, provider, verb="pause sequences")
    return await sequences.pause_sequence(sequence_id, until=paused_until)
