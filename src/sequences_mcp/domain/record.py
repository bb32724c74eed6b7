"""What has been written down, as a person reads it: tallies, e-mails, the suppression list, the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.sequence import Sequence, StepRun


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTally:
    """How many of a plan's people wait, how many of those with warnings, how many were taken out of it.

    ``messages`` is, step by step, how many of those who wait have an address for it.
    """

    waiting: int
    warned: int
    refused: int
    messages: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    """How many things of one kind wait for a person, and since when the oldest does."""

    number: int
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits for a person: plans to approve, single texts of runs under way, steps done by hand."""

    plans: Queue
    texts: Queue
    tasks: Queue

    @property
    def since(self) -> datetime | None:
        """Since when the oldest of all waits."""
        return min((one.since for one in (self.plans, self.texts, self.tasks) if one.since), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One e-mail that was handed over, or that somebody tried to hand over at ``tried_at``."""

    sequence: Sequence
    run: StepRun
    contact: Contact
    tried_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One entry of the list of those who must never be contacted."""

    kind: Literal["address", "domain", "contact"]
    value: str
    reason: str
    actor: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that happened: who did what to which id."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]
