"""Read one run: every step's state, what happens next and when, why it waits."""

from __future__ import annotations

from sequences_mcp.domain.ids import Kind
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.providers.port import SequenceDetail


async def get_sequence(desk: Desk, *, sequence_id: str) -> SequenceDetail:
    """Return one run; NotFoundError."""
    provider = desk.provider_of(sequence_id, Kind.SEQUENCE)
    return await offered(provider.sequences, provider, verb="read sequences").get_sequence(sequence_id)
