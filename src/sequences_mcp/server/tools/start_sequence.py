"""The tool ``start_sequence``: plans a start and, where the client supports dialogs, asks the person about it."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import Field

from sequences_mcp.context import AppContext
from sequences_mcp.domain.run import LIVE
from sequences_mcp.server.arguments import EntryFormat, IdempotencyKey, Name, Unpacked, WaitSeconds
from sequences_mcp.server.catalog import SEND, Definition
from sequences_mcp.server.dialog import is_another_round
from sequences_mcp.server.panel import SHOWN
from sequences_mcp.server.start_answers import (
    StartRequest,
    ask_about_plan,
    is_plan_open,
    plan_decided,
    planned_once,
    present_start,
)
from sequences_mcp.server.views.starts import StartView
from sequences_mcp.services import starts as verb


async def start_sequence(
    app: AppContext,
    ctx: Context[Any, Any],
    blueprint_id: str,
    contacts: Annotated[list[Any], Unpacked, EntryFormat],
    sender: Annotated[Name | None, Field(description="Mailbox of list_providers")] = None,
    auto_approve: Annotated[bool, Field(description="Refused unless the operator allowed this blueprint")] = False,
    wait_seconds: Annotated[WaitSeconds, Field(description="Wait so long for the decision")] = 0,
    idempotency_key: Annotated[IdempotencyKey, Field(description="Default: derived from the arguments")] = None,
) -> StartView:
    """Plan a start for contacts (up to 10,000, at a vendor 1,000; given as objects they are saved). Returns
    the plan, one person's texts, who is left out and why, which texts are missing. Nothing leaves before a
    person approves it."""
    request = StartRequest(blueprint_id, contacts, auto_approve, idempotency_key, sender)
    call, again = await request.call(app), is_another_round(ctx)
    plan_now = partial(
        verb.start_sequence,
        app,
        blueprint_id=blueprint_id,
        contacts=contacts,
        sender=sender,
        auto_approve=auto_approve,
        call=call,
        progress=_progress(ctx),
    )
    planned = await planned_once(app, call, plan_now=plan_now, is_another_round=again)
    view = await present_start(app, planned)
    if is_plan_open(view):
        view = await ask_about_plan(app, ctx, planned, view=view)
    view = await plan_decided(app, ctx, planned, view=view, seconds=wait_seconds)
    is_going = view.became is not None and not LIVE.isdisjoint(view.became)
    plan = await app.plans.get_plan(planned.plan_id)
    waits = app.waits_for_worker(plan) if is_going else None
    if obstacle := app.obstacle(plan) or waits:
        view = view.model_copy(update={"next": f"{view.next} {obstacle}"})
    return view


def _progress(ctx: Context[Any, Any]) -> verb.Progress:
    async def report(done: int, total: int) -> None:
        await ctx.report_progress(done, total, f"planned {done:,} of {total:,}")

    return report


TOOL = Definition(start_sequence, title="Start a sequence", hints=SEND, staged=True, meta=SHOWN)
