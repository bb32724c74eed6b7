"""How a vendor's client tells who stands behind an id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sequences_mcp.providers.remote import RemoteContact
from sequences_mcp.providers.vendor_port import Trace


@dataclass(frozen=True, slots=True)
class ContactTraces:
    """``providers.vendor_port.Traces`` over a client's read of one person."""

    read: Callable[[str], Awaitable[RemoteContact]]

    async def trace(self, contact_id: str) -> Trace:
        """Read the person; NotFoundError."""
        found = await self.read(contact_id)
        ids = (found.talent_id,) if found.talent_id else ()
        return Trace(ids=ids, emails=found.emails, linkedin_url=found.fields.linkedin_url)
