"""Runs that a vendor carries out, as they are kept here: pure transitions, the vendor's half of the machine.

``FOUND → ACTIVE`` when it is taken to be handed over, then whatever the vendor tells. What was certainly not done
goes back to FOUND or ends; what nobody knows waits for a user.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sequences_mcp.domain.ids import VENDORS
from sequences_mcp.domain.sequence import TERMINAL, Sequence, SequenceStatus
from sequences_mcp.errors import ConflictError
from sequences_mcp.providers.enrolment_port import Fate
from sequences_mcp.providers.port import Outlook

TAKEN = "is being handed over"


def taken(one: Sequence, *, operation_id: str, now: datetime) -> Sequence:
    """Return the run as its request is about to leave; ConflictError unless it is FOUND."""
    if one.status is not SequenceStatus.FOUND:
        raise ConflictError(
            f"{one.id} is {one.status}: it cannot be handed over.",
            next_step="get_sequence shows what became of it.",
        )
    return replace(one, status=SequenceStatus.ACTIVE, operation_id=operation_id, reason=TAKEN, updated_at=now)


def released(one: Sequence, *, reason: str, now: datetime) -> Sequence:
    """Return a run that was certainly not handed over and may be, later."""
    return replace(one, status=SequenceStatus.FOUND, operation_id=None, reason=reason, updated_at=now)


def fated(one: Sequence, fate: Fate, *, now: datetime) -> Sequence:
    """Return a run that is being handed over, or whose handing over nobody knew about, after its fate."""
    status = {
        "done": SequenceStatus.ACTIVE,
        "not_done": SequenceStatus.FAILED,
        "unknown": SequenceStatus.WAITING_FOR_USER,
    }[fate.outcome]
    reason = None if fate.outcome == "done" else fate.why
    return replace(one, status=status, remote_id=fate.remote_id, reason=reason, updated_at=now)


def seen(one: Sequence, *, status: SequenceStatus | None, remote_id: str | None, now: datetime) -> Sequence:
    """Return a run as its vendor tells of it; what is over stays so, and a word nobody knows changes nothing.

    One with a reason is still being handed over, or nobody knows whether it was: only its operation settles that.
    """
    if one.status in TERMINAL or not one.is_handed_over or one.reason is not None:
        return one
    after = replace(one, status=status or one.status, remote_id=remote_id or one.remote_id)
    return one if after == one else replace(after, updated_at=now)


def outlook_there(one: Sequence) -> Outlook:
    """Return what is known here of what comes next."""
    return Outlook(next_at=None, why=_why(one))


def _why(one: Sequence) -> str:
    if one.status is SequenceStatus.FOUND and not one.reason:
        return "waits for a person's approval of its plan"
    if one.reason:
        return one.reason
    return f"{VENDORS[one.provider]} carries it out{f' as {one.remote_id}' if one.remote_id else ''}"
