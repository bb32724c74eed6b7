"""The tool ``list_blueprints``."""

from __future__ import annotations

from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.flows import list_blueprints as verb
from sequences_mcp.flows.desk import Desk
from sequences_mcp.server.arguments import FIRST_PAGE, PAGE_SIZE, PageNumber, PageSize
from sequences_mcp.server.definition import READ, Definition
from sequences_mcp.server.view import numbered
from sequences_mcp.server.views.blueprint import BlueprintPage, blueprint_row


async def list_blueprints(
    desk: Desk, provider: str = LOCAL, page: PageNumber = FIRST_PAGE, size: PageSize = PAGE_SIZE
) -> BlueprintPage:
    """Blueprints, newest first, without their texts; of Kalent and Clarky, those seen here."""
    found = await verb.list_blueprints(desk, provider=provider, page=page, size=size)
    return BlueprintPage(items=tuple(map(blueprint_row, found.items)), **numbered(found))


TOOL = Definition(list_blueprints, title="List blueprints", hints=READ)
