"""A person tells that a run is over at a vendor that does not say so: whoever is in it may be in another then."""

from __future__ import annotations

from sequences_mcp.flows.desk import Desk
from sequences_mcp.providers.port import SequenceDetail


async def settle_run(desk: Desk, *, sequence_id: str, finished: bool, actor: str) -> SequenceDetail:
    """Return the run as over, carried out to its end or stopped before; ConflictError unless a vendor has it."""
    return await desk.vendor_runs.end(sequence_id, finished=finished, actor=actor)
