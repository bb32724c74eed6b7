"""The tool ``list_sequences``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sequences_mcp.context import AppContext
from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.domain.run import SequenceStatus
from sequences_mcp.ports.embedded import SequenceFilter, WaitingFor
from sequences_mcp.server.arguments import FIRST_PAGE, PAGE_SIZE, Instant, PageNumber, PageSize, ShortText
from sequences_mcp.server.catalog import READ, Definition
from sequences_mcp.server.views.sequences import SequencePage, sequence_page
from sequences_mcp.services import sequences as verb


async def list_sequences(
    app: AppContext,
    provider: str = LOCAL,
    status: SequenceStatus | None = None,
    provider_status: str | None = None,
    waiting_for: WaitingFor | None = None,
    blueprint_id: str | None = None,
    contact: Annotated[ShortText | None, Field(description="Id, name or e-mail address")] = None,
    company: Annotated[ShortText | None, Field(description="Name or domain")] = None,
    created_after: Instant | None = None,
    created_before: Instant | None = None,
    sort_by: Literal["created_at", "updated_at", "status"] = "created_at",
    sort_order: Literal["asc", "desc"] = "asc",
    page: PageNumber = FIRST_PAGE,
    size: PageSize = PAGE_SIZE,
) -> SequencePage:
    """Runs, one per contact: status, what comes next and when, why they wait; counts by status. Of Kalent and
    Clarky, those started here."""
    wanted = SequenceFilter(
        status=status,
        provider_status=provider_status,
        waiting_for=waiting_for,
        contact=contact,
        company=company,
        blueprint_id=blueprint_id,
        created_after=created_after,
        created_before=created_before,
        sort_by=sort_by,
        sort_order=sort_order,
        page=page,
        size=size,
    )
    return sequence_page(await verb.list_sequences(app, wanted=wanted, provider=provider))


TOOL = Definition(list_sequences, title="List sequences", hints=READ)
