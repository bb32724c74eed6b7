"""A start that may be called again: planned once, asked about, answered from the plan and its runs as they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from collections.abc import Sequence as Items
from datetime import datetime
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
from mcp.server.mcpserver import Context

from sequences_mcp.context import AppContext
from sequences_mcp.domain import actors
from sequences_mcp.domain.addresses import with_wire_forms
from sequences_mcp.domain.blueprint import Step, variant_letter
from sequences_mcp.domain.erasure import ERASE
from sequences_mcp.domain.plan import OPEN, Plan, PlanStatus
from sequences_mcp.domain.records import PlanTally, VariantTally
from sequences_mcp.errors import ApprovalError, ConflictError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.planning.rendering import ADDRESS_WORD
from sequences_mcp.planning.requirements import accounts_needed, pace_of, will_skip
from sequences_mcp.planning.timetable import timetable
from sequences_mcp.planning.vendor_texts import not_given
from sequences_mcp.ports.embedded import PendingChange, ToolCall
from sequences_mcp.ports.vendor import gather_limited
from sequences_mcp.server import dialog
from sequences_mcp.server.boundary import fingerprint_in_parts
from sequences_mcp.server.dialog import DialogAnswer, Question
from sequences_mcp.server.text import visible_text
from sequences_mcp.server.views import starts
from sequences_mcp.services.enrolment import enrol_soon
from sequences_mcp.services.reviews import approve_change, approve_plan, refuse_plan
from sequences_mcp.services.sequences import read_again
from sequences_mcp.services.starts import StartReport, StartState, state_of_start, version_to_start
from sequences_mcp.services.vendor_writes import differences, what_it_is

TOOL = "start_sequence"
ASK_AT_MOST = 10
QUESTION_LIMIT = 12_000
READ_AGAIN = 20  # runs at a vendor that a repeated call looks at
HAND_OVER_AT_MOST = 20.0  # seconds that a call waits for a vendor; the handing over goes on without it
TOO_LATE = "The answer came after the plan it was about was over; nothing was approved."


@dataclass(frozen=True, slots=True)
class StartRequest:
    """The arguments of a start."""

    blueprint_id: str
    contacts: Items[object]
    auto_approve: bool
    idempotency_key: str | None
    sender: str | None = None

    async def call(self, app: AppContext) -> ToolCall:
        """Return the idempotency key of this start: the one given, or one derived from arguments and version."""
        given = {"blueprint_id": self.blueprint_id, "contacts": self.contacts, "auto_approve": self.auto_approve}
        given |= {} if self.sender is None else {"sender": self.sender}
        arguments = await fingerprint_in_parts(given)
        if self.idempotency_key is not None:
            return ToolCall(TOOL, self.idempotency_key, arguments)
        version = await version_to_start(app, blueprint_id=self.blueprint_id, contacts=self.contacts)
        return ToolCall(TOOL, f"{arguments}:{version}", arguments, derived=True)


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """The plan of a call; ``is_repeat`` is true where an earlier call with the same key made it."""

    plan_id: str
    is_repeat: bool


async def planned_once(
    app: AppContext,
    call: ToolCall,
    *,
    plan_now: Callable[[], Awaitable[StartReport]],
    is_another_round: bool = False,
) -> PlannedCall:
    """Return the plan of this call, planned when it is the first with its key; KeyReusedError.

    ``is_another_round`` is for a call that brings a person's answer, and so repeats nothing: ConflictError where
    the plan it is about is over.
    """
    earlier = await app.plans.plan_of_call(call)
    if earlier is not None:
        return PlannedCall(earlier.id, is_repeat=not is_another_round)
    if is_another_round:
        raise ConflictError(TOO_LATE, next_step="The same call plans it anew and asks again.")
    report = await plan_now()
    return PlannedCall(report.plan.id, is_repeat=report.is_repeat)


async def present_start(app: AppContext, planned: PlannedCall) -> starts.StartView:
    """Return a start as its plan and its runs stand now; one at a vendor that a person approved is handed over.

    For a repeated call the vendor's runs are looked at again, as many as a call may wait for.
    """
    plan = await app.plans.get_plan(planned.plan_id)
    enrolled = None
    if plan.header.is_at_vendor and plan.status is PlanStatus.APPROVED:
        # It goes on by itself if the call is given up.
        enrolled = await enrol_soon(app, plan_id=plan.id, seconds=HAND_OVER_AT_MOST)
    unread = await _read_again(app, plan) if planned.is_repeat else 0
    start = await state_of_start(app, plan)
    await anyio.lowlevel.checkpoint()  # counting ten thousand people is a piece of the event loop of its own
    tally = await app.records.tally(plan.id)
    await anyio.lowlevel.checkpoint()
    usage = await app.records.mailbox_usage(plan.header.terms)
    steps = [run.step for run in start.sample.sequence.steps]
    view = starts.start_view(start, is_repeat=planned.is_repeat)
    view = view.model_copy(update=_foreseen(app, start, tally=tally, free=usage.opens))
    view = view.model_copy(update={"variants": _shares(steps, await app.records.variants_in(plan.id)) or None})
    view = starts.standing(view, plan, tally, steps=steps, ways=ways_to_approve(app, plan))
    return (
        view if enrolled is None else starts.handed_over_facts(view, plan, tally, enrolled=enrolled, unread=unread)
    )


def _foreseen(app: AppContext, start: StartState, *, tally: PlanTally, free: datetime | None) -> dict[str, Any]:
    """Return what is known of a plan that waits: when steps are due, who is skipped, what a vendor is not told."""
    plan, sample = start.plan, start.sample
    if plan.status not in OPEN:
        return {}
    app, steps = app.sending_under(plan.header.terms), [run.step for run in sample.sequence.steps]
    slots = timetable(app, steps, zone=sample.sequence.time_zone, start=app.clock(), free=free)
    due = tuple(
        f"{run.step.id}: {slot.words}"
        if run.recipient
        else f"{run.step.id}: will be skipped, no {ADDRESS_WORD[run.step.type]} is known"
        for run, slot in zip(sample.sequence.steps, slots, strict=True)
    )
    return {
        "sample": starts.sample_view(sample).model_copy(update={"due": due or None}),
        "pace": pace_of(plan, tally, steps),
        "accounts": accounts_needed(plan.header.blueprint_id, steps),
        "will_skip": will_skip(tally, steps) or None if not plan.header.is_at_vendor else None,
        "not_given": not_given(sample) or None,
    }


def _shares(steps: Items[Step], variants: Items[VariantTally]) -> dict[str, dict[str, int]]:
    """Return how many people of a plan wait for each variant, by step id and letter."""
    shares: dict[str, dict[str, int]] = {}
    for variant in variants:
        shares.setdefault(steps[variant.place].id, {})[variant_letter(variant.number)] = variant.people
    return shares


async def _read_again(app: AppContext, plan: Plan) -> int:
    """Look at a plan's runs at its vendor; return how many were too many for one call."""
    if not plan.header.is_at_vendor or plan.status is not PlanStatus.APPROVED:
        return 0
    people = await app.plans.list_people(plan.id, page=1, size=READ_AGAIN)
    await gather_limited(
        [partial(read_again, app, detail) for detail in people.items if detail.sequence.is_handed_over]
    )
    return max(0, people.total_count - READ_AGAIN)


def ways_to_approve(app: AppContext, plan: Plan) -> str:
    """Return where a person approves this plan."""
    return app.ways_to_review(path=f"/plans/{plan.id}", command=f"approve {plan.id}")


async def question_about(app: AppContext, plan_id: str) -> tuple[str, str] | None:
    """Return what a dialog would ask about a plan as it is now, and who is paused in it (``PlanTally.pauses``).

    None where it is not one for a dialog.
    """
    from sequences_mcp.review.presentation import present_plan, present_texts

    plan = await app.plans.get_plan(plan_id)
    if plan.status is not PlanStatus.WAITING or plan.missing_texts or plan.people > ASK_AT_MOST:
        return None
    app = app.sending_under(plan.header.terms)
    shown = await present_plan(app, plan)
    people = await app.records.list_people(plan.id, page=1, size=ASK_AT_MOST)  # whoever waits comes first
    waiting = sorted(
        (detail for detail in people.items if detail.sequence.waits_for_plan),
        key=lambda detail: detail.sequence.ordinal,
    )
    if not waiting:
        return None  # everybody is under way: what changed are the settings, which a person sees on the page
    persons = (
        present_texts(app, waiting_person, sourcing=shown.sourcing, checked=False) for waiting_person in waiting
    )
    left_out = (await app.plans.planning_tally(plan.id)).left_out
    question = Question(shown=shown, people=tuple(persons), left_out=left_out).text()
    return (question, shown.tally.pauses) if len(question) <= QUESTION_LIMIT else None


DECLINED = "The person rejected it in the dialog."
LOOK_EVERY = 1.0


def is_plan_open(view: starts.StartView) -> bool:
    """Say whether nobody has decided about this start."""
    return view.outcome == "waiting_for_approval"


async def ask_about_plan(
    app: AppContext, ctx: Context[Any, Any], planned: PlannedCall, *, view: starts.StartView
) -> starts.StartView:
    """Return a start after a person was asked in the chat, where that can be; only a decision changes it."""
    if not app.elicitation:
        return view
    ways = ways_to_approve(app, await app.plans.get_plan(planned.plan_id))
    if not app.must_sign() and dialog.can_ask(ctx):
        question = await question_about(app, planned.plan_id)
        if question is not None:
            text, paused = question
            reply = await dialog.ask(ctx, text, digest=f"{view.digest}:{paused}")
            if reply.answer is DialogAnswer.APPROVED:
                digest, _, pauses = reply.digest.partition(":")
                await approve_plan(app, plan_id=planned.plan_id, digest=digest, actor=actors.DIALOG, pauses=pauses)
            elif reply.answer is DialogAnswer.REJECTED:
                await refuse_plan(app, plan_id=planned.plan_id, reason=DECLINED, actor=actors.DIALOG)
            else:
                return starts.unanswered(view, reply.answer, ways=ways)
            return await present_start(app, planned)
    return await _led_to_page(app, ctx, view, ways=ways)


async def _led_to_page(
    app: AppContext, ctx: Context[Any, Any], view: starts.StartView, *, ways: str
) -> starts.StartView:
    """Ask the client to open the review page, where it can and the page is served; return what came of it.

    The address carries no credential. Declining to look is no answer to the plan, which goes on waiting.
    """
    address = app.page_address(f"/plans/{view.plan_id}")
    if address is None or not dialog.can_open_links(ctx):
        return view
    answer = await dialog.open_address(ctx, address, name=view.plan_id)
    return view if answer is DialogAnswer.APPROVED else starts.unanswered(view, answer, ways=ways)


async def plan_decided(
    app: AppContext, ctx: Context[Any, Any], planned: PlannedCall, *, view: starts.StartView, seconds: int
) -> starts.StartView:
    """Return a start once somebody has decided about it, or after so many seconds as it then stands."""
    if not seconds or view.approval == "dismissed":
        return view
    with anyio.move_on_after(seconds):
        waited = 0.0
        while is_plan_open(view):
            await ctx.report_progress(waited, seconds, "waiting for a person's decision")
            await anyio.sleep(LOOK_EVERY)
            waited += LOOK_EVERY
            view = await present_start(app, planned)
    return view


async def change_decided(
    app: AppContext,
    ctx: Context[Any, Any],
    error: ApprovalError,
    *,
    effect: Callable[[AppContext], Awaitable[str]],
) -> str:
    """Return the result of a change that a person approved in a dialog, else raise why not.

    ``error`` says that it waits; it goes on doing so where the client has no dialog or nobody answers in it.
    """
    change = await app.changes.get(error.data["change_id"])
    if change.standing(app.clock()) != "waiting":  # the same call once more, with its key
        raise ConflictError(
            f"This change is {change.state_words(app.clock())}.",
            next_step="Where it is still wanted, call again with another idempotency_key.",
            data={"change_id": change.id},
        )
    if not app.elicitation:
        raise error
    question = _change_question(change)
    if app.must_sign() or not dialog.can_ask(ctx) or len(question) > QUESTION_LIMIT:
        address = app.page_address(f"/changes/{change.id}")
        if address is not None and dialog.can_open_links(ctx):
            await dialog.open_address(ctx, address, name=change.id)
        raise error
    box = dialog.ERASING if change.tool == ERASE else dialog.CHANGE
    reply = await dialog.ask(ctx, question, digest=change.digest, box=box)
    if reply.answer is DialogAnswer.APPROVED:
        return await approve_change(
            app, change_id=change.id, digest=reply.digest, actor=actors.DIALOG, effect=effect
        )
    if reply.answer is DialogAnswer.REJECTED:
        await app.changes.refuse(change.id, reason=DECLINED, actor=actors.DIALOG)
        raise ApprovalError(
            f"{DECLINED} Nothing was {'erased' if change.tool == ERASE else 'changed'}.",
            next_step="Ask the person what they want instead.",
            data={"change_id": change.id},
        ) from error
    raise error


def _change_question(change: PendingChange) -> str:
    asks = (
        "it cannot be undone. Erase them?" if change.tool == ERASE else "change what is sent to people under way?"
    )
    lines = [f"{what_it_is(change)} ({change.subject}): {asks}"]
    for name, before, after in differences(change):
        lines += ["", f"{name}", f"Now: {before}", f"If approved: {after}"]
    return with_wire_forms(visible_text("\n".join(lines)))
