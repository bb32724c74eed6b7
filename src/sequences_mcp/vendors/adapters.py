"""Capabilities that several vendors share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sequences_mcp.domain.blueprint import Blueprint, Sourcing, Step
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.run import StopReason, StopScope
from sequences_mcp.ports.embedded import SequenceDetail, SequenceFilter
from sequences_mcp.ports.vendor import Identity
from sequences_mcp.vendors.registry import DESCRIPTIONS
from sequences_mcp.vendors.translation import RemoteContact, RemoteSequence, detail_of, not_supported


@dataclass(frozen=True, slots=True)
class VendorIdentityLookup:
    """``ports.vendor.IdentityLookup`` over a client's read of one person."""

    read: Callable[[str], Awaitable[RemoteContact]]

    async def trace(self, contact_id: str) -> Identity:
        """Read the person; NotFoundError."""
        found = await self.read(contact_id)
        ids = (found.talent_id,) if found.talent_id else ()
        return Identity(ids=ids, emails=found.emails, linkedin_url=found.fields.linkedin_url)


class BlueprintCache(Protocol):
    """Vendors' blueprints as they were last written, or told of, here."""

    async def list_known(self, provider: str, *, page: int, size: int) -> Page[Blueprint]:
        """Return the newest known versions of a provider's blueprints, newest first."""
        ...

    async def get_blueprint(self, blueprint_id: str, version: int | None = None) -> Blueprint:
        """Return one version, the newest known by default; NotFoundError."""
        ...

    async def remember(self, blueprint_id: str, *, name: str, steps: Items[Step], sourcing: Sourcing) -> Blueprint:
        """Keep what was just written as the newest version."""
        ...

    async def note(self, blueprint_id: str, *, name: str) -> Blueprint:
        """Keep what was told of a blueprint whose steps are not known; another name is another version."""
        ...

    async def require_newest(self, blueprint_id: str, version: int) -> None:
        """Raise StaleVersionError when a newer version is known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedBlueprints:
    """``ports.embedded.Blueprints`` over memory alone: read, and neither made nor changed."""

    name: str
    memory: BlueprintCache

    async def list_blueprints(self, *, page: int, size: int) -> Page[Blueprint]:
        """Return those this server has seen or was told of, newest first."""
        return await self.memory.list_known(self.name, page=page, size=size)

    async def get_blueprint(self, blueprint_id: str, version: int | None = None) -> Blueprint:
        """Return a blueprint as it was last seen here; NotFoundError."""
        return await self.memory.get_blueprint(blueprint_id, version)

    async def create_blueprint(self, *, name: str, steps: Items[Step], sourcing: Sourcing) -> Blueprint:
        """Raise NotSupportedError."""
        not_supported(self.name, "create a template")

    async def update_blueprint(
        self, blueprint_id: str, *, expected_version: int, name: str, steps: Items[Step], sourcing: Sourcing
    ) -> Blueprint:
        """Raise NotSupportedError."""
        not_supported(self.name, "change a template")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOnlyRuns:
    """``ports.embedded.Sequences`` that can be read alone; ``by_id`` says which id it takes."""

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
        not_supported(
            self.name, "stop a sequence", instead=f"Stop it in {DESCRIPTIONS[self.name].title}'s own app, now."
        )
