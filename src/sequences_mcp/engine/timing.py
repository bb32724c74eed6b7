"""When things are due, and how pauses move that. All instants are aware."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sequences_mcp.domain.blueprint import INVITE_TIMEOUT_DAYS, Temporality
from sequences_mcp.domain.sequence import IN_FLIGHT, LIVE, Sequence, StepRun
from sequences_mcp.engine.steps import waits_for_person

_NO_TIME = timedelta(0)


def next_run_at(sequence: Sequence) -> datetime | None:
    """Return when the sequence needs a Tick, or None when nothing happens in it by itself.

    A lease that runs out counts also during a pause, so that an outcome does not stay open unseen. What a vendor
    carries out is never due here.
    """
    run = sequence.current
    if sequence.is_at_vendor or sequence.status not in LIVE or run is None:
        return None
    lease_ends = run.lease_expires_at if run.state in IN_FLIGHT else None
    if sequence.paused_until is not None:
        return min(sequence.paused_until, lease_ends or sequence.paused_until)
    if lease_ends is not None:
        return lease_ends
    return None if waits_for_person(run) else due_at(sequence, run)


def due_at(sequence: Sequence, run: StepRun) -> datetime:
    """Return when the current step is due: at the end of its hold, else as its timing says."""
    if run.until is not None:
        return run.until
    anchor = sequence.anchor or sequence.created_at
    match run.step.temporality_type:
        case Temporality.DELAYED:
            return anchor + (run.step.delay.duration() if run.step.delay else _NO_TIME)
        case Temporality.AFTER_INVITATION_SETTLED:
            return max(anchor, _invitation_settled_at(sequence, run) or anchor)
        case _:
            return anchor


def _invitation_settled_at(sequence: Sequence, run: StepRun) -> datetime | None:
    """Return when the invitation before this step is accepted or has timed out; None when none was sent."""
    earlier = sequence.steps[: sequence.steps.index(run)]
    invitation = next((one for one in reversed(earlier) if one.step.is_invitation), None)
    if invitation is None or invitation.executed_at is None:
        return None
    own, this = (one.step.policy.invite_timeout_days for one in (invitation, run))
    times_out = (invitation.anchor or invitation.executed_at) + timedelta(days=own or this or INVITE_TIMEOUT_DAYS)
    return min(times_out, invitation.accepted_at or times_out)


def resumed(sequence: Sequence, now: datetime) -> Sequence:
    """Return the sequence without its pause, its delay clocks moved by as long as they stood still.

    A pause ends at ``paused_until`` even if that is noticed later. Clocks that started during the pause start at
    its end. What was due already may move too, but never past the end of the pause, so it is due at once. Holds
    until an instant (a sending window, a retry) are wall-clock time and do not move.
    """
    since, until = sequence.paused_since or now, min(now, sequence.paused_until or now)
    steps = tuple(replace(run, anchor=_moved(run.anchor, since, until)) for run in sequence.steps)
    anchor = _moved(sequence.anchor, since, until)
    return replace(sequence, steps=steps, anchor=anchor, paused_since=None, paused_until=None)


def _moved(anchor: datetime | None, since: datetime, until: datetime) -> datetime | None:
    if anchor is None:
        return None
    return anchor + max(_NO_TIME, until - max(since, anchor))
