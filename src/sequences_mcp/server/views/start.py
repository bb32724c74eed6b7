"""The result of a start: a plan, and everything the person who asked for it should hear."""

from __future__ import annotations

from typing import Any, Literal

from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.flows.start_report import LeftOut, MissingTexts, StartReport
from sequences_mcp.providers.enrolment_port import HandedOver
from sequences_mcp.server.text import cut, fair_limit
from sequences_mcp.server.view import Outcome, View, WrittenView
from sequences_mcp.server.views.contact import WhoView, who
from sequences_mcp.server.views.finding import FoundView, found
from sequences_mcp.server.views.provider import sender_words, way_out
from sequences_mcp.server.views.review import PlanView, plan_view
from sequences_mcp.server.views.sequence import StepRunView, step_run_view, when
from sequences_mcp.server.views.vendor_error import vendor_errors

PEOPLE_SHOWN = 8
REASONS_SHOWN = 3
REASON_LIMIT = 200
TEXT_BUDGET = 1_600

Approval = Literal["given", "declined", "dismissed", "expired", "not_asked", "by_operator"]

UNDER_WAY = "It is under way: texts leave when they are due. get_sequence and list_tasks show what happens."
_AFTER: dict[Approval, tuple[Outcome, str]] = {
    "given": ("done", UNDER_WAY),
    "declined": ("refused", "The person said no. Another start of the same needs a new idempotency_key."),
    "dismissed": (
        "waiting_for_approval",
        "The dialog was closed without an answer. The same call asks again; sequences-mcp review does too.",
    ),
    "expired": ("not_done", "Nobody decided in time. Another start of the same needs a new idempotency_key."),
}


class LeftOutView(WhoView):
    """Someone the plan does not contain, and why."""

    reasons: tuple[str, ...]


class MissingTextsView(WhoView):
    """Steps whose text is still to be written for one person."""

    step_ids: tuple[str, ...]


class SampleView(WhoView):
    """The first person of the plan, with what they would get; ``handover`` is what a vendor is given."""

    sequence_id: str
    time_zone: str | None = None
    handover: dict[str, str] | None = None
    next_at: str | None = None
    why: str
    steps: tuple[StepRunView, ...]


class HandedOverView(View):
    """How many of a start's people a vendor has, may have, did not take, and is still to be given.

    ``errors`` are the vendor's answers about those it has not taken, ``why`` our reasons about the others.
    ``operation_ids`` are what check_operation takes.
    """

    done: int
    unknown: int
    not_done: int
    waiting: int
    operation_ids: tuple[str, ...] | None = None
    errors: tuple[dict[str, Any], ...] | None = None
    why: tuple[str, ...] | None = None


class StartView(FoundView, PlanView, WrittenView):
    """A plan: how it stands, one person of it in full, who was left out, which texts are missing.

    ``findings`` are the warnings that a yes covers as well; ``handed_over`` is for a start at a vendor.
    """

    approval: Approval
    handed_over: HandedOverView | None = None
    sender: str
    delivery: str
    window: str | None = None
    daily_cap: int | None = None
    sample: SampleView
    left_out_count: int
    left_out: tuple[LeftOutView, ...]
    to_write: tuple[MissingTextsView, ...]
    time_zones_from: dict[str, int]


def start_view(report: StartReport, *, ways: str) -> StartView:
    """Return a start as nobody has been asked about it yet, or as the operator had allowed it beforehand.

    ``ways`` says where a person decides.
    """
    plan, terms = report.plan, report.plan.header.terms
    under_way = plan.status is PlanStatus.APPROVED
    return StartView(
        outcome="done" if under_way else "waiting_for_approval",
        approval="by_operator" if under_way else "not_asked",
        next=UNDER_WAY if under_way else _next_yes(plan, ways),
        sender=sender_words(terms),
        delivery=way_out(terms),
        window=terms.window or None,
        daily_cap=None if terms.are_a_vendors else terms.daily_cap,
        sample=_sample(report),
        left_out_count=len(report.left_out),
        left_out=tuple(left_out_view(one) for one in report.left_out[:PEOPLE_SHOWN]),
        to_write=tuple(_missing(one) for one in report.missing_texts[:PEOPLE_SHOWN]),
        time_zones_from=report.zone_sources,
        **plan_view(plan).model_dump(),
        **found(report.warnings),
    )


def handed_over(view: StartView, found: HandedOver, *, title: str, course: str) -> StartView:
    """Return an approved start at a vendor with what became of its people so far.

    ``course`` says what the vendor does with those it has.
    """
    outcome, next_step = _fate(found, title)
    return view.model_copy(
        update={
            "handed_over": HandedOverView(
                done=found.done,
                unknown=found.unknown,
                not_done=found.not_done,
                waiting=found.waiting,
                operation_ids=(found.operation_ids if found.unknown else ()) or None,
                errors=vendor_errors(found.errors),
                why=tuple(cut(one, REASON_LIMIT) for one in found.why) or None,
            ),
            "outcome": outcome,
            "sent": _gone(found, title, course),
            "next": next_step,
        }
    )


def _gone(found: HandedOver, title: str, course: str) -> str:
    """Return what has left for real people, as far as it is known here: a vendor has them, or may have."""
    certain = f"{found.done:,} handed over to {title}: {course}" if found.done else None
    doubtful = f"{found.unknown:,} unknown" if found.done else "unknown"
    return "; ".join(filter(None, (certain, doubtful if found.unknown else None))) or "nothing"


def _fate(found: HandedOver, title: str) -> tuple[Outcome, str]:
    if found.unknown:
        operations = ", ".join(found.operation_ids)
        return "unknown", f"Do not start them again. check_operation looks for what became of them: {operations}."
    if found.waiting and found.errors:
        return "done", f"{title} has not taken the others yet (errors says why). It is tried again by itself."
    if found.waiting:
        return "done", f"It is being handed over to {title}; the same call tells how far it is."
    if not found.done:
        return "not_done", (
            f"{title} has nobody of this start: {'errors' if found.errors else 'why'} says why and what helps. "
            "After that the same call with another idempotency_key plans it anew."
        )
    return "done", f"list_sequences with provider {title.lower()}, and get_sequence, follow it."


def answered(view: StartView, approval: Approval, plan: Plan | None = None) -> StartView:
    """Return the start after a person was asked: said yes, said no, or closed the dialog."""
    outcome, next_step = _AFTER[approval]
    changed = {"approval": approval, "outcome": outcome, "next": next_step}
    return view.model_copy(update={**changed, **(plan_view(plan).model_dump() if plan else {})})


def _next_yes(plan: Plan, ways: str) -> str:
    texts = "edit_draft writes the missing texts (list_reviews has their ids). " if plan.missing_texts else ""
    return f"{texts}A person approves it {ways}"


def left_out_view(one: LeftOut) -> LeftOutView:
    """Return someone the plan does not contain."""
    return LeftOutView(reasons=one.reasons[:REASONS_SHOWN], **who(one.contact))


def _missing(one: MissingTexts) -> MissingTextsView:
    return MissingTextsView(step_ids=one.step_ids, **who(one.contact))


def _sample(report: StartReport) -> SampleView:
    sequence = report.sample.sequence
    limit = fair_limit((len(run.content or "") for run in sequence.steps), budget=TEXT_BUDGET)
    return SampleView(
        sequence_id=sequence.id,
        time_zone=sequence.time_zone or None,
        handover=dict(sequence.handover) or None,
        next_at=when(report.sample.outlook.next_at),
        why=report.sample.outlook.why,
        steps=tuple(step_run_view(run, limit, editable=not sequence.is_at_vendor) for run in sequence.steps),
        **who(report.sample.contact),
    )
