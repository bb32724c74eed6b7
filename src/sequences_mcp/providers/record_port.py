"""What has been written down for a person to read, and what a person has waived.

Further parts of the contract in ``providers.port``.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Any, Protocol

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


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedChange:
    """A change at a vendor that an agent asked for: ``earlier`` has, by the same names, what was there before."""

    id: str
    tool: str
    subject: str
    arguments: Mapping[str, Any]
    earlier: Mapping[str, Any]
    approved_by: str | None


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

    async def waiting(self, *, size: int) -> Items[AskedChange]:
        """Return those that wait, the oldest first."""
        ...

    async def approve(self, change_id: str, *, actor: str) -> None:
        """Record a person's yes, once; ConflictError."""
        ...
