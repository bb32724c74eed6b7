"""Changes at a vendor that wait for a person: kept with what was there before."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass

from sequences_mcp.domain.ids import Kind
from sequences_mcp.engine.local.engine import Engine
from sequences_mcp.engine.store import changes
from sequences_mcp.errors import ConflictError, NotFoundError
from sequences_mcp.providers.record_port import AskedChange


@dataclass(frozen=True, slots=True)
class LocalChanges:
    """``providers.record_port.Changes`` over the store."""

    engine: Engine

    async def ask(
        self, tool: str, subject: str, *, arguments: Mapping[str, object], earlier: Mapping[str, object]
    ) -> AskedChange:
        """Keep a change that waits, or return the one that waits already."""
        store = self.engine.store
        with store.transaction():
            if known := changes.same(store, tool, subject, arguments=arguments, earlier=earlier):
                return known
            own = self.engine.new_id(Kind.OPERATION)
            asked = AskedChange(
                id=own, tool=tool, subject=subject, arguments=arguments, earlier=earlier, approved_by=None
            )
            changes.insert(store, asked, now=self.engine.clock())
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

    async def waiting(self, *, size: int) -> Items[AskedChange]:
        """Return those that wait, the oldest first."""
        return changes.waiting(self.engine.store, size=size)

    async def approve(self, change_id: str, *, actor: str) -> None:
        """Record a person's yes, once; ConflictError."""
        with self.engine.store.transaction():
            if not changes.approve(self.engine.store, change_id, actor=actor):
                raise ConflictError("This change was approved before.", next_step="Look what became of it.")
            self.engine.audit("change.approved", change_id, by=actor)
