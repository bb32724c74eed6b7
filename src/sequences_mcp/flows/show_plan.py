"""A plan for a person who reads it inside a chat."""

from __future__ import annotations

from sequences_mcp.domain.ids import Kind, parse
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.panel import PlanShown


async def show_plan(desk: Desk, *, plan_id: str, page: int = 1, seen: str = "") -> PlanShown:
    """Return one page of a plan, every text as it would leave; NotFoundError.

    ``seen`` has the marks, with commas, of the texts that a panel has had on screen from top to bottom.
    """
    return await desk.panel().show(desk, str(parse(plan_id, Kind.PLAN)), page=page, seen=seen)
