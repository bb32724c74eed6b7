"""The tool ``list_sequences``."""

from __future__ import annotations

from typing import Literal

from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.domain.sequence import SequenceStatus
from sequences_mcp.flows import list_sequences as verb
from sequences_mcp.flows.desk import Desk
from sequences_mcp.providers.port import SequenceFilter
from sequences_mcp.server.arguments import FIRST_PAGE, PAGE_SIZE, Instant, PageNumber, PageSize
from sequences_mcp.server.definition import READ, Definition
from sequences_mcp.server.views.sequence import SequencePage, sequence_page


async def list_sequences(
    desk: Desk,
    provider: str = LOCAL,
    status: SequenceStatus | None = None,
    blueprint_id: str | None = None,
    created_after: Instant | None = None,
    created_before: Instant | None = None,
    sort_by: Literal["created_at", "updated_at", "status"] = "created_at",
    sort_order: Literal["asc", "desc"] = "asc",
    page: PageNumber = FIRST_PAGE,
    size: PageSize = PAGE_SIZE,
) -> SequencePage:
    """Runs, one per contact, with status, what comes next and when, and why they wait; of Kalent and
    Clarky, those started here."""
    wanted = SequenceFilter(
        status=status,
        blueprint_id=blueprint_id,
        created_after=created_after,
        created_before=created_before,
        sort_by=sort_by,
        sort_order=sort_order,
        page=page,
        size=size,
    )
    return sequence_page(await verb.list_sequences(desk, wanted=wanted, provider=provider))


TOOL = Definition(list_sequences, title="List sequences", hints=READ)
