"""The tool ``edit_draft``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sequences_mcp.flows import edit_draft as verb
from sequences_mcp.flows.desk import Desk
from sequences_mcp.server.definition import WRITE, Definition
from sequences_mcp.server.views.review import DraftWritten, draft_view


async def edit_draft(
    desk: Desk,
    draft_id: str,
    content: str,
    subject: Annotated[str | None, Field(description="Left out: stays as it is")] = None,
) -> DraftWritten:
    """Write or replace one pending text of one contact. Voids any approval of it."""
    draft = await verb.edit_draft(desk, draft_id=draft_id, content=content, subject=subject)
    return DraftWritten(
        outcome="waiting_for_approval",
        next="A person reads and approves it in a terminal: sequences-mcp review.",
        **draft_view(draft, limit=len(draft.run.content or "")).model_dump(),
    )


TOOL = Definition(edit_draft, title="Change a text", hints=WRITE)
