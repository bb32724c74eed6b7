"""What people do to a sequence: approve, refuse, edit, pause, resume, complete a task, answer, end it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sequences_mcp.domain.sequence import Sequence, SequenceStatus, StepRun, StepState, TaskOutcome
from sequences_mcp.engine import timing
from sequences_mcp.engine.events import (
    Approved,
    DraftApproved,
    OptedOut,
    Paused,
    Refused,
    Replied,
    Resumed,
    Rewritten,
    Stopped,
    TaskCompleted,
)
from sequences_mcp.engine.flight import Result
from sequences_mcp.engine.legal import conflict
from sequences_mcp.engine.steps import ended, executed, find, grounded, settled, waits_for_person, with_run
from sequences_mcp.errors import InvalidArgumentsError

APPROVAL = "approval"
"""How the reason of a hold begins that a new approval of the whole plan ends."""

EDITED = "edited: this text waits for a person's approval"
"""The reason of a hold that only an approval of this very text ends."""

_PENDING = frozenset({StepState.PLANNED, StepState.HELD})


def approved(sequence: Sequence, event: Approved, now: datetime) -> Result:
    """Start a sequence, or let go what a live one holds because the plan's approval was void."""
    if sequence.status is SequenceStatus.FOUND:
        return settled(replace(_pause_from(sequence, now), anchor=_beginning(sequence, now)), now), ()
    steps = tuple(_released(run) if _waits_for_plan(run) else run for run in sequence.steps)
    return (sequence if steps == sequence.steps else settled(replace(sequence, steps=steps), now)), ()


def _pause_from(sequence: Sequence, now: datetime) -> Sequence:
    """Return what starts now with the pause it waited under: counted from now, gone where its end has passed."""
    if sequence.paused_until is None or sequence.paused_until <= now:
        return replace(sequence, paused_since=None, paused_until=None)
    return replace(sequence, paused_since=now)


def _beginning(sequence: Sequence, now: datetime) -> datetime:
    """Return from when the first delay is counted: what goes on after an earlier run has waited already."""
    run = sequence.current
    goes_on = run is not None and run is not sequence.steps[0]
    return now - run.step.delay.duration() if run and goes_on and run.step.delay else now


def refused(sequence: Sequence, event: Refused, now: datetime) -> Result:
    """End what never started."""
    return ended(sequence, SequenceStatus.REFUSED, now=now, reason=event.reason), ()


def paused(sequence: Sequence, event: Paused, now: datetime) -> Result:
    """Stand still until an instant, or move that instant; a claimed e-mail goes back, one handed over cannot.

    What waits for its plan's approval goes on waiting, and once approved it starts paused.
    """
    if event.until <= now:
        raise InvalidArgumentsError(
            f"A pause has to end in the future; {event.until.isoformat()} is not.",
            next_step="Give a later time, or use resume_sequence to go on now.",
        )
    run = sequence.current
    if run is not None and run.state is StepState.CLAIMED:
        sequence = with_run(sequence, _released(run))
    since = sequence.paused_since or now
    if sequence.status is SequenceStatus.FOUND:
        return replace(sequence, paused_since=since, paused_until=event.until, updated_at=now), ()
    return settled(replace(sequence, paused_since=since, paused_until=event.until), now), ()


def resumed(sequence: Sequence, event: Resumed, now: datetime) -> Result:
    """Go on now, in the status the current step calls for; before its plan's approval, wait for that alone."""
    if sequence.status is SequenceStatus.FOUND:
        if sequence.paused_until is None:
            raise conflict(sequence, "The sequence is not paused: it waits for a person's approval of its plan.")
        return replace(sequence, paused_since=None, paused_until=None, updated_at=now), ()
    return settled(timing.resumed(sequence, now), now), ()


def stopped(sequence: Sequence, event: Stopped, now: datetime) -> Result:
    """End it because a person said so."""
    why = {"reason": event.why} if event.why else {}
    return ended(sequence, SequenceStatus.STOPPED_EARLY, now=now, stop_reason=event.reason, **why), ()


def replied(sequence: Sequence, event: Replied, now: datetime) -> Result:
    """End it because the contact answered."""
    return ended(sequence, SequenceStatus.SUCCEEDED, now=now, reason=event.reason), ()


def opted_out(sequence: Sequence, event: OptedOut, now: datetime) -> Result:
    """End it because the contact must not be contacted."""
    return ended(sequence, SequenceStatus.STOPPED_EARLY, now=now, reason=event.reason), ()


def task_completed(sequence: Sequence, event: TaskCompleted, now: datetime) -> Result:
    """Record what became of a task, or that an invitation sent earlier was accepted."""
    run = find(sequence, event.key)
    accepted = event.outcome is TaskOutcome.ACCEPTED
    if accepted and not run.step.is_invitation:
        raise InvalidArgumentsError(
            f"This is {sequence.place_of(run)}, no invitation: it cannot be accepted.",
            next_step="Complete it with outcome done or skipped.",
        )
    if run.state is StepState.OPEN:
        return settled(with_run(sequence, _completed(run, event.outcome, now), anchor=now), now), ()
    if accepted and run.state is StepState.DONE and run.accepted_at is None:
        return settled(with_run(sequence, replace(run, accepted_at=now)), now), ()
    raise conflict(
        sequence, f"This is {sequence.place_of(run)}, which is {run.state}: there is no open task to complete."
    )


def rewritten(sequence: Sequence, event: Rewritten, now: datetime) -> Result:
    """Replace pending texts, all or none; in a live sequence each then waits for a yes, unless it has one."""
    _require_steps(sequence, event)
    steps = tuple(
        _rewritten(sequence, run, event) if run.step.id in event.texts else run for run in sequence.steps
    )
    variables = sequence.variables if event.variables is None else event.variables
    found = sequence.findings if event.findings is None else event.findings
    number = sequence.warnings if event.findings is None else len(found)
    sequence = replace(sequence, steps=steps, variables=variables, updated_at=now, warnings=number, findings=found)
    return (sequence if sequence.status is SequenceStatus.FOUND else settled(sequence, now)), ()


def draft_approved(sequence: Sequence, event: DraftApproved, now: datetime) -> Result:
    """Let a text go that was held for a person."""
    run = find(sequence, event.key)
    if run.state is not StepState.HELD or not waits_for_person(run):
        raise conflict(
            sequence, f"This is {sequence.place_of(run)}, which is {run.state}: it does not wait for an approval."
        )
    return settled(with_run(sequence, _released(run)), now), ()


def _released(run: StepRun) -> StepRun:
    return grounded(run, StepState.PLANNED)


def _waits_for_plan(run: StepRun) -> bool:
    return run.state is StepState.HELD and (run.reason or "").startswith(APPROVAL)


def _completed(run: StepRun, outcome: TaskOutcome, now: datetime) -> StepRun:
    if outcome is TaskOutcome.SKIPPED:
        return grounded(run, StepState.SKIPPED)
    accepted_at = now if outcome is TaskOutcome.ACCEPTED else None
    return executed(run, StepState.DONE, now, accepted_at=accepted_at)


def _rewritten(sequence: Sequence, run: StepRun, event: Rewritten) -> StepRun:
    if run.state not in _PENDING:
        raise conflict(
            sequence, f"This is {sequence.place_of(run)}, which is {run.state}: its text can no longer change."
        )
    subject, content = event.texts[run.step.id]
    generation = run.generation if run.content is None else run.generation + 1
    run = replace(
        run,
        subject=subject,
        content=content,
        generation=generation,
        same_as=event.same_as.get(run.step.id),
        message_id=None,
    )
    if sequence.status is SequenceStatus.FOUND:
        return run
    return _released(run) if run.step.id in event.approved else grounded(run, StepState.HELD, reason=EDITED)


def _require_steps(sequence: Sequence, event: Rewritten) -> None:
    unknown = sorted(set(event.texts) - {run.step.id for run in sequence.steps})
    if unknown:
        raise InvalidArgumentsError(
            f"The sequence has no step {', '.join(map(repr, unknown))}.",
            next_step=f"Its steps are {', '.join(repr(run.step.id) for run in sequence.steps)}.",
        )
