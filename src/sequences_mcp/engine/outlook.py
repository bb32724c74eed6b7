"""What happens next in a sequence, in words."""

from __future__ import annotations

from datetime import datetime

from sequences_mcp.domain.blueprint import Temporality
from sequences_mcp.domain.sequence import IN_FLIGHT, LIVE, Sequence, SequenceStatus, StepRun, StepState
from sequences_mcp.engine import timing
from sequences_mcp.providers.port import Outlook

_ENDS = {
    SequenceStatus.COMPLETED: "all steps are over",
    SequenceStatus.SUCCEEDED: "the contact replied",
    SequenceStatus.FAILED: "a step failed",
    SequenceStatus.STOPPED_EARLY: "it was stopped",
    SequenceStatus.REFUSED: "a person refused it",
}


def outlook(sequence: Sequence, now: datetime) -> Outlook:
    """Return when something happens by itself (never before ``now``; None: nothing does) and why it waits."""
    run = sequence.current
    if sequence.status is SequenceStatus.FOUND:
        return Outlook(next_at=None, why=f"waits for a person's approval of its plan{_then_paused(sequence, now)}")
    if sequence.status not in LIVE or run is None:
        return Outlook(next_at=None, why=_end(sequence))
    if sequence.paused_until is not None:
        resumes = max(now, sequence.paused_until)
        return Outlook(
            next_at=resumes,
            why=f"paused until {_shown(resumes)}; then {sequence.place_of(run)}{_still_in_flight(run)}",
        )
    at = timing.next_run_at(sequence)
    return Outlook(next_at=_next_at(run, at, now), why=_why(sequence, run, now))


def _then_paused(sequence: Sequence, now: datetime) -> str:
    """Return that what waits for an approval stays paused after it, or nothing."""
    if sequence.paused_until is None or sequence.paused_until <= now:
        return ""
    return f"; paused: after the approval nothing leaves before {_shown(sequence.paused_until)}"


def _next_at(run: StepRun, at: datetime | None, now: datetime) -> datetime | None:
    if run.state in IN_FLIGHT:
        return now
    return at and max(at, now)


def _why(sequence: Sequence, run: StepRun, now: datetime) -> str:
    name = sequence.place_of(run)
    match run.state:
        case StepState.OPEN:
            return f"{name} is a task for a person; complete_task records what became of it"
        case StepState.UNKNOWN:
            return f"{name} may or may not have been delivered ({run.reason}); a person has to settle it"
        case StepState.HELD:
            return f"{name} is held: {run.reason}"
        case StepState.CLAIMED | StepState.HANDED_OVER:
            return f"{name} is being sent"
        case _:
            due = timing.due_at(sequence, run)
            return f"{name} is due now" if due <= now else f"{name} {_waits(run)}"


def _waits(run: StepRun) -> str:
    if run.step.temporality_type is Temporality.AFTER_INVITATION_SETTLED:
        return "waits until the invitation is accepted or times out"
    if run.step.delay is None:
        return "waits for its time"
    value, unit = run.step.delay.value, run.step.delay.unit
    return f"waits for its delay of {value} {unit}{'' if value == 1 else 's'} after the previous step"


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} {at.tzname()}"


def _still_in_flight(run: StepRun) -> str:
    return ", which was beyond recall when the pause began" if run.state is StepState.HANDED_OVER else ""


def _end(sequence: Sequence) -> str:
    why = sequence.reason or _ENDS.get(sequence.status, "nothing is left to do")
    unknown = [run.step.name for run in sequence.steps if run.state is StepState.UNKNOWN]
    rest = f"; whether {', '.join(map(repr, unknown))} was delivered is unknown" if unknown else ""
    return f"over: {why}{rest}"
