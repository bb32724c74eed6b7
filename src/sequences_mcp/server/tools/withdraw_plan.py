"""The tool ``withdraw_plan``."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver import Context

from sequences_mcp.context import AppContext
from sequences_mcp.ports.embedded import ToolCall
from sequences_mcp.server.arguments import IdempotencyKey
from sequences_mcp.server.boundary import fingerprint
from sequences_mcp.server.catalog import PAUSE, Definition
from sequences_mcp.server.view import result_text
from sequences_mcp.server.views.reviews import PlanWithdrawn, change_withdrawn, plan_withdrawn
from sequences_mcp.services import reviews as verb


async def withdraw_plan(
    app: AppContext,
    ctx: Context[Any, Any],
    plan_id: str,
    reason: str | None = None,
    idempotency_key: IdempotencyKey = None,
) -> PlanWithdrawn:
    """Take a waiting plan back: nobody of it is written to."""
    call = ToolCall("withdraw_plan", idempotency_key, fingerprint({"plan_id": plan_id, "reason": reason}))
    stored = await app.ledger.recall(call)
    if stored is not None:
        return PlanWithdrawn.model_validate_json(stored)
    if plan_id.startswith(verb.CHANGE):
        view = change_withdrawn(await verb.withdraw_change(app, change_id=plan_id, reason=reason))
    else:
        view = plan_withdrawn(await verb.withdraw_plan(app, plan_id=plan_id, reason=reason))
    return PlanWithdrawn.model_validate_json(await app.ledger.record(call, result_text(view)))


TOOL = Definition(withdraw_plan, title="Withdraw a plan", hints=PAUSE, staged=True)
