"""The tool ``resume_sequence``."""

from __future__ import annotations

from sequences_mcp.domain.ids import VENDORS, provider_of
from sequences_mcp.flows import resume_sequence as verb
from sequences_mcp.flows.desk import Desk
from sequences_mcp.server.definition import SEND, Definition
from sequences_mcp.server.views.sequence import SequenceWritten, sequence_written


async def resume_sequence(desk: Desk, sequence_id: str) -> SequenceWritten:
    """End a pause: the run goes on now, and approved texts that are due leave."""
    detail = await verb.resume_sequence(desk, sequence_id=sequence_id)
    vendor = VENDORS.get(provider_of(sequence_id), "")
    return sequence_written(detail, next_step=verb.leaves_next(detail, vendor=vendor))


TOOL = Definition(resume_sequence, title="Resume a sequence", hints=SEND, moves_runs=True)
