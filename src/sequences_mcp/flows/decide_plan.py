"""A person's yes or no inside a chat."""

from __future__ import annotations

from sequences_mcp.domain.ids import Kind, parse
from sequences_mcp.domain.plan import Plan
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.panel import Decision


async def decide_plan(desk: Desk, *, plan_id: str, digest: str, decision: Decision, proof: str = "") -> Plan:
    """Return the plan as it was decided; ApprovalError for a yes that does not count."""
    own = str(parse(plan_id, Kind.PLAN))
    return await desk.panel().decide(desk, own, digest=digest, decision=decision, proof=proof)
