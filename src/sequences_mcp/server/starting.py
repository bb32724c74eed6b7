"""A start in two halves that may each run again: the plan is made once, and asked about once."""

from __future__ import annotations

import json
from collections.abc import Sequence as Items
from dataclasses import dataclass

from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.errors import ConflictError
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.refuse_plan import refuse_plan
from sequences_mcp.flows.start_report import StartReport
from sequences_mcp.flows.start_sequence import Progress, start_sequence, version_to_start
from sequences_mcp.flows.timetable import timetable
from sequences_mcp.providers.port import Call, SequenceDetail
from sequences_mcp.server.fingerprint import fingerprint
from sequences_mcp.server.question import Question, Shown
from sequences_mcp.server.view import facts_of, to_json
from sequences_mcp.server.views.start import StartView, start_view

TOOL = "start_sequence"
ASK_AT_MOST = 10
QUESTION_LIMIT = 12_000
REPEAT = "repeated call"
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
        version = await version_to_start(desk, blueprint_id=self.blueprint_id)
        return Call(TOOL, f"{mark}:{version}", mark, derived=True)


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan as it was made, and the question to ask a person where it may be asked in a dialog."""

    view: StartView
    question: str | None


async def planned_once(
    desk: Desk, request: Request, *, call: Call, progress: Progress, answers: bool = False
) -> Planned:
    """Return the plan of this start, making it when this is the first time.

    ``answers`` is for a person's answer about it: ConflictError where the plan they were asked about is over.
    """
    planning = Call(f"{TOOL}.plan", f"{call.key}#plan", call.fingerprint, derived=call.derived)
    stored = await desk.ledger.recall(planning)
    if stored is None and answers:
        raise ConflictError(TOO_LATE, next_step="The same call plans it anew and asks again.")
    if stored is None:
        report = await start_sequence(
            desk,
            blueprint_id=request.blueprint_id,
            contacts=request.contacts,
            auto_approve=request.auto_approve,
            key=request.idempotency_key,
            progress=progress,
        )
        made = {
            "view": facts_of(start_view(report, ways=ways_to_approve(desk, report.plan))),
            "question": await _question(desk, report),
        }
        stored = await desk.ledger.record(planning, to_json(made))
        await _drop_repeat(desk, report, kept=stored)
    kept = json.loads(stored)
    return Planned(StartView.model_validate(kept["view"]), kept["question"])


async def _drop_repeat(desk: Desk, report: StartReport, *, kept: str) -> None:
    """Refuse this plan where the same call, sent twice at once, has stored another one first."""
    if json.loads(kept)["view"]["plan_id"] != report.plan.id and report.plan.status is PlanStatus.WAITING:
        await refuse_plan(desk, plan_id=report.plan.id, reason="The same start was asked for twice.", actor=REPEAT)


def ways_to_approve(desk: Desk, plan: Plan) -> str:
    """Return where a person says yes to this plan."""
    return desk.ways_to_review(path=f"/plans/{plan.id}", command=f"approve {plan.id}")


async def _question(desk: Desk, report: StartReport) -> str | None:
    plan = report.plan
    if plan.status is not PlanStatus.WAITING or plan.missing_texts or plan.people > ASK_AT_MOST:
        return None
    people = await desk.plans.list_people(plan.id, page=1, size=ASK_AT_MOST)
    question = Question(
        plan=plan,
        people=tuple(_shown(desk, detail) for detail in people.items),
        warnings=report.warnings,
        left_out=len(report.left_out),
    ).text()
    return question if len(question) <= QUESTION_LIMIT else None


def _shown(desk: Desk, detail: SequenceDetail) -> Shown:
    steps = [run.step for run in detail.sequence.steps]
    slots = timetable(desk, steps, zone=detail.sequence.time_zone, start=desk.clock())
    return Shown(detail, tuple(slot.words for slot in slots))
