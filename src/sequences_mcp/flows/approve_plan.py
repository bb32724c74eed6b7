"""A person's yes, to exactly the digest they were shown."""

from __future__ import annotations

from sequences_mcp.domain.plan import Plan
from sequences_mcp.flows.desk import Desk


async def approve_plan(desk: Desk, *, plan_id: str, digest: str, actor: str, signature: str | None = None) -> Plan:
    """Return the plan under way; ApprovalError when it is not, or no longer, what was shown."""
    return await desk.plans.approve_plan(plan_id, digest=digest, actor=actor, signature=signature)
