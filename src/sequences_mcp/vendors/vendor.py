"""What the vendors have in common as providers, and what they are given to remember blueprints with."""

from __future__ import annotations

from collections.abc import Sequence as Items
from typing import TYPE_CHECKING, Protocol

from sequences_mcp.ports.provider import Provider
from sequences_mcp.ports.vendor import PersonStanding, VendorPerson

if TYPE_CHECKING:
    from sequences_mcp.domain.blueprint import Blueprint, Sourcing, Step
    from sequences_mcp.domain.page import Page


class BlueprintCache(Protocol):
    """The versions of vendors' blueprints that were last written or read here."""

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


class Vendor(Provider):
    """A provider that is another company's product, reached over its API.

    A vendor overrides what its API can do, and what stands here where its API can do more: blueprints are those
    that this server has seen, and what keeps somebody out of a start is read with each person.
    """

    def __init__(self, memory: BlueprintCache) -> None:
        self.memory = memory

    async def list_blueprints(self, *, page: int, size: int) -> Page[Blueprint]:
        """Return those this server has seen or was told of, newest first."""
        return await self.memory.list_known(self.name, page=page, size=size)

    async def get_blueprint(self, blueprint_id: str, version: int | None = None) -> Blueprint:
        """Return a blueprint as it was last seen here; NotFoundError."""
        return await self.memory.get_blueprint(blueprint_id, version)

    async def standings(self, people: Items[VendorPerson]) -> list[PersonStanding]:
        """Return nothing more: what keeps somebody out is read with each of them."""
        return [PersonStanding()] * len(people)
