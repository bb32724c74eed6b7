"""The tool ``show_plan``, for the panel alone."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver import Context

from sequences_mcp.flows import show_plan as verb
from sequences_mcp.flows.desk import Desk
from sequences_mcp.server.apps import APP_ONLY, require_panel
from sequences_mcp.server.arguments import FIRST_PAGE
from sequences_mcp.server.definition import READ, Definition
from sequences_mcp.server.views.panel import PanelView, panel_view


async def show_plan(
    desk: Desk, ctx: Context[Any, Any], plan_id: str, page: int = FIRST_PAGE, seen: str = ""
) -> PanelView:
    """Used by the panel alone."""
    require_panel(ctx)
    shown = await verb.show_plan(desk, plan_id=plan_id, page=page, seen=seen)
    return panel_view(shown, address=desk.page_address(f"/plans/{shown.plan.id}"))


TOOL = Definition(show_plan, title="Show a plan in its panel", hints=READ, staged=True, meta=APP_ONLY)
