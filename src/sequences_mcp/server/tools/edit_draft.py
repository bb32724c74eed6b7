"""The tool ``edit_draft``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sequences_mcp.context import AppContext
from sequences_mcp.domain.run import SequenceStatus, StepState
from sequences_mcp.server.catalog import WRITE, Definition
from sequences_mcp.server.views.reviews import DraftWritten, draft_view
from sequences_mcp.services import reviews as verb

APPROVED_BEFORE = "It is a text that was approved before, byte for byte: the approval stands."


async def edit_draft(
    app: AppContext,
    draft_id: str,
    content: str,
    subject: Annotated[str | None, Field(description="Left out: stays as it is")] = None,
) -> DraftWritten:
    """Write or replace one pending text of one contact. Voids any approval of it."""
    draft = await verb.edit_draft(app, draft_id=draft_id, content=content, subject=subject)
    stands = draft.run.state is StepState.PLANNED and draft.sequence.status is not SequenceStatus.FOUND
    ways = app.ways_to_review(path=f"/texts/{draft_id}")
    return DraftWritten(
        outcome="done" if stands else "waiting_for_approval",
        next=APPROVED_BEFORE if stands else f"A person reads and approves it {ways}.",
        **draft_view(draft, limit=len(draft.run.content or "")).model_dump(),
    )


TOOL = Definition(edit_draft, title="Change a text", hints=WRITE)
