"""Blueprints: a version never changes, an update adds one."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence as Items
from dataclasses import dataclass

from sequences_mcp.domain.blueprint import Blueprint, Sourcing, Step
from sequences_mcp.domain.ids import LOCAL, Kind, parse
from sequences_mcp.domain.page import Page
from sequences_mcp.engine.local.engine import Engine, require_page
from sequences_mcp.engine.store import blueprints
from sequences_mcp.errors import NotFoundError, StaleVersionError


@dataclass(frozen=True, slots=True)
class LocalBlueprints:
    """``providers.port.Blueprints`` over the store."""

    engine: Engine

    async def list_blueprints(self, *, page: int, size: int) -> Page[Blueprint]:
        """Return the newest versions, newest first."""
        return await self.list_known(LOCAL, page=page, size=size)

    async def list_known(self, provider: str, *, page: int, size: int) -> Page[Blueprint]:
        """Return the newest versions kept here of one provider's blueprints, newest first."""
        require_page(page, size)
        return blueprints.page_of(self.engine.store, provider, page=page, size=size)

    async def get_blueprint(self, blueprint_id: str, version: int | None = None) -> Blueprint:
        """Return one version, the newest by default; NotFoundError."""
        own = str(parse(blueprint_id, Kind.BLUEPRINT))
        found = blueprints.find(self.engine.store, own, version=version)
        if found is None:
            which = "" if version is None else f"version {version} of "
            raise NotFoundError(
                f"There is no {which}blueprint {own}.", next_step="list_blueprints shows what there is."
            )
        return found

    async def create_blueprint(self, *, name: str, steps: Items[Step], sourcing: Sourcing) -> Blueprint:
        """Store a new blueprint as version 1."""
        return self._add(self.engine.new_id(Kind.BLUEPRINT), 1, name=name, steps=steps, sourcing=sourcing)

    async def update_blueprint(
        self, blueprint_id: str, *, expected_version: int, name: str, steps: Items[Step], sourcing: Sourcing
    ) -> Blueprint:
        """Store the next version; StaleVersionError, with the difference, when a newer one is there."""
        with self.engine.store.transaction():
            newest = await self.get_blueprint(blueprint_id)
            if newest.version != expected_version:
                raise self._stale(newest, expected_version)
            return self._add(newest.id, newest.version + 1, name=name, steps=steps, sourcing=sourcing)

    async def remember(self, blueprint_id: str, *, name: str, steps: Items[Step], sourcing: Sourcing) -> Blueprint:
        """Store what was just written to a vendor as the newest version known here of its blueprint."""
        with self.engine.store.transaction():
            known = blueprints.find(self.engine.store, blueprint_id)
            version = known.version + 1 if known else 1
            return self._add(blueprint_id, version, name=name, steps=steps, sourcing=sourcing)

    async def note(self, blueprint_id: str, *, name: str) -> Blueprint:
        """Store what was told of a vendor's blueprint, where it is new; its steps are not known."""
        with self.engine.store.transaction():
            known = blueprints.find(self.engine.store, blueprint_id)
            if known is not None and known.name == name:
                return known
            version = known.version + 1 if known else 1
            return self._add(blueprint_id, version, name=name, steps=(), sourcing=Sourcing())

    async def require_newest(self, blueprint_id: str, version: int) -> None:
        """Raise StaleVersionError, with the difference, when ``version`` is not the newest known here."""
        newest = await self.get_blueprint(blueprint_id)
        if newest.version != version:
            raise self._stale(newest, version)

    def _add(
        self, blueprint_id: str, version: int, *, name: str, steps: Items[Step], sourcing: Sourcing
    ) -> Blueprint:
        blueprint = Blueprint(
            id=blueprint_id,
            name=name,
            version=version,
            steps=tuple(steps),
            sourcing=sourcing,
            created_at=self.engine.clock(),
        )
        with self.engine.store.transaction():
            blueprints.add_version(self.engine.store, blueprint)
            self.engine.audit("blueprint.version_added", blueprint_id, version=version, name=name)
        return blueprint

    def _stale(self, newest: Blueprint, expected: int) -> StaleVersionError:
        base = blueprints.find(self.engine.store, newest.id, version=expected)
        return StaleVersionError(
            f"The blueprint is at version {newest.version}, not {expected}.",
            next_step=f"Look at the difference, then update with expected_version {newest.version}.",
            data={"version": newest.version, "difference": difference(base, newest) if base else []},
        )


def difference(old: Blueprint, new: Blueprint) -> list[str]:
    """Return a unified diff of two versions, one field a line."""
    names = (f"version {old.version}", f"version {new.version}")
    lines = difflib.unified_diff(_lines(old), _lines(new), *names, lineterm="", n=1)
    return list(lines)


def _lines(blueprint: Blueprint) -> list[str]:
    shown = blueprint.model_dump(mode="json", exclude={"id", "version", "created_at"}, exclude_none=True)
    return json.dumps(shown, ensure_ascii=False, indent=1).splitlines()
