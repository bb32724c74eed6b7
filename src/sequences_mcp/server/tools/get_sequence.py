"""The tool ``get_sequence``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sequences_mcp.context import AppContext
from sequences_mcp.server.catalog import READ, Definition
from sequences_mcp.server.views.sequences import SequenceView, sequence_view
from sequences_mcp.services import sequences as verb


async def get_sequence(
    app: AppContext, sequence_id: str, full: Annotated[bool, Field(description="Long texts uncut")] = False
) -> SequenceView:
    """One run: status, every step's text and state, what happens next and when, why it waits."""
    return sequence_view(await verb.get_sequence(app, sequence_id=sequence_id), full=full)


TOOL = Definition(get_sequence, title="Read a sequence", hints=READ)
