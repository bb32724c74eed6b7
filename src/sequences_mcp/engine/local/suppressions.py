"""Never contact again: asked before every plan, at every approval, at every send."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Literal

from sequences_mcp.domain.addresses import address_key, read_address, read_host, visible
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.ids import Kind, parse
from sequences_mcp.engine import stopping
from sequences_mcp.engine.local.details import details
from sequences_mcp.engine.local.engine import Engine
from sequences_mcp.engine.store import contacts as people
from sequences_mcp.engine.store import schedule
from sequences_mcp.providers.port import Suppressed


@dataclass(frozen=True, slots=True)
class LocalSuppressions:
    """``providers.port.Suppressions`` over the store."""

    engine: Engine

    async def suppress(
        self, kind: Literal["address", "domain", "contact"], value: str, *, reason: str
    ) -> Suppressed:
        """Add to the list and stop what runs. A domain covers those below it and the people of its company."""
        normal = self._normalised(kind, value)
        with self.engine.store.transaction():
            stopped, new = stopping.suppress(
                self.engine.store,
                (kind, normal),
                reason=reason,
                now=self.engine.clock(),
                actor=self.engine.actor,
            )
            shown = details(self.engine, stopped)
        return Suppressed(kind=kind, value=normal, stopped=shown, already=not new)

    async def suppressed_among(self, contacts: Items[Contact]) -> Mapping[str, str]:
        """Return contact id → reason for those who must not be contacted."""
        return stopping.suppressed(self.engine.store, contacts)

    async def busy_among(self, contact_ids: Items[str]) -> Mapping[str, str]:
        """Return contact id → sequence id for those with a live sequence."""
        return schedule.live_of(self.engine.store, contact_ids)

    def _normalised(self, kind: str, value: str) -> str:
        """Return a value in the spelling the list knows it by; InvalidArgumentsError, WrongIdError.

        What is stored with somebody can always be listed, even an address that would not be taken today.
        """
        text = visible(value).strip()
        if kind == "contact":
            return str(parse(text, Kind.CONTACT))
        if kind == "domain":
            return read_host(text)
        if people.by_email(self.engine.store, text) is not None:
            return address_key(text)
        return read_address(text).key
