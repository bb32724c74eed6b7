"""Values of one step and of the whole sequence that every transition is made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sequences_mcp.domain.sequence import Sequence, SequenceStatus, StepRun, StepState
from sequences_mcp.errors import NotFoundError

CUT_SHORT = "the sequence ended while this e-mail was being sent"


def waits_for_person(run: StepRun) -> bool:
    """Say whether only a person can move this step: an open task, an unknown outcome, a hold without an end."""
    return run.state in {StepState.OPEN, StepState.UNKNOWN} or (run.state is StepState.HELD and run.until is None)


def find(sequence: Sequence, key: str) -> StepRun:
    """Return the step with this key; NotFoundError."""
    found = next((run for run in sequence.steps if run.key == key), None)
    if found is None:
        raise NotFoundError(
            f"Sequence {sequence.id} has no step with the key {key}.",
            next_step="get_sequence shows its steps; list_tasks and list_reviews the ids of what waits.",
        )
    return found


def with_run(sequence: Sequence, run: StepRun, **changes: Any) -> Sequence:
    """Return the sequence with this state of one step in place of the step with the same key."""
    steps = tuple(run if old.key == run.key else old for old in sequence.steps)
    return replace(sequence, steps=steps, **changes)


def grounded(run: StepRun, state: StepState, *, reason: str | None = None, **changes: Any) -> StepRun:
    """Return the step in a state outside flight: no lease, no hold that ends by itself unless one is given."""
    lasting: dict[str, Any] = {"lease": None, "lease_expires_at": None, "until": None} | changes
    return replace(run, state=state, reason=reason, **lasting)


def executed(run: StepRun, state: StepState, now: datetime, **changes: Any) -> StepRun:
    """Return the step as executed at ``now``."""
    return grounded(run, state, executed_at=now, anchor=now, **changes)


def settled(sequence: Sequence, now: datetime) -> Sequence:
    """Return a live sequence with the status that follows from its current step and its pause.

    No step left: COMPLETED. Paused: WAITING_FOR_LEAD. A step that only a person can move: WAITING_FOR_USER, at
    once, also when the step is not due yet, so that the person has until then. Anything else: ACTIVE.
    """
    run = sequence.current
    if run is None:
        return _over(sequence, SequenceStatus.COMPLETED, now)
    if sequence.paused_until is not None:
        status = SequenceStatus.WAITING_FOR_LEAD
    else:
        status = SequenceStatus.WAITING_FOR_USER if waits_for_person(run) else SequenceStatus.ACTIVE
    return replace(sequence, status=status, updated_at=now)


def ended(sequence: Sequence, status: SequenceStatus, *, now: datetime, **changes: Any) -> Sequence:
    """Return the sequence in a terminal status with whatever had not happened yet cancelled."""
    steps = tuple(_cancelled(run) for run in sequence.steps)
    return _over(replace(sequence, steps=steps, **changes), status, now)


def _over(sequence: Sequence, status: SequenceStatus, now: datetime) -> Sequence:
    return replace(sequence, status=status, paused_since=None, paused_until=None, updated_at=now)


def _cancelled(run: StepRun) -> StepRun:
    """Return what the end of the sequence makes of a step.

    An e-mail that was handed over may arrive: it is unknown until its worker, which keeps the lease, reports.
    """
    if run.is_over or run.state is StepState.UNKNOWN:
        return run
    if run.state is StepState.HANDED_OVER:
        return replace(run, state=StepState.UNKNOWN, reason=CUT_SHORT, lease_expires_at=None)
    return grounded(run, StepState.CANCELLED, reason=run.reason)
