"""Blueprints of a vendor whose API does not show them: as this server last saw them."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Protocol

from sequences_mcp.domain.blueprint import Blueprint, Sourcing, Step
from sequences_mcp.domain.page import Page
from sequences_mcp.providers.translation import not_supported


class Memory(Protocol):
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
class RememberedBlueprints:
    """``providers.port.Blueprints`` over memory alone: read, and neither made nor changed."""

    name: str
    memory: Memory

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
