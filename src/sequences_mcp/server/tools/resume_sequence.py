"""The tool ``resume_sequence``."""

from __future__ import annotations

from sequences_mcp.flows import resume_sequence as verb
from sequences_mcp.flows.desk import Desk
from sequences_mcp.server.definition import SEND, Definition
from sequences_mcp.server.views.sequence import SequenceWritten, sequence_written


async def resume_sequence(desk: Desk, sequence_id: str) -> SequenceWritten:
    """End a pause: the run goes on now, and approved texts that are due leave."""
    detail = await verb.resume_sequence(desk, sequence_id=sequence_id)
    return sequence_written(detail, next_step="Approved texts leave when they are due; get_sequence shows when.")


TOOL = Definition(resume_sequence, title="Resume a sequence", hints=SEND, moves_runs=True)
