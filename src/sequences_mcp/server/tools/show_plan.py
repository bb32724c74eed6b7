"""The tool ``show_plan``, for the panel alone."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import Field

from sequences_mcp.context import AppContext
from sequences_mcp.domain.shown import PanelRequest
from sequences_mcp.server.arguments import FIRST_PAGE
from sequences_mcp.server.catalog import READ, Definition
from sequences_mcp.server.panel import APP_ONLY, require_panel
from sequences_mcp.server.views.panel import PanelView, panel_view
from sequences_mcp.services import reviews as verb


async def show_plan(
    app: AppContext,
    ctx: Context[Any, Any],
    plan_id: str,
    page: int = FIRST_PAGE,
    seen: str = "",
    person: Annotated[str, Field(description="Of which sequence")] = "",
    listing: Annotated[str, Field(description="kind:search")] = "",
) -> PanelView:
    """Used by the panel alone."""
    require_panel(ctx)
    kind, _, search = listing.partition(":")
    request = PanelRequest(person=person, page=page, search=search, show=kind)
    panel = await verb.show_plan(app, plan_id=plan_id, request=request, seen=seen)
    address = None if app.place else app.page_address(f"/plans/{panel.shown.plan.id}")
    return panel_view(panel, address=address)


TOOL = Definition(show_plan, title="Show a plan in its panel", hints=READ, staged=True, meta=APP_ONLY)
