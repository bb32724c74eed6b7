"""What has been written down for a person to read, and what a person has waived.

Further parts of the contract in ``providers.port``.
"""

from __future__ import annotations

from typing import Protocol

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
