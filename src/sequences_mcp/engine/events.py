"""What can happen to a sequence, and what the machine asks for in return.

Events are facts (past tense) or the passing of time (``Tick``); effects are requests to the world. Both are
values: the machine that turns one into the other does no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from sequences_mcp.domain.finding import Finding
from sequences_mcp.domain.sequence import StopReason, TaskOutcome


@dataclass(frozen=True, slots=True)
class Approved:
    """A person said yes to the plan (or to a void plan again)."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A person said no, or the plan expired."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Time has come to ``next_run_at``; this is how the world looks for the current step.

    ``opens_at`` is the next instant inside the sending window when ``now`` is outside it. ``blocked`` says why
    the step must not go out before a person has looked (a guard finding, a missing or void approval).
    ``forbidden`` says why it must never go out (suppressed). ``has_contact`` is False where the channel has no
    address. ``lease`` and ``lease_expires_at`` are what an e-mail step is claimed with.
    """

    lease: int
    lease_expires_at: datetime
    opens_at: datetime | None = None
    blocked: str | None = None
    forbidden: str | None = None
    has_contact: bool = True


@dataclass(frozen=True, slots=True)
class HandedOver:
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
    """The server said no for good; ``bounced`` when it said that the address does not exist."""

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
class Settled:
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
    """A person wants the sequence to wait until a future time."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Resumed:
    """A person wants it to go on now."""


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
class Rewritten:
    """Pending texts were replaced, by step id: (subject, content).

    ``same_as`` is, by step id, the first earlier generation that had the very text; ``approved`` are the steps
    whose new text a person has said yes to before; ``findings`` the warnings about this person from now on.
    """

    texts: Mapping[str, tuple[str | None, str]]
    variables: Mapping[str, str] | None = None
    same_as: Mapping[str, int] = field(default_factory=dict)
    approved: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] | None = None


@dataclass(frozen=True, slots=True)
class DraftApproved:
    """A person said yes to one edited or held text."""

    key: str


Event: TypeAlias = (
    Approved
    | Refused
    | Tick
    | HandedOver
    | Delivered
    | Deferred
    | Rejected
    | Lost
    | Settled
    | TaskCompleted
    | Paused
    | Resumed
    | Stopped
    | Replied
    | OptedOut
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
