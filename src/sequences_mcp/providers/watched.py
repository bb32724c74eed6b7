"""Runs of a vendor whose API shows them one by one and moves none of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from sequences_mcp.domain.ids import VENDORS
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.sequence import StopReason, StopScope
from sequences_mcp.providers.port import SequenceDetail, SequenceFilter
from sequences_mcp.providers.remote import RemoteSequence
from sequences_mcp.providers.translation import detail_of, not_supported


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedSequences:
    """``providers.port.Sequences`` that can be read alone; ``by_id`` says which id it takes."""

    name: str
    by_id: str
    read: Callable[[str], Awaitable[RemoteSequence]]

    async def list_sequences(self, wanted: SequenceFilter) -> Page[SequenceDetail]:
        """Raise NotSupportedError."""
        not_supported(self.name, "list sequences", instead=f"get_sequence takes {self.by_id}.")

    async def get_sequence(self, sequence_id: str) -> SequenceDetail:
        """Return one run; NotFoundError."""
        return detail_of(await self.read(sequence_id))

    async def pause_sequence(self, sequence_id: str, *, until: datetime) -> SequenceDetail:
        """Raise NotSupportedError."""
        not_supported(self.name, "pause a sequence")

    async def resume_sequence(self, sequence_id: str) -> SequenceDetail:
        """Raise NotSupportedError."""
        not_supported(self.name, "resume a sequence")

    async def stop_sequence(
        self, sequence_id: str, *, reason: StopReason, scope: StopScope
    ) -> list[SequenceDetail]:
        """Raise NotSupportedError."""
        not_supported(self.name, "stop a sequence", instead=f"Stop it in {VENDORS[self.name]}'s own app, now.")
