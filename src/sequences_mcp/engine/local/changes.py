"""Changes at a vendor that wait for a person: kept with what was there before, decided once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sequences_mcp.domain.ids import Kind
from sequences_mcp.domain.page import Page
from sequences_mcp.engine.local.engine import Engine, require_page
from sequences_mcp.engine.store import changes, plans, waiting
from sequences_mcp.errors import ApprovalError, ConflictError, NotFoundError
from sequences_mcp.providers.record_port import AskedChange


@dataclass(frozen=True, slots=True)
class LocalChanges:
    """``providers.record_port.Changes`` over the store."""

    engine: Engine

    async def ask(
        self, tool: str, subject: str, *, arguments: Mapping[str, object], earlier: Mapping[str, object]
    ) -> AskedChange:
        """Keep a change that waits, or return the one that waits already."""
        store, now = self.engine.store, self.engine.clock()
        with store.transaction():
            own = changes.same(store, tool, subject, arguments=arguments, earlier=earlier, now=now)
            if own is None:
                own = self.engine.new_id(Kind.OPERATION)
                asked = AskedChange(
                    id=own, tool=tool, subject=subject, arguments=arguments, earlier=earlier, asked_at=now
                )
                changes.insert(store, asked)
                self.engine.audit("change.asked", subject, change=own, tool=tool)
        return await self.get(own)

    async def find(self, change_id: str) -> AskedChange | None:
        """Return one change, or None."""
        return changes.find(self.engine.store, change_id)

    async def get(self, change_id: str) -> AskedChange:
        """Return one change; NotFoundError."""
        found = await self.find(change_id)
        if found is None:
            raise NotFoundError(
                f"There is no change {change_id}.", next_step="sequences-mcp review list shows them."
            )
        return found

    async def of_request(self, subject: str, fingerprint: str) -> AskedChange | None:
        """Return the approved change that a write with this fingerprint carries out, or None."""
        return changes.of_request(self.engine.store, subject, fingerprint)

    async def waiting(self, *, page: int, size: int) -> Page[AskedChange]:
        """Return those that wait, the oldest first."""
        require_page(page, size)
        store, now = self.engine.store, self.engine.clock()
        with store.snapshot():
            found = changes.waiting(store, skip=(page - 1) * size, size=size, now=now)
            total = waiting.changes(store, now=now).number
        return Page(found, total, page, size)

    async def approve(
        self, change_id: str, *, digest: str, actor: str, signature: str | None = None
    ) -> AskedChange:
        """Record a person's yes to exactly this digest, once.

        Raises ApprovalError for another digest and where a passkey has to sign it, ConflictError when it is
        decided or too old.
        """
        engine, now = self.engine, self.engine.clock()
        with engine.store.transaction():
            self._require_waiting(change_id)
            await self._record_yes(change_id, digest=digest, actor=actor, signature=signature)
            changes.approve(engine.store, change_id, actor=actor, now=now)
        return await self.get(change_id)

    async def approve_again(
        self, change_id: str, *, digest: str, actor: str, signature: str | None = None
    ) -> AskedChange:
        """Record a yes to sending the same once more; ApprovalError and ConflictError as for the first."""
        with self.engine.store.transaction():
            found = await self.get(change_id)
            if found.came_to != "unknown":
                raise ConflictError(
                    f"This change is {found.told(self.engine.clock())}.", next_step="Have it asked for again."
                )
            await self._record_yes(change_id, digest=digest, actor=actor, signature=signature)
        return await self.get(change_id)

    async def _record_yes(self, change_id: str, *, digest: str, actor: str, signature: str | None) -> None:
        """Keep a yes to exactly this digest, signed where a passkey is registered; ApprovalError."""
        engine = self.engine
        if digest != (await self.get(change_id)).digest:
            raise ApprovalError("This is not the change that was shown.", next_step="Look at it again.")
        engine.require_signature(digest, signature)
        at = engine.clock()
        plans.approve(engine.store, change_id, digest=digest, actor=actor, signature=signature, now=at)
        engine.audit("change.approved", change_id, by=actor)

    async def refuse(self, change_id: str, *, reason: str, actor: str) -> AskedChange:
        """Record a no, or that it was taken back; ConflictError when it is decided or too old."""
        with self.engine.store.transaction():
            self._require_waiting(change_id)
            changes.refuse(self.engine.store, change_id, actor=actor, reason=reason, now=self.engine.clock())
            self.engine.audit("change.refused", change_id, by=actor, reason=reason)
        return await self.get(change_id)

    def _require_waiting(self, change_id: str) -> None:
        found, now = changes.find(self.engine.store, change_id), self.engine.clock()
        if found is None:
            raise NotFoundError(f"There is no change {change_id}.", next_step="list_reviews shows what waits.")
        if found.standing(now) != "waiting":
            raise ConflictError(f"This change is {found.told(now)}.", next_step="Have it asked for again.")
