"""What can happen to a sequence, what the machine asks for in return, and which event is legal in which status."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

from sequences_mcp.domain.findings import Finding
from sequences_mcp.domain.run import LIVE, Run, SequenceStatus, StopReason, TaskOutcome
from sequences_mcp.errors import ConflictError
from sequences_mcp.lazy_dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PlanApproved:
    """A person approved the plan (or a void plan again)."""


@dataclass(frozen=True, slots=True)
class PlanRejected:
    """A person rejected the plan, or it expired."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Time has come to ``next_run_at``; this is how the world looks for the current step.

    ``opens_at`` is the next instant inside the sending window, or the hours for texts, when ``now`` is outside;
    ``opens_why`` is what else it waits for until then.
    ``blocked`` says why the step must not go out before a person has looked (a guard finding, a missing or void
    approval).
    ``forbidden`` says why it must never go out (suppressed). ``unread`` says that the mailbox's answers are not
    known up to now: the step waits for them. ``has_contact`` is False where the channel has no address. ``lease``
    and ``lease_expires_at`` are what an e-mail step is claimed with.
    """

    lease: int
    lease_expires_at: datetime
    opens_at: datetime | None = None
    opens_why: str | None = None
    blocked: str | None = None
    forbidden: str | None = None
    unread: str | None = None
    has_contact: bool = True


@dataclass(frozen=True, slots=True)
class HandedToServer:
    """All but the final dot has been written; from here on nobody can take the message back."""

    lease: int
    lease_expires_at: datetime


@dataclass(frozen=True, slots=True)
class Delivered:
    """The server accepted the message; also legal for an unknown one whose own worker comes back with proof."""

    lease: int
    reply: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Nothing was accepted; due again at ``retry_at``, or, where that is None, held for a person."""

    lease: int
    reason: str
    retry_at: datetime | None
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The server refused the e-mail permanently; ``bounced`` when it said that the address does not exist."""

    lease: int
    reason: str
    bounced: bool
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection ended after the final dot without an answer; ``reply`` is one that was none."""

    lease: int
    reason: str
    reply: str = ""


@dataclass(frozen=True, slots=True)
class OutcomeResolved:
    """A person found out what became of an unknown e-mail."""

    key: str
    sent: bool


@dataclass(frozen=True, slots=True)
class TaskCompleted:
    """A person did, or skipped, a step by hand; or an invitation was accepted."""

    key: str
    outcome: TaskOutcome


@dataclass(frozen=True, slots=True)
class Paused:
    """A person paused the run until a future time."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Resumed:
    """A person ended the pause."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A person ended it for good; ``why`` is more than that, where it is known."""

    reason: StopReason
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Replied:
    """The contact answered."""

    reason: str


@dataclass(frozen=True, slots=True)
class OptedOut:
    """The contact must not be contacted any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Away:
    """The contact's automatic reply said that they are away until then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Returned:
    """An e-mail that was sent came back; ``hard`` where its address does not exist."""

    key: str
    hard: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Held:
    """Something has come in that a person has to look at before the next step."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rewritten:
    """Pending texts were replaced, by step id: (subject, content).

    ``same_as`` is, by step id, the first earlier generation that had the very text; ``approved`` are the steps
    whose new text a person has approved before; ``findings`` the warnings about this person from now on.
    """

    texts: Mapping[str, tuple[str | None, str]]
    variables: Mapping[str, str] | None = None
    same_as: Mapping[str, int] = field(default_factory=dict)
    approved: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] | None = None


@dataclass(frozen=True, slots=True)
class DraftApproved:
    """A person approved one edited or held text."""

    key: str


Event: TypeAlias = (
    PlanApproved
    | PlanRejected
    | Tick
    | HandedToServer
    | Delivered
    | Deferred
    | Rejected
    | Lost
    | OutcomeResolved
    | TaskCompleted
    | Paused
    | Resumed
    | Stopped
    | Replied
    | OptedOut
    | Away
    | Returned
    | Held
    | Rewritten
    | DraftApproved
)


@dataclass(frozen=True, slots=True)
class SendEmail:
    """The current step was claimed: compose, connect, and report back with its lease."""

    key: str
    lease: int


@dataclass(frozen=True, slots=True)
class SuppressAddress:
    """The address does not exist: never write to it again."""

    address: str
    reason: str


Effect: TypeAlias = SendEmail | SuppressAddress


_FOUND = frozenset({SequenceStatus.FOUND})
_ACTIVE = frozenset({SequenceStatus.ACTIVE})
_PAUSED = frozenset({SequenceStatus.WAITING_FOR_LEAD})
# A sequence can be ended while an e-mail of it is beyond recall; only that e-mail's fate may still be recorded.
_ENDED_IN_FLIGHT = frozenset({SequenceStatus.STOPPED_EARLY, SequenceStatus.SUCCEEDED})

LEGAL: Mapping[type[Event], frozenset[SequenceStatus]] = {
    PlanApproved: _FOUND | LIVE,
    PlanRejected: _FOUND,
    Rewritten: _FOUND | LIVE,
    Stopped: _FOUND | LIVE,
    OptedOut: _FOUND | LIVE,
    Replied: LIVE,
    Away: LIVE,
    Returned: LIVE,
    Held: LIVE,
    Tick: LIVE,
    Paused: _FOUND | LIVE,
    Resumed: _FOUND | _PAUSED,  # before an approval only what was paused
    TaskCompleted: LIVE,
    DraftApproved: LIVE,
    HandedToServer: _ACTIVE,
    Delivered: LIVE | _ENDED_IN_FLIGHT,
    Deferred: LIVE | _ENDED_IN_FLIGHT,
    Rejected: LIVE | _ENDED_IN_FLIGHT,
    Lost: LIVE | _ENDED_IN_FLIGHT,
    OutcomeResolved: LIVE - _ACTIVE | _ENDED_IN_FLIGHT,  # an unknown outcome is never merely ACTIVE
}

# The tools whose call becomes one of these events. Saying yes or no is a person's: list_reviews shows them where.
_TOOLS: Mapping[type[Event], tuple[str, ...]] = {
    PlanRejected: ("list_reviews",),
    TaskCompleted: ("complete_task",),
    Rewritten: ("edit_draft", "update_sequence"),
    Paused: ("pause_sequence",),
    Resumed: ("resume_sequence",),
    Stopped: ("stop_sequence",),
}


_VERBS: Mapping[type[Event], str] = {
    PlanApproved: "approved",
    PlanRejected: "refused",
    Rewritten: "rewritten",
    Stopped: "stopped",
    OptedOut: "ended by an opt-out",
    Replied: "ended by a reply",
    Away: "moved by an absence",
    Returned: "told of a returned e-mail",
    Held: "held",
    Tick: "moved by time",
    Paused: "paused",
    Resumed: "resumed",
    TaskCompleted: "moved by a task",
    DraftApproved: "moved by an approved text",
    HandedToServer: "told of an e-mail in flight",
    Delivered: "told of an e-mail in flight",
    Deferred: "told of an e-mail in flight",
    Rejected: "told of an e-mail in flight",
    Lost: "told of an e-mail in flight",
    OutcomeResolved: "resolved",
}


def require_legal(sequence: Run, event: Event) -> None:
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


def _once_over(sequence: Run) -> str:
    if (sequence.reason or "").startswith("suppressed"):
        return "It is over: this person is on the suppression list, and only a person can take somebody off it."
    return "It is over and stays so; get_sequence shows why. Another start is a plan of its own (start_sequence)."


def conflict(sequence: Run, why: str) -> ConflictError:
    """Return the error for a move that the present state forbids: why, the status and the legal moves."""
    moves = legal_moves(sequence.status, is_paused=sequence.paused_until is not None)
    after = f"Possible now: {', '.join(moves)}." if moves else _once_over(sequence)
    return ConflictError(
        f"{why} Its status is {sequence.status}.",
        next_step=after,
        data={"sequence": sequence.id, "status": sequence.status.value, "legal_moves": list(moves)},
    )
