"""The result of a start: a plan, and everything the person who asked for it should hear."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from sequences_mcp.domain.reasons import grouped
from sequences_mcp.flows.start_report import LeftOut, MissingTexts, StartReport
from sequences_mcp.server.text import cut, fair_limit
from sequences_mcp.server.view import View, WrittenView
from sequences_mcp.server.views.contact import WhoView, who
from sequences_mcp.server.views.finding import FoundView, found
from sequences_mcp.server.views.provider import sender_words, way_out
from sequences_mcp.server.views.review import PlanView, plan_view
from sequences_mcp.server.views.sequence import StepRunView, step_run_view, when

PEOPLE_SHOWN = 5
REASONS_SHOWN = 3
KINDS_SHOWN = 5
REASON_LIMIT = 200
REASON_OF_ONE = 150
TEXT_BUDGET = 1_600

Approval = Literal[
    "given",
    "declined",
    "dismissed",
    "no_answer",
    "expired",
    "withdrawn",
    "nobody_left",
    "not_asked",
    "by_operator",
]


class CountedView(View):
    """A reason that several have; what differs from one to the next is left out of it."""

    count: int
    reason: str


class LeftOutView(WhoView):
    """Someone the plan does not contain, and why."""

    reasons: tuple[str, ...]


class MissingTextsView(WhoView):
    """Steps whose text is still to be written for one person."""

    step_ids: tuple[str, ...]


class SampleView(WhoView):
    """The first person of the plan, with what they would get and when; ``handover`` is what a vendor is given."""

    sequence_id: str
    time_zone: str | None = None
    handover: dict[str, str] | None = None
    next_at: str | None = None
    why: str
    due: tuple[str, ...] | None = None
    steps: tuple[StepRunView, ...] | None = None


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

    ``findings`` are the warnings that a yes covers as well. ``repeat_of`` is when the same call came first.
    ``pace`` is how long its e-mails take, ``accounts`` what a vendor needs connected, ``will_skip`` for how many
    people a step has no address, ``not_given`` which facts known here a vendor is not told. ``became`` counts the
    runs of an approved plan by status, ``became_why`` their reasons; ``handed_over`` is for a start at a vendor.
    """

    approval: Approval
    repeat_of: str | None = None
    became: dict[str, int] | None = None
    became_why: tuple[CountedView, ...] | None = None
    handed_over: HandedOverView | None = None
    sender: str
    delivery: str
    window: str | None = None
    daily_cap: int | None = None
    pace: str | None = None
    accounts: str | None = None
    will_skip: dict[str, int] | None = None
    not_given: tuple[str, ...] | None = None
    sample: SampleView
    left_out_count: int
    left_out_why: tuple[CountedView, ...] | None = None
    left_out: tuple[LeftOutView, ...]
    to_write: tuple[MissingTextsView, ...]
    time_zones_from: dict[str, int]


def start_view(report: StartReport, *, warnings: int, left_out: int, repeat_of: str | None) -> StartView:
    """Return a start as it was planned; ``views.standing`` says how it stands.

    ``warnings`` is how many a yes covers, ``left_out`` how many people it leaves out, ``repeat_of`` when the same
    call came first.
    """
    plan, terms = report.plan, report.plan.header.terms
    return StartView(
        approval="not_asked",
        outcome="waiting_for_approval",
        next="",
        repeat_of=repeat_of,
        sender=sender_words(terms),
        delivery=way_out(terms),
        window=terms.window or None,
        daily_cap=None if terms.are_a_vendors else terms.daily_cap,
        sample=sample_view(report),
        left_out_count=left_out,
        left_out_why=counted(reason for one in report.left_out for reason in one.reasons[:1]),
        left_out=tuple(left_out_view(one) for one in report.left_out[:PEOPLE_SHOWN]),
        to_write=tuple(_missing(one) for one in report.missing_texts[:PEOPLE_SHOWN]),
        time_zones_from=report.zone_sources,
        **plan_view(plan, warnings=warnings).model_dump(),
        **found(report.warnings),
    )


def counted(reasons: Iterable[str]) -> tuple[CountedView, ...] | None:
    """Return the most frequent of these reasons, each with how many have it; None for none."""
    kinds = grouped((reason, 1) for reason in reasons)
    shown = [CountedView(count=one.count, reason=cut(one.reason, REASON_LIMIT)) for one in kinds[:KINDS_SHOWN]]
    if rest := kinds[KINDS_SHOWN:]:
        shown.append(CountedView(count=sum(one.count for one in rest), reason=f"{len(rest)} other reasons"))
    return tuple(shown) or None


def left_out_view(one: LeftOut) -> LeftOutView:
    """Return someone the plan does not contain."""
    return LeftOutView(
        reasons=tuple(cut(why, REASON_OF_ONE) for why in one.reasons[:REASONS_SHOWN]), **who(one.contact)
    )


def _missing(one: MissingTexts) -> MissingTextsView:
    return MissingTextsView(step_ids=one.step_ids, **who(one.contact))


def sample_view(report: StartReport) -> SampleView:
    """Return the first person of a start, their texts cut to fit."""
    sequence = report.sample.sequence
    limit = fair_limit((len(run.content or "") for run in sequence.steps), budget=TEXT_BUDGET)
    return SampleView(
        sequence_id=sequence.id,
        time_zone=sequence.time_zone or None,
        handover=dict(sequence.handover) or None,
        next_at=when(report.sample.outlook.next_at),
        why=report.sample.outlook.why,
        steps=tuple(step_run_view(run, limit, editable=not sequence.is_at_vendor) for run in sequence.steps)
        or None,
        **who(report.sample.contact),
    )
