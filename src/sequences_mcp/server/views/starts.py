"""Views of previews and of starts: a plan as it was made, and how it and its runs stand now."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Items
from typing import Any, ClassVar, Literal

from sequences_mcp.domain import actors
from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.findings import Counted, Severity, most_frequent
from sequences_mcp.domain.ids import version_told
from sequences_mcp.domain.plan import OUTBOX, Plan, PlanStatus
from sequences_mcp.domain.records import LeftOutShown, PlanTally
from sequences_mcp.domain.run import LIVE, SequenceStatus, StepState
from sequences_mcp.planning.vendor_texts import course_there, title_of
from sequences_mcp.ports.embedded import SequenceDetail
from sequences_mcp.ports.vendor import EnrolmentTally
from sequences_mcp.server.dialog import DialogAnswer
from sequences_mcp.server.text import cut, fair_limit, size
from sequences_mcp.server.view import Outcome, ResultView, WrittenView
from sequences_mcp.server.views.blueprints import (
    ARCHIVED,
    FindingsView,
    FindingView,
    finding_view,
    findings_fields,
)
from sequences_mcp.server.views.contacts import FACT_LIMIT, WhoView, who
from sequences_mcp.server.views.reviews import PlanView, plan_view, sender_words, way_out
from sequences_mcp.server.views.sequences import StepRunView, channel_of, step_run_view, vendor_errors, when
from sequences_mcp.services import starts
from sequences_mcp.services.left_out import kinds_of

TEXTS_SHOWN = 15  # so five people of three steps, or three of five
PREVIEW_PEOPLE_SHOWN = 8
PREVIEW_REASONS_SHOWN = 5
PREVIEW_REASON_LIMIT = 200
PREVIEW_WARNINGS_SHOWN = 12  # of all people together
PREVIEW_TEXT_BUDGET = 1_700
PREVIEW_CUT = "Long texts are cut; fewer contacts show more of them."


class StepPreview(ResultView):
    """One step as this person would get it; no ``content``: the text is still to be written for them."""

    step_id: str
    channel: str
    at: str
    waits_for_window: bool | None = None
    recipient: str | None = None
    variant: str | None = None
    subject: str | None = None
    content: str | None = None
    sent_as: str | None = None


class PreviewPersonView(WhoView):
    """One person; ``left_out`` says why a start would not write to them."""

    time_zone: str | None = None
    left_out: tuple[str, ...] | None = None
    warnings: tuple[FindingView, ...] | None = None
    missing_texts: tuple[str, ...] | None = None
    steps: tuple[StepPreview, ...] | None = None


class PreviewView(ResultView):
    """What would go to whom and when, if approved now and nobody answers. Nothing was saved or planned."""

    cut_note: ClassVar[str] = PREVIEW_CUT

    blueprint_id: str
    blueprint_version: int | None = None
    delivery: str
    people: tuple[PreviewPersonView, ...]
    people_count: int
    left_out_count: int
    left_out_why: tuple[CountedView, ...] | None = None
    note: str | None = None


def preview_view(preview: starts.Preview) -> PreviewView:
    """Return a preview; its texts share one budget."""
    number = max(1, TEXTS_SHOWN // max(1, len(preview.blueprint.steps)))
    shown = preview.people[: min(number, PREVIEW_PEOPLE_SHOWN)]
    lengths = [size(planned.readable or "") for person in shown for planned in person.person.steps]
    limit = fair_limit(lengths, budget=PREVIEW_TEXT_BUDGET)
    return PreviewView(
        blueprint_id=preview.blueprint.id,
        blueprint_version=version_told(preview.blueprint.id, preview.blueprint.version),
        delivery=way_out(preview.terms),
        people=tuple(_person(person, limit, warnings=PREVIEW_WARNINGS_SHOWN // len(shown)) for person in shown),
        people_count=len(preview.people),
        left_out_count=sum(bool(person.blocked) for person in preview.people),
        left_out_why=_counted_views(
            most_frequent(kinds_of(person.blocked for person in preview.people), size=KINDS_SHOWN)
        ),
        note=_note(preview, len(shown), is_cut=max(lengths, default=0) > limit),
    )


def _person(preview: starts.PersonPreview, limit: int, *, warnings: int) -> PreviewPersonView:
    person = preview.person
    shown = [finding_view(f) for f in person.findings if f.severity is Severity.WARNING]
    return PreviewPersonView(
        time_zone=f"{person.time_zone} ({person.zone_source})" if person.time_zone else None,
        left_out=tuple(cut(why, PREVIEW_REASON_LIMIT) for why in preview.blocked[:PREVIEW_REASONS_SHOWN]) or None,
        warnings=tuple(shown[: min(warnings, PREVIEW_REASONS_SHOWN)]) or None,
        missing_texts=person.missing_texts or None,
        steps=tuple(
            StepPreview(
                step_id=planned.step.id,
                channel=channel_of(planned.step),
                at=slot.local,
                waits_for_window=slot.held or None,
                recipient=planned.recipient,
                variant=planned.letter,
                subject=planned.subject,
                content=None if planned.readable is None else cut(planned.readable, limit),
                sent_as=planned.step.sent_as,
            )
            for planned, slot in zip(person.steps, preview.slots, strict=True)
        )
        or None,
        **who(person.contact),
    )


def _note(preview: starts.Preview, shown: int, *, is_cut: bool) -> str | None:
    people = len(preview.people)
    notes = [ARCHIVED] if preview.blueprint.archived else []
    if people > shown:
        notes.append(f"The first {shown} of {people} people are shown.")
    if any(step.variants for step in preview.blueprint.steps):
        notes.append(SHARED_OUT)
    if is_cut:
        notes.append(PREVIEW_CUT)
    return " ".join(notes) or None


SHARED_OUT = "Variants are shared out among those named together; named with others, somebody may get another."
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


class CountedView(ResultView):
    """A reason that several people share, without what differs between them."""

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


class HandedOverView(ResultView):
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


class StartView(FindingsView, PlanView, WrittenView):
    """A plan: how it stands, one person of it in full, who was left out, which texts are missing.

    ``findings`` are warnings that the approval covers. ``repeat_of`` is when the same call came first.
    ``pace`` is how long its e-mails take, ``accounts`` what a vendor needs connected, ``will_skip`` for how many
    people a step has no address, ``variants`` how many people wait for each variant of a step, ``not_given`` which
    facts known here a vendor is not told. ``became`` counts the runs of an approved plan by status, ``became_why``
    their reasons; ``handed_over`` is for a start at a vendor.
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
    variants: dict[str, dict[str, int]] | None = None
    not_given: tuple[str, ...] | None = None
    sample: SampleView
    left_out_count: int
    left_out_why: tuple[CountedView, ...] | None = None
    left_out: tuple[LeftOutView, ...]
    to_write: tuple[MissingTextsView, ...]
    time_zones_from: dict[str, int]


def start_view(start: starts.StartState, *, is_repeat: bool) -> StartView:
    """Return a start as it was planned (``standing`` adds its present state); a repeat tells when that was."""
    plan, terms, counted = start.plan, start.plan.header.terms, start.counted
    return StartView(
        approval="not_asked",
        outcome="waiting_for_approval",
        next="",
        repeat_of=plan.created_at.isoformat(timespec="seconds") if is_repeat else None,
        sender=sender_words(terms),
        delivery=way_out(terms),
        window=terms.window or None,
        daily_cap=None if terms.are_a_vendors else terms.daily_cap,
        sample=sample_view(start.sample),
        left_out_count=counted.left_out,
        left_out_why=_counted_views(counted.why),
        left_out=tuple(_left_out(person) for person in counted.first),
        to_write=tuple(_missing(person) for person in start.to_write),
        time_zones_from=dict(counted.zones),
        **plan_view(plan, warnings=start.number).model_dump(),
        **findings_fields(start.warnings),
    )


def _counted_views(kinds: Iterable[Counted]) -> tuple[CountedView, ...] | None:
    return tuple(CountedView(count=kind.count, reason=cut(kind.reason, REASON_LIMIT)) for kind in kinds) or None


def _left_out(person: LeftOutShown) -> LeftOutView:
    return LeftOutView(
        contact_id=person.contact_id,
        name=cut(person.name, FACT_LIMIT) or None,
        email=cut(person.email, FACT_LIMIT) if person.email else None,
        reasons=tuple(cut(why, REASON_OF_ONE) for why in person.reasons),
    )


def _missing(person: SequenceDetail) -> MissingTextsView:
    missing = tuple(run.step.id for run in person.sequence.steps if run.content is None)
    return MissingTextsView(step_ids=missing, **who(person.contact))


def sample_view(sample: SequenceDetail) -> SampleView:
    """Return the first person of a start, their texts cut to fit."""
    sequence = sample.sequence
    limit = fair_limit((size(run.readable or "") for run in sequence.steps), budget=TEXT_BUDGET)
    return SampleView(
        sequence_id=sequence.id,
        time_zone=sequence.time_zone or None,
        handover=dict(sequence.vendor_facts) or None,
        next_at=when(sample.outlook.next_at),
        why=sample.outlook.why,
        steps=tuple(step_run_view(run, limit, editable=not sequence.is_at_vendor) for run in sequence.steps)
        or None,
        **who(sample.contact),
    )


STANDING_REASONS_SHOWN = 5
UNDER_WAY = "It is under way: texts leave when they are due. get_sequence and list_tasks show what happens."
ANEW = "Whoever of them may be written to can be started anew: start_sequence with another idempotency_key."
REJECTED = "Do not plan it anew unless the person asks for it: start_sequence with another idempotency_key."
FOLLOW = "Texts leave when they are due; get_sequence and list_tasks show what happens."
_WORDS = {
    SequenceStatus.FOUND: "still to be handed over",
    SequenceStatus.ACTIVE: "under way",
    SequenceStatus.WAITING_FOR_LEAD: "paused",
    SequenceStatus.WAITING_FOR_USER: "waiting for a person",
    SequenceStatus.COMPLETED: "completed",
    SequenceStatus.SUCCEEDED: "succeeded",
    SequenceStatus.FAILED: "failed",
    SequenceStatus.STOPPED_EARLY: "stopped",
    SequenceStatus.REFUSED: "never begun",
}
_FINISHED = (SequenceStatus.COMPLETED, SequenceStatus.SUCCEEDED)


def standing(view: StartView, plan: Plan, tally: PlanTally, *, steps: Items[Step], ways: str) -> StartView:
    """Return a start with how it stands now; a repeated call says so. ``ways`` is where a person decides."""
    approval, outcome, next_step = _decided(plan, tally, ways=ways)
    began = plan.status is PlanStatus.APPROVED
    changes = {
        "approval": approval,
        "outcome": outcome,
        "sent": sent_words(plan, tally, steps),
        "next": f"{_repeated(view)}{next_step}",
        "became": {status.value: count for status, count in tally.statuses.items()} if began else None,
        "became_why": _why(tally) if began else None,
    }
    return view.model_copy(update=changes)


def unanswered(view: StartView, answer: DialogAnswer, *, ways: str) -> StartView:
    """Return a start that still waits after a dialog that brought no decision."""
    closed = answer is DialogAnswer.CLOSED
    what = "The dialog was closed without an answer." if closed else "The client brought no answer to the dialog."
    again = " The same call asks again." if closed else ""
    changes = {
        "approval": "dismissed" if closed else "no_answer",
        "next": f"{what} The plan goes on waiting: a person decides {ways}.{again}",
    }
    return view.model_copy(update=changes)


def sent_words(plan: Plan, tally: PlanTally, steps: Items[Step]) -> str:
    """Return what has left for real people by the embedded engine."""
    sent, unknown = tally.done(steps), tally.done(steps, StepState.UNKNOWN)
    if plan.header.terms.delivery == OUTBOX:
        return f"nothing: {_mails(sent)} written to the outbox folder, which reaches nobody" if sent else "nothing"
    unknown_words = f"; of {_mails(unknown)} nobody knows whether they left" if unknown else ""
    return f"{_mails(sent) if sent else 'nothing'}{unknown_words}"


def handed_over_facts(
    view: StartView, plan: Plan, tally: PlanTally, *, enrolled: EnrolmentTally, unread: int
) -> StartView:
    """Return an approved start at a vendor with what became of its people; ``unread`` runs were not looked at."""
    outcome, next_step = _outcome_and_next(enrolled, tally, title_of(plan))
    seen = f" {unread:,} of its runs were not read again for this answer." if unread else ""
    return view.model_copy(
        update={
            "handed_over": HandedOverView(
                done=enrolled.done,
                unknown=enrolled.unknown,
                not_done=enrolled.not_done,
                waiting=enrolled.waiting,
                operation_ids=(enrolled.operation_ids if enrolled.unknown else ()) or None,
                errors=vendor_errors(enrolled.errors),
                why=tuple(cut(reason, REASON_LIMIT) for reason in enrolled.why) or None,
            ),
            "outcome": outcome,
            "sent": _gone(enrolled, title_of(plan), course_there(plan)),
            "next": f"{_repeated(view)}{next_step}{seen}",
        }
    )


def _gone(enrolled: EnrolmentTally, title: str, course: str) -> str:
    """Return what has left for real people, as far as it is known here: a vendor has them, or may have."""
    certain = f"{enrolled.done:,} handed over to {title}: {course}" if enrolled.done else None
    unknown_words = f"{enrolled.unknown:,} unknown" if enrolled.done else "unknown"
    return "; ".join(filter(None, (certain, unknown_words if enrolled.unknown else None))) or "nothing"


def counted_words(tally: PlanTally, *, at: str = "") -> str:
    """Return how many of a plan's people are in which status; ``at`` is the vendor that has all of them."""
    words = _WORDS | ({SequenceStatus.FOUND: f"waiting for approval at {at}"} if at else {})
    counts = (f"{tally.statuses[status]:,} {word}" for status, word in words.items() if tally.statuses.get(status))
    return ", ".join(counts) or "nobody is in it"


def _decided(plan: Plan, tally: PlanTally, *, ways: str) -> tuple[Approval, Outcome, str]:
    if plan.status is PlanStatus.APPROVED:
        outcome, next_step = _became(tally)
        return ("by_operator" if plan.decided_by == actors.AUTO_APPROVE else "given"), outcome, next_step
    if plan.status is PlanStatus.REFUSED:
        return "declined", "refused", f"{_who(plan, 'Rejected')} {REJECTED}"
    if plan.status is PlanStatus.EXPIRED:
        return "expired", "not_done", f"Nobody decided in time ({plan.reason}). {ANEW}"
    if plan.status is PlanStatus.WITHDRAWN:
        return "withdrawn", "not_done", f"{_who(plan, 'Withdrawn')} {ANEW}"
    if plan.status is PlanStatus.CLOSED:
        gone = f"Everybody has left this plan since: {counted_words(tally)}."
        return "nobody_left", "not_done", f"{gone} get_sequence says why of each. {ANEW}"
    if plan.is_outdated:
        return (
            "not_asked",
            "not_done",
            f"It cannot be approved: {plan.reason}. withdraw_plan takes it back. {ANEW}",
        )
    if plan.status is PlanStatus.VOID:
        why = f"Its approval no longer holds: {plan.reason}."
        return "not_asked", "waiting_for_approval", f"{why} A person renews it {ways}"
    texts = "edit_draft writes the missing texts (list_reviews has their ids). " if plan.missing_texts else ""
    half = f"{plan.reason}. " if plan.reason else ""  # one of two people has approved
    return "not_asked", "waiting_for_approval", f"{half}{texts}A person approves it {ways}"


def _became(tally: PlanTally) -> tuple[Outcome, str]:
    words = counted_words(tally)
    if tally.count(*LIVE, SequenceStatus.FOUND):
        return "done", f"It is under way: {words}. {FOLLOW}"
    if tally.count(*_FINISHED):
        return "done", f"It is over: {words}. {ANEW}"
    return "not_done", f"It is over and nothing of it goes on: {words}. {ANEW}"


def _outcome_and_next(enrolled: EnrolmentTally, tally: PlanTally, title: str) -> tuple[Outcome, str]:
    if enrolled.unknown:
        operations = ", ".join(enrolled.operation_ids)
        return "unknown", f"Do not start them again. check_operation looks for what became of them: {operations}."
    if enrolled.waiting and enrolled.errors:
        return "done", f"{title} has not taken the others yet (errors says why). It is tried again by itself."
    if enrolled.waiting:
        return "done", f"It is being handed over to {title}; the same call tells how far it is."
    if not enrolled.done:
        return "not_done", (
            f"{title} has nobody of this start: {'errors' if enrolled.errors else 'why'} says why and what helps. "
            f"After that: {ANEW}"
        )
    if not tally.count(
        *LIVE, SequenceStatus.FOUND
    ):  # FOUND at a vendor means that the run waits for an approval in the vendor's app
        outcome, next_step = _became(tally)
        return outcome, next_step
    follow = f"list_sequences with provider {title.lower()}, and get_sequence, follow it."
    return "done", f"{title} has them: {counted_words(tally, at=title)}. {follow}"


def _why(tally: PlanTally) -> tuple[CountedView, ...] | None:
    shown = tally.reasons[:STANDING_REASONS_SHOWN]
    return (
        tuple(CountedView(count=reason.count, reason=cut(reason.reason, REASON_LIMIT)) for reason in shown) or None
    )


def _who(plan: Plan, did: str) -> str:
    when = f", {plan.decided_at:%Y-%m-%d %H:%M} UTC" if plan.decided_at else ""
    reason = f": {plan.reason.rstrip('.')}" if plan.reason else ""
    return f"{did} ({plan.decided_by or 'somebody'}{when}){reason}."


def _repeated(view: StartView) -> str:
    if view.repeat_of is None:
        return ""
    return f"This call repeats the one of {view.repeat_of}: nothing new was planned. "


def _mails(number: int) -> str:
    return "1 e-mail" if number == 1 else f"{number:,} e-mails"
