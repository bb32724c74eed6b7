"""The tool ``preview_sequence``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from sequences_mcp.context import AppContext
from sequences_mcp.server.arguments import Unpacked
from sequences_mcp.server.catalog import READ, Definition
from sequences_mcp.server.views.starts import PreviewView, preview_view
from sequences_mcp.services import starts as verb


async def preview_sequence(
    app: AppContext,
    blueprint_id: str,
    contacts: Annotated[list[Any], Unpacked, Field(description="As in start_sequence")],
    sender: str | None = None,
) -> PreviewView:
    """What each contact would get: final text and local time of every step, and what would hold or block it.
    Changes nothing."""
    preview = await verb.preview_sequence(app, blueprint_id=blueprint_id, contacts=contacts, sender=sender)
    return preview_view(preview)


TOOL = Definition(preview_sequence, title="Preview a sequence", hints=READ)
