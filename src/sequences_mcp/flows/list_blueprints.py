"""Page through the blueprints."""

from __future__ import annotations

from sequences_mcp.domain.blueprint import Blueprint
from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.domain.page import DEFAULT_SIZE, Page
from sequences_mcp.flows.desk import Desk, offered


async def list_blueprints(
    desk: Desk, *, provider: str = LOCAL, page: int = 1, size: int = DEFAULT_SIZE
) -> Page[Blueprint]:
    """Return the newest versions, newest first; of Kalent and Clarky, those this server has seen."""
    where = desk.named(provider)
    return await offered(where.blueprints, where, verb="list blueprints").list_blueprints(page=page, size=size)
