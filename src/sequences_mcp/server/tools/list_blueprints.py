"""The tool ``list_blueprints``."""

from __future__ import annotations

from sequences_mcp.context import AppContext
from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.server.arguments import FIRST_PAGE, PAGE_SIZE, PageNumber, PageSize
from sequences_mcp.server.catalog import READ, Definition
from sequences_mcp.server.view import numbered
from sequences_mcp.server.views.blueprints import BlueprintPage, blueprint_row
from sequences_mcp.services import blueprints as verb


async def list_blueprints(
    app: AppContext,
    provider: str = LOCAL,
    page: PageNumber = FIRST_PAGE,
    size: PageSize = PAGE_SIZE,
    archived: bool = False,
) -> BlueprintPage:
    """Blueprints, newest first, without their texts; of Kalent and Clarky, those seen here."""
    blueprints = await verb.list_blueprints(app, provider=provider, archived=archived, page=page, size=size)
    return BlueprintPage(items=tuple(map(blueprint_row, blueprints.items)), **numbered(blueprints))


TOOL = Definition(list_blueprints, title="List blueprints", hints=READ)
