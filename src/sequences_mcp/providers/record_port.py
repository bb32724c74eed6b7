"""What has been written down for a person to read, and what a person has waived.

Further parts of the contract in ``providers.port``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from sequences_mcp.domain.digests import NEWEST, ChangeFacts, change_digest
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.record import AuditEntry, Mail, PlanTally, Suppression, Waiting
from sequences_mcp.domain.waiver import Waiver
from sequences_mcp.providers.port import SequenceDetail


class Records(Protocol):
    """What has been written down, for a person to read."""

    async def tally(self, plan_id: str) -> PlanTally:
        """Count a plan's people."""
        ...

    async def waiting(self) -> Waiting:
        """Count what waits for a person, and since when."""
        ...

    async def list_people(self, plan_id: str, *, page: int, size: int) -> Page[SequenceDetail]:
        """Return a plan's people: warnings first, those taken out of it last."""
        ...

    async def list_mails(self, *, page: int, size: int) -> Page[Mail]:
        """Return e-mails that were handed over or tried to be, the newest first."""
        ...

    async def list_suppressed(self, *, page: int, size: int) -> Page[Suppression]:
        """Return the suppression list, the newest first."""
        ...

    async def note(self, action: str, subject: str, **detail: object) -> None:
        """Write down that something happened which changes nothing."""
        ...

    async def list_audit(self, *, page: int, size: int) -> Page[AuditEntry]:
        """Return what happened, the newest first."""
        ...


class Waivers(Protocol):
    """Warnings that a person has said yes to for a while."""

    async def waive(self, waiver: Waiver) -> None:
        """Keep one."""
        ...

    async def waivers_of(self, blueprint_id: str) -> tuple[Waiver, ...]:
        """Return those of a blueprint that hold now."""
        ...


CHANGE_LASTS = timedelta(hours=24)
Standing = Literal["waiting", "approved", "refused", "expired"]
_CAME_TO = {
    "done": "It was done",
    "not_done": "It was not done",
    "unknown": "Nobody knows whether it was done",
    "begun": "It is under way",
    None: "Nothing was sent",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedChange:
    """A change at a vendor that an agent asked for: ``earlier`` has, by the same names, what was there before.

    ``came_to`` is the state of its request to the vendor, once a person said yes.
    """

    id: str
    tool: str
    subject: str
    arguments: Mapping[str, Any]
    earlier: Mapping[str, Any]
    asked_at: datetime
    digest_version: int = NEWEST
    approved_by: str | None = None
    refused_by: str | None = None
    reason: str | None = None
    decided_at: datetime | None = None
    came_to: str | None = None

    @property
    def expires_at(self) -> datetime:
        """Until when a person can say yes to it."""
        return self.asked_at + CHANGE_LASTS

    @property
    def digest(self) -> str:
        """What a yes is to: what is changed, from what to what."""
        facts = ChangeFacts(self.id, self.tool, self.subject, self.arguments, self.earlier)
        return change_digest(facts, version=self.digest_version)

    def standing(self, now: datetime) -> Standing:
        """Return whether it waits, or how it was decided."""
        if self.approved_by:
            return "approved"
        if self.refused_by:
            return "refused"
        return "waiting" if now < self.expires_at else "expired"

    def told(self, now: datetime) -> str:
        """Return how it stands, in words."""
        standing = self.standing(now)
        if standing == "approved":
            return (
                f"approved by {self.approved_by}, {self.decided_at:%Y-%m-%d %H:%M} UTC. {_CAME_TO[self.came_to]}"
            )
        if standing == "refused":
            return f"refused by {self.refused_by}: {self.reason}"
        return f"{standing}, {'until' if standing == 'waiting' else 'since'} {self.expires_at:%Y-%m-%d %H:%M} UTC"


class Changes(Protocol):
    """Changes of what a vendor sends, which wait for a person."""

    async def ask(
        self, tool: str, subject: str, *, arguments: Mapping[str, object], earlier: Mapping[str, object]
    ) -> AskedChange:
        """Keep a change that waits, or return the one that waits already."""
        ...

    async def find(self, change_id: str) -> AskedChange | None:
        """Return one change, or None."""
        ...

    async def get(self, change_id: str) -> AskedChange:
        """Return one change; NotFoundError."""
        ...

    async def of_request(self, subject: str, fingerprint: str) -> AskedChange | None:
        """Return the approved change that a write with this fingerprint carries out, or None."""
        ...

    async def waiting(self, *, page: int, size: int) -> Page[AskedChange]:
        """Return those that wait, the oldest first."""
        ...

    async def approve(
        self, change_id: str, *, digest: str, actor: str, signature: str | None = None
    ) -> AskedChange:
        """Record a person's yes to exactly this digest, once; ApprovalError, ConflictError."""
        ...

    async def approve_again(
        self, change_id: str, *, digest: str, actor: str, signature: str | None = None
    ) -> AskedChange:
        """Record a person's yes to sending the same once more, where nobody knows whether it was done."""
        ...

    async def refuse(self, change_id: str, *, reason: str, actor: str) -> AskedChange:
        """Record a no, or that it was taken back; ConflictError."""
        ...
