"""The tool ``withdraw_plan``."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver import Context

from sequences_mcp.flows import withdraw_plan as verb
from sequences_mcp.flows.desk import Desk
from sequences_mcp.providers.port import Call
from sequences_mcp.server.arguments import IdempotencyKey
from sequences_mcp.server.definition import PAUSE, Definition
from sequences_mcp.server.fingerprint import fingerprint
from sequences_mcp.server.view import said
from sequences_mcp.server.views.review import PlanWithdrawn, change_withdrawn, plan_withdrawn


async def withdraw_plan(
    desk: Desk,
    ctx: Context[Any, Any],
    plan_id: str,
    reason: str | None = None,
    idempotency_key: IdempotencyKey = None,
) -> PlanWithdrawn:
    """Take a waiting plan back: nobody of it is written to."""
    call = Call("withdraw_plan", idempotency_key, fingerprint({"plan_id": plan_id, "reason": reason}))
    stored = await desk.ledger.recall(call)
    if stored is not None:
        return PlanWithdrawn.model_validate_json(stored)
    if plan_id.startswith(verb.CHANGE):
        view = change_withdrawn(await verb.withdraw_change(desk, change_id=plan_id, reason=reason))
    else:
        view = plan_withdrawn(await verb.withdraw_plan(desk, plan_id=plan_id, reason=reason))
    return PlanWithdrawn.model_validate_json(await desk.ledger.record(call, said(view)))


TOOL = Definition(withdraw_plan, title="Withdraw a plan", hints=PAUSE, staged=True)
