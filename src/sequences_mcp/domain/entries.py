"""Entries that are written down: of the audit, the suppression list, approvals, attempts, standstills."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.making import quickly_made
from sequences_mcp.domain.plan import Terms
from sequences_mcp.lazy_dataclasses import dataclass


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One thing that happened: who (``agent``, ``engine``, ``page``, ``terminal:NAME`` …) did what to which id."""

    at: datetime
    actor: Actor
    action: str
    subject: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry(AuditRow):
    """A row of the audit as it is read back, with its number in the chain."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One entry of the list of those who must never be contacted."""

    kind: Literal["address", "domain", "contact"]
    value: str
    reason: str
    actor: Actor
    created_at: datetime


@dataclass(frozen=True, slots=True)
class QueueTally:
    """How many things of one kind wait for a person, and since when the oldest does."""

    number: int
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleEntry:
    """When a run is due and where, as a clock outside of the database sees it.

    ``at`` is None where nothing happens in it by itself, ``is_over`` where nothing ever will. ``fingerprint``
    stands for the settings it was approved for, whose text ``terms`` is; ``number`` is that of its row.
    """

    number: int
    id: str
    status: str
    is_over: bool
    queue: str
    at: datetime | None
    terms: str
    fingerprint: str
    plan_id: str
    blueprint_id: str
    contact_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is in the database.

    ``broken_row`` is the first row of the audit that does not fit its chain, ``latest`` the chain's last instant;
    ``emptied_rows`` is how many of its rows were emptied because somebody of whom they told was erased.
    ``server`` is what is to be known of a database server, each with whether it is right.
    """

    path: str
    journal: str
    why: str
    audit_rows: int
    broken_row: int | None
    emptied_rows: int
    latest: datetime | None
    due: int
    next_at: datetime | None
    unknown: int
    server: tuple[tuple[bool | None, str], ...] = ()

    @property
    def chain(self) -> str:
        """Whether the audit's chain holds, and how many of its rows were emptied, in words."""
        if self.broken_row is not None:
            return f"row {self.broken_row} does not fit the chain"
        rows = f"{self.emptied_rows:,} of {self.audit_rows:,} rows were emptied by an erasure"
        return f"the chain holds; {rows}" if self.emptied_rows else "the chain holds"


@dataclass(frozen=True, slots=True)
class FailedRuns:
    """How many runs of a provider failed of late, and when the first of them did."""

    provider: str
    number: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval by a person: when, of which digest, and the passkey's signature, if there is one."""

    at: datetime
    digest: str
    signature: str | None


@dataclass(frozen=True, slots=True)
class OtherSettings:
    """Runs that are due and were approved for certain terms: how many, since when, and one of their plans."""

    terms: Terms
    number: int
    since: datetime
    plan_id: str


@dataclass(frozen=True, slots=True)
class WaitingMarks:
    """Which things wait: plans as ``number:status``, and when the newest text, task or change began."""

    plans: frozenset[str]
    newest: int

    def has_news(self, last_notice: WaitingMarks) -> bool:
        """Say whether something waits that was not told of."""
        return not self.plans <= last_notice.plans or self.newest > last_notice.newest


@dataclass(frozen=True, slots=True)
class NoticeState:
    """What was last written down about telling the operator."""

    at: datetime
    marks: WaitingMarks


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOperation:
    """One call; ``key`` stands for this answer until ``expires_at``."""

    id: str
    tool: str
    key: str | None
    fingerprint: str
    answer: str
    actor: Actor
    created_at: datetime
    expires_at: datetime | None


class EarlierCall(NamedTuple):
    """The call that a key belongs to: its stored answer, or the plan that it made."""

    tool: str
    fingerprint: str
    answer: str | None
    plan_id: str | None


Answer: TypeAlias = Literal["accepted", "recipient", "mailbox", "doubtful", "died"]
"""What a mail server said to an attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One claim of one text: who sends it under which lease, and the very bytes, as a SHA-256."""

    lease: int
    key: str
    generation: int
    sender: str
    message_id: str
    message_digest: bytes
    claimed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """A mailbox that rests: refused since when and how often in a row, tried again when, and why.

    ``why`` is this program's words, ``reply`` the server's.
    ``account`` stands for the account that was refused: with another password or server the rest is over.
    """

    sender: str
    since: datetime
    until: datetime
    refusals: int
    why: str
    account: str
    reply: str = ""


StandstillKind: TypeAlias = Literal["begun_anew", "other_machine", "copied", "other_folder", "failed_over"]

_STANDSTILLS: Mapping[StandstillKind, tuple[str, str]] = {
    "begun_anew": (
        "The database is new, but the folder holds traces of an earlier one (journals, a passphrase or passkeys).",
        "Put the earlier one back with `sequences-mcp restore`, or say that it is gone: "
        "`sequences-mcp review begin-anew`.",
    ),
    "other_machine": (
        "The database was copied here from another machine, which may still be sending.",
        "Use it there, or say in a terminal that it belongs here now: `sequences-mcp review take-over`.",
    ),
    "copied": (
        "The database file is a copy, or its journal of what was sent is gone: more may have been sent since.",
        "Use the original, or say in a terminal that this one counts now: `sequences-mcp review take-over`.",
    ),
    "other_folder": (
        "The database belongs to another folder: the journal of what was sent here is not its own.",
        "Put its own back with `sequences-mcp restore`, or say in a terminal that it belongs here now: "
        "`sequences-mcp review take-over`.",
    ),
    "failed_over": (
        "The database server was replaced, by a replica or a backup, and another host that sends the same has not "
        "compared what it sent with it: the last e-mails may be missing there.",
        "Start the program on that host, or run `sequences-mcp doctor` there; then it goes on by itself. Where "
        "a host is lost, say so in a terminal: `sequences-mcp review take-over`.",
    ),
}


@dataclass(frozen=True, slots=True)
class Standstill:
    """Why nothing leaves, and since when."""

    kind: StandstillKind
    since: datetime

    @property
    def what(self) -> str:
        """What is the matter with the database."""
        return _STANDSTILLS[self.kind][0]

    @property
    def remedy(self) -> str:
        """What a person can do about it."""
        return _STANDSTILLS[self.kind][1]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnseenHandover:
    """What the journal shows as sent and the database does not know: of a step, or of an operation (``key``)."""

    kind: Literal["email", "vendor"]
    key: str
    at: datetime
    why: str
    facts: Mapping[str, Any]


NO_MARKS = WaitingMarks(frozenset(), 0)
