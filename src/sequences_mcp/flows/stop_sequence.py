"""Stop a run, or every run of its blueprint at the same company, for good."""

from __future__ import annotations

from collections.abc import Mapping

from sequences_mcp.domain.ids import Kind
from sequences_mcp.domain.sequence import StopReason, StopScope
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.providers.port import SequenceDetail


async def stop_sequence(
    desk: Desk, *, sequence_id: str, reason: StopReason, scope: StopScope = StopScope.CONTACT
) -> list[SequenceDetail]:
    """Return every run that was stopped, this one first; ConflictError when it has already ended."""
    provider = desk.provider_of(sequence_id, Kind.SEQUENCE)
    sequences = offered(provider.sequences, provider, verb="stop sequences")
    return await sequences.stop_sequence(sequence_id, reason=reason, scope=scope)


async def not_stopped(desk: Desk, *, sequence_id: str, scope: StopScope) -> Mapping[str, tuple[str, ...]]:
    """Return why → runs that a stop of a whole company left alone; nothing where a vendor stops."""
    companies = desk.provider_of(sequence_id, Kind.SEQUENCE).companies
    if scope is not StopScope.COMPANY or companies is None:
        return {}
    return await companies.not_stopped(sequence_id)
