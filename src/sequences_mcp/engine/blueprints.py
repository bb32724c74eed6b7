"""Blueprints, waived warnings and changes that wait for a person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass

from sequences_mcp.domain.blueprint import Blueprint, Sourcing, Step
from sequences_mcp.domain.findings import Waiver
from sequences_mcp.domain.ids import LOCAL, IdKind, parse_id
from sequences_mcp.domain.page import Page
from sequences_mcp.engine.context import EngineContext, LocalMethods, require_page
from sequences_mcp.errors import ApprovalError, ConflictError, NotFoundError, StaleVersionError
from sequences_mcp.ports.embedded import PendingChange


class LocalBlueprints(LocalMethods):
    """Blueprints in the store: those of the engine, and vendors' as they were last seen."""

    async def list_blueprints(self, *, page: int, size: int) -> Page[Blueprint]:
        """Return the newest versions, newest first."""
        return await self.list_known(LOCAL, page=page, size=size)

    async def list_known(self, provider: str, *, page: int, size: int) -> Page[Blueprint]:
        """Return the newest versions kept here of one provider's blueprints, newest first."""
        require_page(page, size)
        return self.engine.store.blueprints.page(provider, page=page, size=size)

    async def get_blueprint(self, blueprint_id: str, version: int | None = None) -> Blueprint:
        """Return one version, the newest by default; NotFoundError."""
        parsed_id = str(parse_id(blueprint_id, IdKind.BLUEPRINT))
        blueprint = self.engine.store.blueprints.find(parsed_id, version=version)
        if blueprint is None:
            which = "" if version is None else f"version {version} of "
            raise NotFoundError(
                f"There is no {which}blueprint {parsed_id}.", next_step="list_blueprints shows what there is."
            )
        return blueprint

    async def create_blueprint(self, *, name: str, steps: Items[Step], sourcing: Sourcing) -> Blueprint:
        """Store a new blueprint as version 1."""
        return self._add(self.engine.new_id(IdKind.BLUEPRINT), 1, name=name, steps=steps, sourcing=sourcing)

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
            known = self.engine.store.blueprints.find(blueprint_id)
            version = known.version + 1 if known else 1
            return self._add(blueprint_id, version, name=name, steps=steps, sourcing=sourcing)

    async def note(self, blueprint_id: str, *, name: str) -> Blueprint:
        """Store what was told of a vendor's blueprint, where it is new; its steps are not known."""
        with self.engine.store.transaction():
            known = self.engine.store.blueprints.find(blueprint_id)
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
            self.engine.store.blueprints.add_version(blueprint)
            self.engine.audit("blueprint.version_added", blueprint_id, version=version, name=name)
        return blueprint

    def _stale(self, newest: Blueprint, expected: int) -> StaleVersionError:
        base = self.engine.store.blueprints.find(newest.id, version=expected)
        return StaleVersionError(
            f"The blueprint is at version {newest.version}, not {expected}.",
            next_step=f"Look at the difference, then update with expected_version {newest.version}.",
            data={"version": newest.version, "difference": blueprint_difference(base, newest) if base else []},
        )


def blueprint_difference(old: Blueprint, new: Blueprint) -> list[str]:
    """Return a unified diff of two versions, one field a line."""
    import difflib

    names = (f"version {old.version}", f"version {new.version}")
    lines = difflib.unified_diff(_lines(old), _lines(new), *names, lineterm="", n=1)
    return list(lines)


def _lines(blueprint: Blueprint) -> list[str]:
    shown = blueprint.model_dump(mode="json", exclude={"id", "version", "created_at"}, exclude_none=True)
    return json.dumps(shown, ensure_ascii=False, indent=1).splitlines()


@dataclass(frozen=True, slots=True)
class LocalWaivers:
    """Warnings that a person has waived for a while."""

    engine: EngineContext

    async def waive(self, waiver: Waiver) -> None:
        """Store a person's waiver of a warning."""
        with self.engine.store.transaction():
            self.engine.store.waivers.insert(waiver, now=self.engine.clock())
            detail = {"rule": waiver.rule, "reason": waiver.reason, "until": waiver.until, "by": waiver.actor}
            self.engine.audit("blueprint.waived", waiver.blueprint_id, **detail)

    async def waivers_of(self, blueprint_id: str) -> tuple[Waiver, ...]:
        """Return the waivers that hold now."""
        return self.engine.store.waivers.in_force(blueprint_id, now=self.engine.clock())


@dataclass(frozen=True, slots=True)
class LocalChanges:
    """Changes of what a vendor sends, which wait for a person."""

    engine: EngineContext

    async def ask(
        self, tool: str, subject: str, *, arguments: Mapping[str, object], earlier: Mapping[str, object]
    ) -> PendingChange:
        """Store a change that waits for approval, or return the one that waits already."""
        store, now = self.engine.store, self.engine.clock()
        with store.transaction():
            own = store.changes.same(tool, subject, arguments=arguments, earlier=earlier, now=now)
            if own is None:
                own = self.engine.new_id(IdKind.OPERATION)
                change = PendingChange(
                    id=own, tool=tool, subject=subject, arguments=arguments, earlier=earlier, asked_at=now
                )
                store.changes.insert(change)
                self.engine.audit("change.asked", subject, change=own, tool=tool)
        return await self.get(own)

    async def find(self, change_id: str) -> PendingChange | None:
        """Return the change with this id, or None."""
        return self.engine.store.changes.find(change_id)

    async def get(self, change_id: str) -> PendingChange:
        """Return one change; NotFoundError."""
        change = await self.find(change_id)
        if change is None:
            raise NotFoundError(
                f"There is no change {change_id}.", next_step="sequences-mcp review list shows them."
            )
        return change

    async def of_request(self, subject: str, fingerprint: str) -> PendingChange | None:
        """Return the approved change that a write with this fingerprint carries out, or None."""
        return self.engine.store.changes.of_request(subject, fingerprint)

    async def waiting(self, *, page: int, size: int) -> Page[PendingChange]:
        """Return the changes that wait for a person, the oldest first."""
        require_page(page, size)
        store, now = self.engine.store, self.engine.clock()
        with store.snapshot():
            changes = store.changes.waiting(skip=(page - 1) * size, size=size, now=now)
            total = store.changes.count_waiting(now=now).number
        return Page(changes, total, page, size)

    async def approve(
        self, change_id: str, *, digest: str, actor: str, signature: str | None = None
    ) -> PendingChange:
        """Record that a person approved exactly this digest, once.

        Raises ApprovalError for another digest and where a passkey has to sign it, ConflictError when it is
        decided or too old.
        """
        engine, now = self.engine, self.engine.clock()
        with engine.store.transaction():
            self._require_waiting(change_id)
            await self._record_yes(change_id, digest=digest, actor=actor, signature=signature)
            engine.store.changes.approve(change_id, actor=actor, now=now)
        return await self.get(change_id)

    async def approve_again(
        self, change_id: str, *, digest: str, actor: str, signature: str | None = None
    ) -> PendingChange:
        """Record the approval to send the same request again; ApprovalError, ConflictError as for the first."""
        with self.engine.store.transaction():
            change = await self.get(change_id)
            if change.came_to != "unknown":
                raise ConflictError(
                    f"This change is {change.told(self.engine.clock())}.", next_step="Have it asked for again."
                )
            await self._record_yes(change_id, digest=digest, actor=actor, signature=signature)
        return await self.get(change_id)

    async def _record_yes(self, change_id: str, *, digest: str, actor: str, signature: str | None) -> None:
        """Store the approval of exactly this digest, signed where a passkey is registered; ApprovalError."""
        engine = self.engine
        if digest != (await self.get(change_id)).digest:
            raise ApprovalError("This is not the change that was shown.", next_step="Look at it again.")
        engine.require_signature(digest, signature)
        at = engine.clock()
        engine.store.approvals.record(change_id, digest=digest, actor=actor, signature=signature, now=at)
        engine.audit("change.approved", change_id, by=actor)

    async def refuse(self, change_id: str, *, reason: str, actor: str) -> PendingChange:
        """Record a rejection or a withdrawal; ConflictError when it is decided or too old."""
        with self.engine.store.transaction():
            self._require_waiting(change_id)
            self.engine.store.changes.reject(change_id, actor=actor, reason=reason, now=self.engine.clock())
            self.engine.audit("change.refused", change_id, by=actor, reason=reason)
        return await self.get(change_id)

    def _require_waiting(self, change_id: str) -> None:
        change, now = self.engine.store.changes.find(change_id), self.engine.clock()
        if change is None:
            raise NotFoundError(f"There is no change {change_id}.", next_step="list_reviews shows what waits.")
        if change.standing(now) != "waiting":
            raise ConflictError(f"This change is {change.told(now)}.", next_step="Have it asked for again.")
