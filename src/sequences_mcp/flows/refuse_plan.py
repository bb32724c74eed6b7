"""A person's no."""

from __future__ import annotations

from sequences_mcp.domain.plan import Plan
from sequences_mcp.flows.desk import Desk


async def refuse_plan(desk: Desk, *, plan_id: str, reason: str, actor: str) -> Plan:
    """Return the refused plan; its people become REFUSED."""
    return await desk.plans.refuse_plan(plan_id, reason=reason, actor=actor)
