"""The tool ``start_sequence``: a plan, and, where the client has dialogs, a person's answer to it."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from mcp.server.mcpserver import (
    AcceptedElicitation,
    CancelledElicitation,
    Context,
    Elicit,
    ElicitationResult,
    Resolve,
)
from pydantic import BaseModel, Field

from sequences_mcp.flows.approve_plan import approve_plan
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.refuse_plan import refuse_plan
from sequences_mcp.flows.start_sequence import Progress
from sequences_mcp.server.apps import SHOWN
from sequences_mcp.server.arguments import EntryFormat, IdempotencyKey, Unpacked
from sequences_mcp.server.deciding import decided, is_open, led_to_page, refreshed
from sequences_mcp.server.definition import SEND, Definition
from sequences_mcp.server.starting import Planned, Request, planned_once
from sequences_mcp.server.view import facts_of, to_json
from sequences_mcp.server.views.start import StartView, answered

ACTOR = "elicitation"
DECLINED = "The person said no in the dialog."


class Consent(BaseModel):
    """The form of the dialog."""

    approve: bool = Field(
        default=False, title="Start this", description="Tick to start exactly what is shown above."
    )


class NotAsked(NamedTuple):
    """No dialog was shown: the client has none, it is turned off, or the plan is not one for a dialog."""


def can_elicit(ctx: Context[Any, Any]) -> bool:
    """Say whether the client shows forms; an empty declaration means that it does."""
    declared = ctx.client_capabilities.elicitation if ctx.client_capabilities else None
    return declared is not None and (declared.form is not None or declared.url is None)


async def ask(
    ctx: Context[Any, Any],
    blueprint_id: str,
    contacts: list[Any],
    auto_approve: bool,
    idempotency_key: str | None,
) -> NotAsked | Elicit[Consent]:
    """Return the question for a person. It may be asked for again in each round, and is always the same."""
    desk: Desk = ctx.request_context.lifespan_context
    if not desk.elicitation or desk.must_sign() or not can_elicit(ctx):
        return NotAsked()
    request = Request(blueprint_id, contacts, auto_approve, idempotency_key)
    call = await request.call(desk)
    if await desk.ledger.recall(call) is not None:
        return NotAsked()
    planned = await planned_once(desk, request, call=call, progress=_progress(ctx))
    return Elicit(planned.question, Consent) if planned.question else NotAsked()


async def start_sequence(
    desk: Desk,
    ctx: Context[Any, Any],
    blueprint_id: str,
    contacts: Annotated[list[Any], Unpacked, EntryFormat],
    consent: Annotated[ElicitationResult[Consent], Resolve(ask)],
    auto_approve: Annotated[bool, Field(description="Refused unless the operator allowed this blueprint")] = False,
    wait_seconds: Annotated[int, Field(ge=0, le=600, description="Wait so long for the decision")] = 0,
    idempotency_key: Annotated[IdempotencyKey, Field(description="Default: derived from the arguments")] = None,
) -> StartView:
    """Plan a start for contacts (up to 10,000, at a vendor 1,000; given as objects they are saved). Returns
    the plan, one person's texts, who is left out and why, which texts are missing. Nothing leaves before a
    person approves the plan."""
    request = Request(blueprint_id, contacts, auto_approve, idempotency_key)
    view = await refreshed(desk, await _started(desk, ctx, request, consent))
    if is_open(view) and view.approval != "dismissed":
        view = await led_to_page(desk, ctx, view)
        if view.approval != "dismissed":
            view = await decided(desk, ctx, view, seconds=wait_seconds)
    if obstacle := desk.obstacle():
        view = view.model_copy(update={"next": f"{view.next} {obstacle}"})
    return view


async def _started(
    desk: Desk, ctx: Context[Any, Any], request: Request, consent: ElicitationResult[Any]
) -> StartView:
    call = await request.call(desk)
    stored = await desk.ledger.recall(call)
    if stored is not None:
        return StartView.model_validate_json(stored)
    planned = await planned_once(desk, request, call=call, progress=_progress(ctx), answers=_was_asked(consent))
    view = await _settled(desk, planned, consent)
    if view.approval == "dismissed":
        return view  # nobody decided: the same call may ask again
    return StartView.model_validate_json(await desk.ledger.record(call, to_json(facts_of(view))))


def _was_asked(consent: ElicitationResult[Any]) -> bool:
    return not (isinstance(consent, AcceptedElicitation) and isinstance(consent.data, NotAsked))


async def _settled(desk: Desk, planned: Planned, consent: ElicitationResult[Any]) -> StartView:
    if not _was_asked(consent):
        return planned.view
    if isinstance(consent, CancelledElicitation):
        return answered(planned.view, "dismissed")
    if isinstance(consent, AcceptedElicitation) and consent.data.approve:
        plan = await approve_plan(desk, plan_id=planned.view.plan_id, digest=planned.view.digest, actor=ACTOR)
        return answered(planned.view, "given", plan)
    plan = await refuse_plan(desk, plan_id=planned.view.plan_id, reason=DECLINED, actor=ACTOR)
    return answered(planned.view, "declined", plan)


def _progress(ctx: Context[Any, Any]) -> Progress:
    async def report(done: int, total: int) -> None:
        await ctx.report_progress(done, total, f"planned {done:,} of {total:,}")

    return report


TOOL = Definition(start_sequence, title="Start a sequence", hints=SEND, staged=True, meta=SHOWN)
