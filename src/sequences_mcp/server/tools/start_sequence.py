"""The tool ``start_sequence``: a plan, and, where the client has dialogs, a person's answer to it."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import Field

from sequences_mcp.domain.sequence import LIVE
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.start_sequence import Progress
from sequences_mcp.server.apps import SHOWN
from sequences_mcp.server.arguments import EntryFormat, IdempotencyKey
from sequences_mcp.server.deciding import asked, decided, is_open
from sequences_mcp.server.definition import SEND, Definition
from sequences_mcp.server.dialog import is_another_round
from sequences_mcp.server.starting import Request, planned_once, present
from sequences_mcp.server.views.start import StartView


async def start_sequence(
    desk: Desk,
    ctx: Context[Any, Any],
    blueprint_id: str,
    contacts: Annotated[list[Any], EntryFormat],
    auto_approve: Annotated[bool, Field(description="Refused unless the operator allowed this blueprint")] = False,
    wait_seconds: Annotated[int, Field(ge=0, le=600, description="Wait so long for the decision")] = 0,
    idempotency_key: Annotated[IdempotencyKey, Field(description="Default: derived from the arguments")] = None,
) -> StartView:
    """Plan a start for contacts (up to 10,000, at a vendor 1,000; given as objects they are saved). Returns
    the plan, one person's texts, who is left out and why, which texts are missing. Nothing leaves before a
    person approves the plan."""
    request = Request(blueprint_id, contacts, auto_approve, idempotency_key)
    call, again = await request.call(desk), is_another_round(ctx)
    planned = await planned_once(desk, request, call=call, progress=_progress(ctx), is_another_round=again)
    view = await present(desk, planned)
    if is_open(view):
        view = await asked(desk, ctx, planned, view=view)
    view = await decided(desk, ctx, planned, view=view, seconds=wait_seconds)
    is_going = view.became is not None and not LIVE.isdisjoint(view.became)
    waits = desk.waits_for_worker(await desk.plans.get_plan(planned.plan_id)) if is_going else None
    if obstacle := desk.obstacle() or waits:
        view = view.model_copy(update={"next": f"{view.next} {obstacle}"})
    return view


def _progress(ctx: Context[Any, Any]) -> Progress:
    async def report(done: int, total: int) -> None:
        await ctx.report_progress(done, total, f"planned {done:,} of {total:,}")

    return report


TOOL = Definition(start_sequence, title="Start a sequence", hints=SEND, staged=True, meta=SHOWN)
