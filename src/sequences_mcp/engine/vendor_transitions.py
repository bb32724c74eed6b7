"""Pure state transitions of runs that a vendor carries out.

``FOUND → ACTIVE`` when it is taken to be handed over, then whatever the vendor tells. What was certainly not done
goes back to FOUND or ends; what nobody knows waits for a user.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Literal

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.ids import VENDORS
from sequences_mcp.domain.run import TERMINAL, Run, SequenceStatus
from sequences_mcp.errors import ConflictError
from sequences_mcp.ports.embedded import Outlook
from sequences_mcp.ports.vendor import EnrolmentOutcome

TAKEN = "is being handed over"
TWO = "the vendor has enrolled them after all, and another sequence has begun since: end one of the two there"


def vendor_run_claimed(run: Run, *, operation_id: str, now: datetime) -> Run:
    """Return the run as its request is about to leave; ConflictError unless nothing of it has begun."""
    if not run.waits_for_plan:
        raise ConflictError(
            f"{run.id} is {run.status}: it cannot be handed over.",
            next_step="get_sequence shows what became of it.",
        )
    return replace(
        run,
        status=SequenceStatus.ACTIVE,
        operation_id=operation_id,
        reason=TAKEN,
        paused_since=None,
        paused_until=None,
        updated_at=now,
    )


def vendor_run_released(run: Run, *, reason: str, now: datetime) -> Run:
    """Return a run that was certainly not handed over and may be later; one whose outcome is known stays so."""
    if not run.has_unknown_outcome:
        return run
    return replace(run, status=SequenceStatus.FOUND, operation_id=None, reason=reason, updated_at=now)


def vendor_run_concluded(run: Run, outcome: EnrolmentOutcome, *, now: datetime) -> Run:
    """Return a run of unknown outcome after the outcome; one whose outcome is known already stays as it is."""
    if not run.has_unknown_outcome:
        return run
    status = {
        "done": SequenceStatus.ACTIVE,
        "not_done": SequenceStatus.FAILED,
        "unknown": SequenceStatus.WAITING_FOR_USER,
    }[outcome.outcome]
    reason = None if outcome.outcome == "done" else outcome.why
    return replace(run, status=status, remote_id=outcome.remote_id, reason=reason, updated_at=now)


def vendor_run_corrected(run: Run, outcome: EnrolmentOutcome, *, busy: bool, now: datetime) -> Run:
    """Return a run that was resolved while its request was still under way, after the answer to that request.

    The vendor's answer to the request overrides what a later look found. ``busy``: another run of the person has
    begun since, so this one stays over, and its reason says that there are two.
    """
    was_over = run.status is SequenceStatus.FAILED and run.operation_id is not None and run.remote_id is None
    if outcome.outcome == "done" and was_over:
        if busy:
            return replace(run, reason=TWO, updated_at=now)
        return replace(run, status=SequenceStatus.ACTIVE, remote_id=outcome.remote_id, reason=None, updated_at=now)
    if outcome.outcome == "not_done" and run.status is SequenceStatus.ACTIVE:
        return replace(run, status=SequenceStatus.FAILED, remote_id=None, reason=outcome.why, updated_at=now)
    return run


def vendor_run_over(run: Run, *, finished: bool, actor: Actor, now: datetime) -> Run:
    """Return a run that somebody has seen to be over at its vendor; ConflictError unless the vendor has it."""
    if not run.is_handed_over or run.has_unknown_outcome or run.status in TERMINAL:
        raise ConflictError(
            f"{run.id} is {run.status}: there is nothing to resolve.",
            next_step="get_sequence shows what becomes of it; an operation is resolved by its own id.",
        )
    status = SequenceStatus.COMPLETED if finished else SequenceStatus.STOPPED_EARLY
    return replace(run, status=status, reason=f"{actor} looked: it is over there", updated_at=now)


def vendor_outcome_known(run: Run) -> Literal["done", "not_done", "unknown"]:
    """Return what became of the handing over of a run that was taken."""
    if run.has_unknown_outcome:
        return "unknown"
    return "not_done" if run.status is SequenceStatus.FAILED and run.remote_id is None else "done"


def vendor_run_seen(run: Run, *, status: SequenceStatus | None, remote_id: str | None, now: datetime) -> Run:
    """Return a run as its vendor tells of it; what is over stays so, and a word nobody knows changes nothing.

    Nor does anything that is told of a run of unknown outcome: what a vendor shows may be an earlier one of the
    same person.
    """
    if run.status in TERMINAL or not run.is_handed_over or run.has_unknown_outcome:
        return run
    after = replace(run, status=status or run.status, remote_id=remote_id or run.remote_id)
    return run if after == run else replace(after, updated_at=now)


def vendor_outlook(run: Run) -> Outlook:
    """Return what is known here of what comes next."""
    return Outlook(next_at=None, why=_why(run))


def _why(run: Run) -> str:
    if run.waits_for_plan and not run.reason:
        return "waits for a person's approval of its plan"
    if run.reason:
        return run.reason
    return f"{VENDORS[run.provider]} carries it out{f' as {run.remote_id}' if run.remote_id else ''}"
