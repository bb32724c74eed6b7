"""Blueprints of a vendor whose API does not show them: as this server last saw them."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass

from sequences_mcp.domain.blueprint import Blueprint, Sourcing, Step
from sequences_mcp.domain.page import Page
from sequences_mcp.providers.translation import not_supported
from sequences_mcp.providers.vendor_port import Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedBlueprints:
    """``providers.port.Blueprints`` over memory alone: read, and neither made nor changed."""

    name: str
    title: str
    memory: Memory

    async def list_blueprints(self, *, page: int, size: int) -> Page[Blueprint]:
        """Return those this server has seen or was told of, newest first."""
        return await self.memory.list_known(self.name, page=page, size=size)

    async def get_blueprint(self, blueprint_id: str, version: int | None = None) -> Blueprint:
        """Return a blueprint as it was last seen here; NotFoundError."""
        return await self.memory.get_blueprint(blueprint_id, version)

    async def create_blueprint(self, *, name: str, steps: Items[Step], sourcing: Sourcing) -> Blueprint:
        """Raise NotSupportedError."""
        not_supported(self.title, "create a template")

    async def update_blueprint(
        self, blueprint_id: str, *, expected_version: int, name: str, steps: Items[Step], sourcing: Sourcing
    ) -> Blueprint:
        """Raise NotSupportedError."""
        not_supported(self.title, "change a template")
