"""Writes to vendors: recorded before the request, settled after it, one at a time on one thing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

from sequences_mcp.domain.ids import Kind
from sequences_mcp.engine.local.engine import Engine
from sequences_mcp.engine.store import lineage, schedule
from sequences_mcp.engine.store import vendor_operations as rows
from sequences_mcp.errors import ConflictError, KeyReusedError, NotFoundError
from sequences_mcp.providers.vendor_port import Begun, Operation, Pace, Write

LEASE = timedelta(seconds=120)  # twice the longest call
MOST_NOTED = 20_000  # characters of a request that its line in the journal repeats


@dataclass(frozen=True, slots=True)
class LocalOperations:
    """``providers.port.Operations`` over the store."""

    engine: Engine

    async def begin(self, write: Write) -> Begun:
        """Write it down, or return the earlier operation of the same key or, of a repeatable one, the twin."""
        store, now = self.engine.store, self.engine.clock()
        with store.transaction():
            earlier = rows.by_key(store, write.call.key, now=now) if write.call.key else None
            if earlier is not None:
                _require_same(earlier, write)
                return Begun(earlier, is_new=_may_repeat(earlier, write))
            open_now = rows.open_on(store, write.subject, now=now)
            # A blueprint that is being started must not change before the start has reached its vendor.
            open_now += rows.open_starts_of(store, write.subject, now=now)
            if twin := next((one for one in open_now if _may_repeat(one, write)), None):
                return Begun(twin, is_new=True)
            _require_free(open_now, write)
            fresh = self.engine.new_id(Kind.OPERATION)
            if not write.safe:
                lineage.require_going(store)
            rows.insert(store, fresh, write, actor=self.engine.actor, now=now, lease=now + LEASE)
            self.engine.audit("operation.begun", fresh, tool=write.call.tool, on=write.subject)
            store.after_commit(partial(self._note, fresh, write))
            return Begun(self._get(fresh), is_new=True)

    def _note(self, operation_id: str, write: Write) -> None:
        """Write a request that is about to leave into the journal beside the database."""
        arguments = json.loads(json.dumps(dict(write.arguments), default=str))
        facts = {
            "id": operation_id,
            "tool": write.call.tool,
            "provider": write.provider,
            "subject": write.subject,
            "fingerprint": write.call.fingerprint,
            "arguments": arguments if len(str(arguments)) < MOST_NOTED else {},
        }
        people = [one.id for one in schedule.of_operation(self.engine.store, operation_id)]
        lineage.note_operation(self.engine.store, facts, sequences=people, now=self.engine.clock())

    async def get(self, operation_id: str) -> Operation:
        """Return one operation; NotFoundError."""
        return self._get(operation_id)

    async def paces(self, subjects: Items[str]) -> Mapping[str, Pace]:
        """Return what was last done here about the pace of each of these runs at vendors."""
        found = rows.last_paces(self.engine.store, subjects) if subjects else {}
        return {own: _pace(tool, arguments) for own, (tool, arguments) in found.items()}

    async def unknown(self, *, size: int) -> Items[Operation]:
        """Return operations whose outcome nobody knows, oldest first."""
        return rows.unknown(self.engine.store, now=self.engine.clock(), size=size)

    async def doubt(self, operation_id: str, *, answer: str) -> Operation:
        """Record that nobody knows what became of it."""
        with self.engine.store.transaction():
            rows.doubt(self.engine.store, operation_id, answer=answer)
            self.engine.audit("operation.unknown", operation_id)
            return self._get(operation_id)

    async def settle(
        self, operation_id: str, *, state: Literal["done", "not_done"], answer: str, actor: str | None = None
    ) -> Operation:
        """Record what became of it; what is settled stays as it was."""
        who = actor or self.engine.actor
        with self.engine.store.transaction():
            now = self.engine.clock()
            if rows.settle(self.engine.store, operation_id, state=state, answer=answer, actor=who, now=now):
                self.engine.audit(f"operation.{state}", operation_id, by=who)
            return self._get(operation_id)

    def _get(self, operation_id: str) -> Operation:
        found = rows.by_id(self.engine.store, operation_id, now=self.engine.clock())
        if found is None:
            raise NotFoundError(
                f"There is no operation {operation_id[:80]!r}.",
                next_step="list_providers names the operations whose outcome is unknown.",
            )
        return found


def _pace(tool: str, arguments: Mapping[str, Any]) -> Pace:
    until = arguments.get("paused_until") if tool == "pause_sequence" else None
    reason = arguments.get("reason") if tool == "stop_sequence" else None
    return Pace(
        paused_until=datetime.fromisoformat(until) if isinstance(until, str) else None,
        stop_reason=reason if isinstance(reason, str) else None,
    )


def _require_free(open_now: Items[Operation], write: Write) -> None:
    """A stop or a pause waits for nothing but another one of its kind; every other write for all of them."""
    for other in open_now:
        if other.tool == write.call.tool or not write.safe:
            raise busy(other)


def _may_repeat(earlier: Operation, write: Write) -> bool:
    same = (earlier.tool, earlier.fingerprint) == (write.call.tool, write.call.fingerprint)
    return write.repeatable and same and earlier.state == "unknown"


def _require_same(earlier: Operation, write: Write) -> None:
    if (earlier.tool, earlier.fingerprint) != (write.call.tool, write.call.fingerprint):
        raise KeyReusedError(
            f"The idempotency key {write.call.key!r} belongs to a call of {earlier.tool} with other arguments.",
            next_step="Use a new key for a new call, or repeat the first call exactly to get its answer.",
            data={"tool": earlier.tool},
        )


def busy(other: Operation) -> ConflictError:
    """Return the error for a write on something that another write is not settled on."""
    how = "has an unknown outcome" if other.state == "unknown" else "is still under way"
    return ConflictError(
        f"An earlier {other.tool} on {other.subject} {how}; nothing was done.",
        next_step=f"check_operation with {other.id} finds out what became of it.",
        data={"operation_id": other.id, "safe_to_call_again": False},
    )
