"""Changes at a vendor that wait for a person: kept with what was there before."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass

from sequences_mcp.domain.ids import Kind
from sequences_mcp.engine.local.engine import Engine
from sequences_mcp.engine.store.instants import to_micros
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
        values = {"tool": tool, "subject": subject, "arguments": _text(arguments), "earlier": _text(earlier)}
        with store.transaction():
            if known := store.row("changes.same", **values):
                return _from_row(known)
            own = self.engine.new_id(Kind.OPERATION)
            store.write("changes.insert", id=own, asked_at=to_micros(self.engine.clock()), **values)
            self.engine.audit("change.asked", subject, change=own, tool=tool)
        return await self.get(own)

    async def find(self, change_id: str) -> AskedChange | None:
        """Return one change, or None."""
        row = self.engine.store.row("changes.find", id=change_id)
        return _from_row(row) if row else None

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
        return tuple(map(_from_row, self.engine.store.rows("changes.waiting", size=size)))

    async def approve(self, change_id: str, *, actor: str) -> None:
        """Record a person's yes, once; ConflictError."""
        with self.engine.store.transaction():
            if not self.engine.store.write("changes.approve", id=change_id, actor=actor):
                raise ConflictError("This change was approved before.", next_step="Look what became of it.")
            self.engine.audit("change.approved", change_id, by=actor)


def _text(value: Mapping[str, object]) -> str:
    return json.dumps(dict(value), sort_keys=True, ensure_ascii=False)


def _from_row(row: sqlite3.Row) -> AskedChange:
    return AskedChange(
        id=row["id"],
        tool=row["tool"],
        subject=row["subject"],
        arguments=json.loads(row["arguments"]),
        earlier=json.loads(row["earlier"]),
        approved_by=row["approved_by"],
    )
