"""The tool ``get_sequence``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sequences_mcp.flows import get_sequence as verb
from sequences_mcp.flows.desk import Desk
from sequences_mcp.server.definition import READ, Definition
from sequences_mcp.server.views.sequence import SequenceView, sequence_view


async def get_sequence(
    desk: Desk, sequence_id: str, full: Annotated[bool, Field(description="Long texts uncut")] = False
) -> SequenceView:
    """One run: status, every step's text and state, what happens next and when, why it waits."""
    return sequence_view(await verb.get_sequence(desk, sequence_id=sequence_id), full=full)


TOOL = Definition(get_sequence, title="Read a sequence", hints=READ)
