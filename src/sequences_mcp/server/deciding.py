"""After a plan was made: a person is asked in a dialog or led to the review page, and what they decided."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from mcp.server.mcpserver import Context

from sequences_mcp.domain.wire_form import with_wire_forms
from sequences_mcp.errors import ApprovalError, ConflictError
from sequences_mcp.flows.approve_change import approve_change
from sequences_mcp.flows.approve_plan import approve_plan
from sequences_mcp.flows.asked_change import differences, what_it_is
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.refuse_plan import refuse_plan
from sequences_mcp.providers.record_port import AskedChange
from sequences_mcp.server import dialog
from sequences_mcp.server.dialog import Said
from sequences_mcp.server.starting import QUESTION_LIMIT, Planned, present, question_about, ways_to_approve
from sequences_mcp.server.text import visible
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


async def change_decided(
    desk: Desk, ctx: Context[Any, Any], error: ApprovalError, *, effect: Callable[[Desk], Awaitable[str]]
) -> str:
    """Return the result of a change at a vendor that a person said yes to in a dialog, else raise why not.

    ``error`` says that it waits; it goes on doing so where the client has no dialog or nobody answers in it.
    """
    change = await desk.changes.get(error.data["change_id"])
    if change.standing(desk.clock()) != "waiting":  # the same call once more, with its key
        raise ConflictError(
            f"This change is {change.told(desk.clock())}.",
            next_step="Where it is still wanted, call again with another idempotency_key.",
            data={"change_id": change.id},
        )
    if not desk.elicitation:
        raise error
    question = _change_question(change)
    if desk.must_sign() or not dialog.can_ask(ctx) or len(question) > QUESTION_LIMIT:
        address = desk.page_address(f"/changes/{change.id}")
        if address is not None and dialog.can_open_links(ctx):
            await dialog.led_to(ctx, address, name=change.id)
        raise error
    reply = await dialog.ask(ctx, question, digest=change.digest)
    if reply.said is Said.YES:
        return await approve_change(desk, change_id=change.id, digest=reply.digest, actor=ACTOR, effect=effect)
    if reply.said is Said.NO:
        await desk.changes.refuse(change.id, reason=DECLINED, actor=ACTOR)
        raise ApprovalError(
            f"{DECLINED} Nothing was changed.",
            next_step="Ask the person what they want instead.",
            data={"change_id": change.id},
        ) from error
    raise error


def _change_question(change: AskedChange) -> str:
    lines = [f"{what_it_is(change)} ({change.subject}): change what is sent to people under way?"]
    for name, before, after in differences(change):
        lines += ["", f"{name}", f"Now: {before}", f"After a yes: {after}"]
    return with_wire_forms(visible("\n".join(lines)))
