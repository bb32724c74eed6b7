"""The tool ``decide_plan``, for the panel alone: an approval needs a proof made with the person's passphrase."""

from __future__ import annotations

from typing import Any, Literal

from mcp.server.mcpserver import Context

from sequences_mcp.context import AppContext
from sequences_mcp.domain.plan import PlanStatus
from sequences_mcp.server.catalog import SEND, Definition
from sequences_mcp.server.panel import APP_ONLY, require_panel
from sequences_mcp.server.views.panel import DecidedView, decided_view
from sequences_mcp.services import reviews as verb


async def decide_plan(
    app: AppContext,
    ctx: Context[Any, Any],
    plan_id: str,
    digest: str,
    decision: Literal["approve", "refuse"],
    proof: str = "",
) -> DecidedView:
    """Used by the panel alone."""
    require_panel(ctx)
    plan = await verb.decide_plan(app, plan_id=plan_id, digest=digest, decision=decision, proof=proof)
    return decided_view(plan, approved=plan.status is PlanStatus.APPROVED)


TOOL = Definition(decide_plan, title="Decide about a plan in its panel", hints=SEND, staged=True, meta=APP_ONLY)
