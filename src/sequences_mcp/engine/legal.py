"""Which event is legal in which status: the one table, and the error for everything that is not in it."""

from __future__ import annotations

from collections.abc import Mapping

from sequences_mcp.domain.sequence import LIVE, Sequence, SequenceStatus
from sequences_mcp.engine.events import (
    Approved,
    Deferred,
    Delivered,
    DraftApproved,
    Event,
    HandedOver,
    Lost,
    OptedOut,
    Paused,
    Refused,
    Rejected,
    Replied,
    Resumed,
    Rewritten,
    Settled,
    Stopped,
    TaskCompleted,
    Tick,
)
from sequences_mcp.errors import ConflictError

_FOUND = frozenset({SequenceStatus.FOUND})
_ACTIVE = frozenset({SequenceStatus.ACTIVE})
_PAUSED = frozenset({SequenceStatus.WAITING_FOR_LEAD})
# A sequence can be ended while an e-mail of it is beyond recall; only that e-mail's fate may still be recorded.
_ENDED_IN_FLIGHT = frozenset({SequenceStatus.STOPPED_EARLY, SequenceStatus.SUCCEEDED})

LEGAL: Mapping[type[Event], frozenset[SequenceStatus]] = {
    Approved: _FOUND | LIVE,
    Refused: _FOUND,
    Rewritten: _FOUND | LIVE,
    Stopped: _FOUND | LIVE,
    OptedOut: _FOUND | LIVE,
    Replied: LIVE,
    Tick: LIVE,
    Paused: _FOUND | LIVE,
    Resumed: _FOUND | _PAUSED,  # before an approval only what was paused
    TaskCompleted: LIVE,
    DraftApproved: LIVE,
    HandedOver: _ACTIVE,
    Delivered: LIVE | _ENDED_IN_FLIGHT,
    Deferred: LIVE | _ENDED_IN_FLIGHT,
    Rejected: LIVE | _ENDED_IN_FLIGHT,
    Lost: LIVE | _ENDED_IN_FLIGHT,
    Settled: LIVE - _ACTIVE | _ENDED_IN_FLIGHT,  # an unknown outcome is never merely ACTIVE
}

# The tools whose call becomes one of these events. Saying yes or no is a person's: list_reviews shows them where.
_TOOLS: Mapping[type[Event], tuple[str, ...]] = {
    Refused: ("list_reviews",),
    TaskCompleted: ("complete_task",),
    Rewritten: ("edit_draft", "update_sequence"),
    Paused: ("pause_sequence",),
    Resumed: ("resume_sequence",),
    Stopped: ("stop_sequence",),
}


_VERBS: Mapping[type[Event], str] = {
    Approved: "approved",
    Refused: "refused",
    Rewritten: "rewritten",
    Stopped: "stopped",
    OptedOut: "ended by an opt-out",
    Replied: "ended by a reply",
    Tick: "moved by time",
    Paused: "paused",
    Resumed: "resumed",
    TaskCompleted: "moved by a task",
    DraftApproved: "moved by an approved text",
    HandedOver: "told of an e-mail in flight",
    Delivered: "told of an e-mail in flight",
    Deferred: "told of an e-mail in flight",
    Rejected: "told of an e-mail in flight",
    Lost: "told of an e-mail in flight",
    Settled: "settled",
}


def require_legal(sequence: Sequence, event: Event) -> None:
    """Raise ConflictError unless this kind of event is legal in the sequence's status."""
    if sequence.status not in LEGAL[type(event)]:
        raise conflict(sequence, f"The sequence cannot be {_VERBS[type(event)]}.")


def legal_moves(status: SequenceStatus, *, is_paused: bool = False) -> tuple[str, ...]:
    """Return the names of the tools that can change a sequence in this status; none when it is over.

    ``is_paused`` tells whether what waits for an approval was paused.
    """
    legal = {event for event in _TOOLS if status in LEGAL[event]}
    if status is SequenceStatus.FOUND and not is_paused:
        legal.discard(Resumed)
    return tuple(tool for event, tools in _TOOLS.items() if event in legal for tool in tools)


def _once_over(sequence: Sequence) -> str:
    if (sequence.reason or "").startswith("suppressed"):
        return "It is over: this person is on the suppression list, and only a person can take somebody off it."
    return "It is over and stays so; get_sequence shows why. Another start is a plan of its own (start_sequence)."


def conflict(sequence: Sequence, why: str) -> ConflictError:
    """Return the error for a move that the present state forbids: why, the status and the legal moves."""
    moves = legal_moves(sequence.status, is_paused=sequence.paused_until is not None)
    after = f"Possible now: {', '.join(moves)}." if moves else _once_over(sequence)
    return ConflictError(
        f"{why} Its status is {sequence.status}.",
        next_step=after,
        data={"sequence": sequence.id, "status": sequence.status.value, "legal_moves": list(moves)},
    )
