"""The tool ``list_sourcings``, where Kalent is connected."""

from __future__ import annotations

from sequences_mcp.context import AppContext
from sequences_mcp.server.arguments import FIRST_PAGE, PAGE_SIZE, PageNumber, PageSize
from sequences_mcp.server.catalog import READ, Definition
from sequences_mcp.server.text import cut
from sequences_mcp.server.view import PageView, ResultView, numbered
from sequences_mcp.services import contacts as verb


class SourcingView(ResultView):
    """One sourcing."""

    id: str
    name: str | None = None


class SourcingPage(PageView):
    """Some sourcings."""

    items: tuple[SourcingView, ...]


async def list_sourcings(
    app: AppContext, page: PageNumber = FIRST_PAGE, size: PageSize = PAGE_SIZE
) -> SourcingPage:
    """Kalent's sourcings: what is being filled, with the candidates found for it."""
    sourcings = await verb.list_sourcings(app, page=page, size=size)
    items = tuple(
        SourcingView(id=sourcing.id, name=cut(sourcing.name, 200) if sourcing.name else None)
        for sourcing in sourcings.items
    )
    return SourcingPage(items=items, **numbered(sourcings))


TOOL = Definition(list_sourcings, title="List sourcings", hints=READ)
