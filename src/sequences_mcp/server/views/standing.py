"""How a start stands: what its plan and its runs are now, in the words of an answer to the same call."""

from __future__ import annotations

from collections.abc import Sequence as Items

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.plan import OUTBOX, Plan, PlanStatus
from sequences_mcp.domain.record import PlanTally
from sequences_mcp.domain.sequence import LIVE, SequenceStatus, StepState
from sequences_mcp.flows.at_vendor import course_there, title_of
from sequences_mcp.flows.start_sequence import OPERATOR
from sequences_mcp.providers.enrolment_port import HandedOver
from sequences_mcp.server.dialog import Said
from sequences_mcp.server.text import cut
from sequences_mcp.server.view import Outcome
from sequences_mcp.server.views.start import Approval, CountedView, HandedOverView, StartView
from sequences_mcp.server.views.vendor_error import vendor_errors

REASON_LIMIT = 200
REASONS_SHOWN = 5
UNDER_WAY = "It is under way: texts leave when they are due. get_sequence and list_tasks show what happens."
ANEW = "Whoever of them may be written to can be started anew: start_sequence with another idempotency_key."
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


def unanswered(view: StartView, said: Said, *, ways: str) -> StartView:
    """Return a start that still waits after a dialog in which nobody said yes or no."""
    closed = said is Said.CLOSED
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
    doubt = f"; of {_mails(unknown)} nobody knows whether they left" if unknown else ""
    return f"{_mails(sent) if sent else 'nothing'}{doubt}"


def handed_over(view: StartView, plan: Plan, tally: PlanTally, *, found: HandedOver, unread: int) -> StartView:
    """Return an approved start at a vendor with what became of its people; ``unread`` runs were not looked at."""
    outcome, next_step = _fate(found, tally, title_of(plan))
    seen = f" {unread:,} of its runs were not read again for this answer." if unread else ""
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
            "sent": _gone(found, title_of(plan), course_there(plan)),
            "next": f"{_repeated(view)}{next_step}{seen}",
        }
    )


def _gone(found: HandedOver, title: str, course: str) -> str:
    """Return what has left for real people, as far as it is known here: a vendor has them, or may have."""
    certain = f"{found.done:,} handed over to {title}: {course}" if found.done else None
    doubtful = f"{found.unknown:,} unknown" if found.done else "unknown"
    return "; ".join(filter(None, (certain, doubtful if found.unknown else None))) or "nothing"


def counted_words(tally: PlanTally, *, at: str = "") -> str:
    """Return how many of a plan's people are in which status; ``at`` is the vendor that has all of them."""
    words = _WORDS | ({SequenceStatus.FOUND: f"waiting for a yes at {at}"} if at else {})
    told = (f"{tally.statuses[one]:,} {word}" for one, word in words.items() if tally.statuses.get(one))
    return ", ".join(told) or "nobody is in it"


def _decided(plan: Plan, tally: PlanTally, *, ways: str) -> tuple[Approval, Outcome, str]:
    if plan.status is PlanStatus.APPROVED:
        outcome, next_step = _became(tally)
        return ("by_operator" if plan.decided_by == OPERATOR else "given"), outcome, next_step
    if plan.status is PlanStatus.REFUSED:
        return "declined", "refused", f"{_who(plan, 'Refused')} {ANEW}"
    if plan.status is PlanStatus.EXPIRED:
        return "expired", "not_done", f"Nobody decided in time ({plan.reason}). {ANEW}"
    if plan.status is PlanStatus.WITHDRAWN:
        return "withdrawn", "not_done", f"{_who(plan, 'Withdrawn')} {ANEW}"
    if plan.status is PlanStatus.CLOSED:
        gone = f"Everybody has left this plan since: {counted_words(tally)}."
        return "nobody_left", "not_done", f"{gone} get_sequence says why of each. {ANEW}"
    if plan.status is PlanStatus.VOID:
        why = f"Its approval no longer holds: {plan.reason}."
        return "not_asked", "waiting_for_approval", f"{why} A person renews it {ways}"
    texts = "edit_draft writes the missing texts (list_reviews has their ids). " if plan.missing_texts else ""
    return "not_asked", "waiting_for_approval", f"{texts}A person approves it {ways}"


def _became(tally: PlanTally) -> tuple[Outcome, str]:
    words = counted_words(tally)
    if tally.count(*LIVE, SequenceStatus.FOUND):
        return "done", f"It is under way: {words}. {FOLLOW}"
    if tally.count(*_FINISHED):
        return "done", f"It is over: {words}. {ANEW}"
    return "not_done", f"It is over and nothing of it goes on: {words}. {ANEW}"


def _fate(found: HandedOver, tally: PlanTally, title: str) -> tuple[Outcome, str]:
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
            f"After that: {ANEW}"
        )
    if not tally.count(*LIVE, SequenceStatus.FOUND):  # a vendor's own FOUND: it waits for a yes there
        outcome, next_step = _became(tally)
        return outcome, next_step
    follow = f"list_sequences with provider {title.lower()}, and get_sequence, follow it."
    return "done", f"{title} has them: {counted_words(tally, at=title)}. {follow}"


def _why(tally: PlanTally) -> tuple[CountedView, ...] | None:
    shown = tally.reasons[:REASONS_SHOWN]
    return tuple(CountedView(count=one.count, reason=cut(one.reason, REASON_LIMIT)) for one in shown) or None


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
