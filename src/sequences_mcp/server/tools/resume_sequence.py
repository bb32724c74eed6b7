"""The tool ``resume_sequence``."""

from __future__ import annotations

from sequences_mcp.context import AppContext
from sequences_mcp.domain.ids import VENDORS, provider_of
from sequences_mcp.server.catalog import SEND, Definition
from sequences_mcp.server.views.sequences import SequenceWritten, sequence_written
from sequences_mcp.services import sequences as verb


async def resume_sequence(app: AppContext, sequence_id: str) -> SequenceWritten:
    """End a pause: the run goes on now, and approved texts that are due leave."""
    detail = await verb.resume_sequence(app, sequence_id=sequence_id)
    vendor = VENDORS.get(provider_of(sequence_id), "")
    return sequence_written(detail, next_step=verb.leaves_next(detail, vendor=vendor))


TOOL = Definition(resume_sequence, title="Resume a sequence", hints=SEND, moves_runs=True)
