"""After a plan was made: a person is asked in a dialog or led to the review page, and what they decided."""

from __future__ import annotations

from typing import Any

import anyio
from mcp.server.mcpserver import Context

from sequences_mcp.flows.approve_plan import approve_plan
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.refuse_plan import refuse_plan
from sequences_mcp.server import dialog
from sequences_mcp.server.dialog import Said
from sequences_mcp.server.starting import Planned, present, question_about, ways_to_approve
from sequences_mcp.server.views.standing import unanswered
from sequences_mcp.server.views.start import StartView

ACTOR = "elicitation"
DECLINED = "The person said no in the dialog."
LOOK_EVERY = 1.0


def is_open(view: StartView) -> bool:
    """Say whether nobody has decided about this start."""
    return view.outcome == "waiting_for_approval"


async def asked(desk: Desk, ctx: Context[Any, Any], planned: Planned, *, view: StartView) -> StartView:
    """Return a start after a person was asked in the chat, where that can be; only a yes or a no changes it."""
    if not desk.elicitation:
        return view
    ways = ways_to_approve(desk, await desk.plans.get_plan(planned.plan_id))
    if not desk.must_sign() and dialog.can_ask(ctx):
        question = await question_about(desk, planned.plan_id, left_out=planned.left_out)
        if question is not None:
            reply = await dialog.ask(ctx, question, digest=view.digest)
            if reply.said is Said.YES:
                await approve_plan(desk, plan_id=planned.plan_id, digest=reply.digest, actor=ACTOR)
            elif reply.said is Said.NO:
                await refuse_plan(desk, plan_id=planned.plan_id, reason=DECLINED, actor=ACTOR)
            else:
                return unanswered(view, reply.said, ways=ways)
            return await present(desk, planned)
    return await _led_to_page(desk, ctx, view, ways=ways)


async def _led_to_page(desk: Desk, ctx: Context[Any, Any], view: StartView, *, ways: str) -> StartView:
    """Ask the client to open the review page, where it can and the page is served; return what came of it.

    The address carries no credential. Declining to look is no answer to the plan, which goes on waiting.
    """
    address = desk.page_address(f"/plans/{view.plan_id}")
    if address is None or not dialog.can_open_links(ctx):
        return view
    said = await dialog.led_to(ctx, address, name=view.plan_id)
    return view if said is Said.YES else unanswered(view, said, ways=ways)


async def decided(
    desk: Desk, ctx: Context[Any, Any], planned: Planned, *, view: StartView, seconds: int
) -> StartView:
    """Return a start once somebody has decided about it, or after so many seconds as it then stands."""
    if not seconds or view.approval == "dismissed":
        return view
    with anyio.move_on_after(seconds):
        waited = 0.0
        while is_open(view):
            await ctx.report_progress(waited, seconds, "waiting for a person's decision")
            await anyio.sleep(LOOK_EVERY)
            waited += LOOK_EVERY
            view = await present(desk, planned)
    return view
