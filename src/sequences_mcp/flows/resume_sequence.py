"""Let a paused run go on."""

from __future__ import annotations

from sequences_mcp.domain.ids import Kind
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.providers.port import SequenceDetail


async def resume_sequence(desk: Desk, *, sequence_id: str) -> SequenceDetail:
    """Return the run as it goes on; ConflictError when it is not paused."""
    provider = desk.provider_of(sequence_id, Kind.SEQUENCE)
    return await offered(provider.sequences, provider, verb="resume sequences").resume_sequence(sequence_id)
