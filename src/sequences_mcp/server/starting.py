"""A start that may be called again: planned once, its answer made of the plan and its runs as they are now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sequences_mcp.domain.plan import OPEN, Plan, PlanStatus
from sequences_mcp.domain.record import PlanTally
from sequences_mcp.errors import ConflictError
from sequences_mcp.flows.at_vendor import not_given
from sequences_mcp.flows.blueprint_needs import accounts_needed, pace_of, will_skip
from sequences_mcp.flows.busy import read_again
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.hand_over import hand_over_soon
from sequences_mcp.flows.in_turns import in_turns
from sequences_mcp.flows.person import ADDRESS_WORD
from sequences_mcp.flows.plan_warnings import number_of_warnings, warnings_of
from sequences_mcp.flows.refuse_plan import refuse_plan
from sequences_mcp.flows.start_report import StartReport
from sequences_mcp.flows.start_sequence import Progress, start_sequence, version_to_start
from sequences_mcp.flows.timetable import timetable
from sequences_mcp.providers.port import Call, SequenceDetail
from sequences_mcp.server.fingerprint import fingerprint
from sequences_mcp.server.question import Question, Shown
from sequences_mcp.server.view import facts_of, to_json
from sequences_mcp.server.views.standing import handed_over, standing
from sequences_mcp.server.views.start import StartView, sample_view, start_view

TOOL = "start_sequence"
ASK_AT_MOST = 10
QUESTION_LIMIT = 12_000
READ_AGAIN = 20  # runs at a vendor that a repeated call looks at
HAND_OVER_AT_MOST = 20.0  # seconds that a call waits for a vendor; the handing over goes on without it
REPEAT = "repeated call"
LEARNT = ("left_out_why", "left_out", "to_write", "time_zones_from")
TOO_LATE = "The answer came after the plan it was about was over; nothing was approved."


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments of a start."""

    blueprint_id: str
    contacts: Items[object]
    auto_approve: bool
    idempotency_key: str | None

    async def call(self, desk: Desk) -> Call:
        """Return what this start is known by: the key given, or one derived from arguments and version."""
        mark = fingerprint(
            {"blueprint_id": self.blueprint_id, "contacts": self.contacts, "auto_approve": self.auto_approve}
        )
        if self.idempotency_key is not None:
            return Call(TOOL, self.idempotency_key, mark)
        version = await version_to_start(desk, blueprint_id=self.blueprint_id, contacts=self.contacts)
        return Call(TOOL, f"{mark}:{version}", mark, derived=True)


@dataclass(frozen=True, slots=True)
class Planned:
    """A start that was planned: by this call, with all that was learnt while planning, or by an earlier one.

    ``first_at`` is when an earlier call came, as ISO 8601. Without a ``report`` it was planned by an earlier call,
    or by an earlier round of this one, for which ``told`` has what was learnt while planning.
    """

    plan_id: str
    first_at: str | None
    left_out: int
    report: StartReport | None = None
    told: Mapping[str, Any] | None = None


async def planned_once(
    desk: Desk, request: Request, *, call: Call, progress: Progress, is_another_round: bool
) -> Planned:
    """Return this start, planning it when this is the first call.

    ``is_another_round`` is for a call that brings a person's answer, and so repeats nothing: ConflictError where
    the plan it is about is over.
    """
    await desk.ledger.recall(call)  # KeyReusedError before anything is planned
    planning = Call(f"{TOOL}.plan", f"{call.key}#plan", call.fingerprint, derived=call.derived)
    stored = await desk.ledger.recall(planning)
    if stored is not None:
        kept = _kept(stored)
        return replace(kept, first_at=None) if is_another_round else replace(kept, told=None)
    if is_another_round:
        raise ConflictError(TOO_LATE, next_step="The same call plans it anew and asks again.")
    report = await start_sequence(
        desk,
        blueprint_id=request.blueprint_id,
        contacts=request.contacts,
        auto_approve=request.auto_approve,
        key=request.idempotency_key,
        progress=progress,
    )
    at = desk.clock().isoformat(timespec="seconds")
    facts = facts_of(start_view(report, warnings=0, left_out=len(report.left_out), repeat_of=None))
    told = {name: facts[name] for name in LEARNT if name in facts}
    made = to_json({"plan_id": report.plan.id, "at": at, "left_out": len(report.left_out), "told": told})
    kept = _kept(await desk.ledger.record(planning, made))
    if kept.plan_id != report.plan.id:  # the same call, sent twice at once, has stored another one first
        if report.plan.status is PlanStatus.WAITING:
            reason = "The same start was asked for twice."
            await refuse_plan(desk, plan_id=report.plan.id, reason=reason, actor=REPEAT)
        return replace(kept, told=None)
    await desk.ledger.record(call, to_json({"plan_id": report.plan.id}))
    return Planned(report.plan.id, None, len(report.left_out), report)


def _kept(stored: str) -> Planned:
    facts: dict[str, Any] = json.loads(stored)
    older = facts.get("view", {})  # as it was stored before a repeat was answered from the plan itself
    plan_id = facts.get("plan_id") or older["plan_id"]
    left_out = facts.get("left_out", older.get("left_out_count", 0))
    return Planned(plan_id, facts.get("at", "an earlier time"), left_out, told=facts.get("told"))


async def present(desk: Desk, planned: Planned) -> StartView:
    """Return a start as its plan and its runs stand now; one at a vendor that a person said yes to is handed over.

    For a repeated call the vendor's runs are looked at again, as many as a call may wait for.
    """
    plan = await desk.plans.get_plan(planned.plan_id)
    found = None
    if plan.header.is_at_vendor and plan.status is PlanStatus.APPROVED:
        # It goes on by itself if the call is given up.
        found = await hand_over_soon(desk, plan_id=plan.id, seconds=HAND_OVER_AT_MOST)
    unread = await _read_again(desk, plan) if planned.first_at is not None else 0
    report = await _report(desk, plan, planned)
    tally = await desk.records.tally(plan.id)
    number = await number_of_warnings(desk, plan)
    view = start_view(report, warnings=number, left_out=planned.left_out, repeat_of=planned.first_at)
    steps = [run.step for run in report.sample.sequence.steps]
    view = view.model_copy(update=_foreseen(desk, plan, report, tally=tally))
    if planned.told is not None:
        view = StartView.model_validate({**facts_of(view), **planned.told})
    view = standing(view, plan, tally, steps=steps, ways=ways_to_approve(desk, plan))
    return view if found is None else handed_over(view, plan, tally, found=found, unread=unread)


def _foreseen(desk: Desk, plan: Plan, report: StartReport, *, tally: PlanTally) -> dict[str, Any]:
    """Return what is known of a plan that waits: when steps are due, who is skipped, what a vendor is not told."""
    sample = report.sample
    if plan.status not in OPEN:
        return {}
    steps = [run.step for run in sample.sequence.steps]
    slots = timetable(desk, steps, zone=sample.sequence.time_zone, start=desk.clock())
    due = tuple(
        f"{run.step.id}: {slot.words}"
        if run.recipient
        else f"{run.step.id}: will be skipped, no {ADDRESS_WORD[run.step.type]} is known"
        for run, slot in zip(sample.sequence.steps, slots, strict=True)
    )
    return {
        "sample": sample_view(report).model_copy(update={"due": due or None}),
        "pace": pace_of(plan, tally, steps),
        "accounts": accounts_needed(plan.header.blueprint_id, steps),
        "will_skip": will_skip(tally, steps) or None if not plan.header.is_at_vendor else None,
        "not_given": not_given(sample) or None,
    }


async def _report(desk: Desk, plan: Plan, planned: Planned) -> StartReport:
    sample = (await desk.records.list_people(plan.id, page=1, size=1)).items[0]
    if planned.report is not None:
        return replace(planned.report, plan=plan, sample=sample)
    return StartReport(
        plan=plan,
        sample=sample,
        left_out=(),
        missing_texts=(),
        zone_sources={},
        warnings=(await warnings_of(desk, plan, people=ASK_AT_MOST)).distinct,
    )


async def _read_again(desk: Desk, plan: Plan) -> int:
    """Look at a plan's runs at its vendor; return how many were too many for one call."""
    if not plan.header.is_at_vendor or plan.status is not PlanStatus.APPROVED:
        return 0
    people = await desk.plans.list_people(plan.id, page=1, size=READ_AGAIN)
    await in_turns([partial(read_again, desk, one) for one in people.items if one.sequence.is_handed_over])
    return max(0, people.total_count - READ_AGAIN)


def ways_to_approve(desk: Desk, plan: Plan) -> str:
    """Return where a person says yes to this plan."""
    return desk.ways_to_review(path=f"/plans/{plan.id}", command=f"approve {plan.id}")


async def question_about(desk: Desk, plan_id: str, *, left_out: int) -> str | None:
    """Return what a dialog would ask about a plan as it is now, or None where it is not one for a dialog."""
    plan = await desk.plans.get_plan(plan_id)
    if plan.status is not PlanStatus.WAITING or plan.missing_texts or plan.people > ASK_AT_MOST:
        return None
    people = await desk.records.list_people(plan.id, page=1, size=ASK_AT_MOST)  # whoever waits comes first
    waiting = sorted(
        (one for one in people.items if one.sequence.waits_for_plan), key=lambda one: one.sequence.ordinal
    )
    if not waiting:
        return None  # everybody is under way: what changed are the settings, which a person sees on the page
    found = await warnings_of(desk, plan, people=ASK_AT_MOST)
    question = Question(
        plan=plan,
        people=tuple(_shown(desk, detail) for detail in waiting),
        warnings=found,
        left_out=left_out,
    ).text()
    return question if len(question) <= QUESTION_LIMIT else None


def _shown(desk: Desk, detail: SequenceDetail) -> Shown:
    steps = [run.step for run in detail.sequence.steps]
    slots = timetable(desk, steps, zone=detail.sequence.time_zone, start=desk.clock())
    return Shown(detail, tuple(slot.words for slot in slots))
