"""Idempotency: tool calls with their stored answers, writes to vendors with their recorded outcomes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Sequence as Items
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, TypeVar

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.entries import EarlierCall, ToolOperation
from sequences_mcp.domain.ids import IdKind
from sequences_mcp.engine.context import EngineContext, EngineVerbs
from sequences_mcp.errors import ConflictError, KeyReusedError, NotFoundError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.ports.embedded import ToolCall
from sequences_mcp.ports.vendor import Begun, Pace, VendorOperation, VendorWrite
from sequences_mcp.store.unit_of_work import UnitOfWork

T = TypeVar("T")

LEASE = timedelta(seconds=120)  # twice the longest call
MOST_NOTED = 20_000  # characters of a request that its line in the journal repeats


@dataclass(frozen=True, slots=True)
class LocalOperations(EngineVerbs):
    """Writes to vendors: recorded before the request, resolved after it."""

    engine: EngineContext

    async def begin(self, write: VendorWrite) -> Begun:
        """Record a write that is about to be made, or return the earlier one of the same key.

        A repeatable write whose twin's outcome is unknown is carried out again as that same operation.
        KeyReusedError for a key that belongs to other arguments, ConflictError with the operation's id while
        another write on the same thing is open. One whose caller has died counts as unknown.
        """
        store, now = self.engine.store, self.engine.clock()
        with store.transaction() as work:
            earlier = work.operations.by_key(write.call.key, now=now) if write.call.key else None
            if earlier is not None:
                _require_same(earlier, write)
                return Begun(earlier, is_new=_may_repeat(earlier, write))
            open_now = work.operations.open_on(write.subject, now=now)
            # A blueprint that is being started must not change before the start has reached its vendor.
            open_now += work.operations.open_starts_of(write.subject, now=now)
            if twin := next((operation for operation in open_now if _may_repeat(operation, write)), None):
                return Begun(twin, is_new=True)
            _require_free(open_now, write)
            fresh = self.engine.new_id(IdKind.OPERATION)
            if not write.safe:
                work.lineage.require_going()
            work.operations.insert(fresh, write, actor=self.engine.actor, now=now, lease=now + LEASE)
            self.engine.audit(work, "operation.begun", fresh, tool=write.call.tool, on=write.subject)
            work.after_commit(partial(self._note, fresh, write))
            return Begun(self._get(fresh), is_new=True)

    def _note(self, operation_id: str, write: VendorWrite) -> None:
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
        people = [run.id for run in self.engine.store.runs.of_operation(operation_id)]
        self.engine.store.lineage.note_operation(facts, sequences=people, now=self.engine.clock())

    async def get(self, operation_id: str) -> VendorOperation:
        """Return one operation; NotFoundError."""
        return self._get(operation_id)

    async def paces(self, subjects: Items[str]) -> Mapping[str, Pace]:
        """Return what was last done here about the pace of each of these runs at vendors."""
        results = self.engine.store.operations.last_paces(subjects) if subjects else {}
        return {subject: _pace(tool, arguments) for subject, (tool, arguments) in results.items()}

    async def unknown(self, *, size: int) -> Items[VendorOperation]:
        """Return operations whose outcome nobody knows, oldest first."""
        return self.engine.store.operations.unknown(now=self.engine.clock(), size=size)

    async def mark_unknown(self, operation_id: str, *, answer: str) -> VendorOperation:
        """Record that its outcome is unknown."""
        with self.engine.store.transaction() as work:
            work.operations.mark_unknown(operation_id, answer=answer)
            self.engine.audit(work, "operation.unknown", operation_id)
            return self._get(operation_id)

    async def conclude(
        self, operation_id: str, *, state: Literal["done", "not_done"], answer: str, actor: Actor | None = None
    ) -> VendorOperation:
        """Record what became of it; an outcome that is known stays as it was."""
        who = actor or self.engine.actor
        with self.engine.store.transaction() as work:
            now = self.engine.clock()
            if work.operations.conclude(operation_id, state=state, answer=answer, actor=who, now=now):
                self.engine.audit(work, f"operation.{state}", operation_id, by=who)
            return self._get(operation_id)

    def _get(self, operation_id: str) -> VendorOperation:
        operation = self.engine.store.operations.by_id(operation_id, now=self.engine.clock())
        if operation is None:
            raise NotFoundError(
                f"There is no operation {operation_id[:80]!r}.",
                next_step="list_providers names the operations whose outcome is unknown.",
            )
        return operation


def _pace(tool: str, arguments: Mapping[str, Any]) -> Pace:
    until = arguments.get("paused_until") if tool == "pause_sequence" else None
    reason = arguments.get("reason") if tool == "stop_sequence" else None
    return Pace(
        paused_until=datetime.fromisoformat(until) if isinstance(until, str) else None,
        stop_reason=reason if isinstance(reason, str) else None,
    )


def _require_free(open_now: Items[VendorOperation], write: VendorWrite) -> None:
    """A stop or a pause waits for nothing but another one of its kind; every other write for all of them."""
    for other in open_now:
        if other.tool == write.call.tool or not write.safe:
            raise busy(other)


def _may_repeat(earlier: VendorOperation, write: VendorWrite) -> bool:
    same = (earlier.tool, earlier.fingerprint) == (write.call.tool, write.call.fingerprint)
    return write.repeatable and same and earlier.state == "unknown"


def _require_same(earlier: VendorOperation, write: VendorWrite) -> None:
    if (earlier.tool, earlier.fingerprint) != (write.call.tool, write.call.fingerprint):
        raise KeyReusedError(
            f"The idempotency key {write.call.key!r} belongs to a call of {earlier.tool} with other arguments.",
            next_step="Use a new key for a new call, or repeat the first call exactly to get its answer.",
            data={"tool": earlier.tool},
        )


def busy(other: VendorOperation) -> ConflictError:
    """Return the error for a write on something that another write concerns whose outcome is not known yet."""
    how = "has an unknown outcome" if other.state == "unknown" else "is still under way"
    return ConflictError(
        f"An earlier {other.tool} on {other.subject} {how}; nothing was done.",
        next_step=f"check_operation with {other.id} finds out what became of it.",
        data={"operation_id": other.id, "safe_to_call_again": False},
    )


def call_with_key(engine: EngineContext, call: ToolCall) -> EarlierCall | None:
    """Return the earlier call with this key, or None; KeyReusedError for another tool or other arguments."""
    if call.key is None:
        return None
    earlier = engine.store.tool_calls.by_key(call.key, now=engine.clock())
    if earlier is not None and (earlier.tool, earlier.fingerprint) != (call.tool, call.fingerprint):
        raise KeyReusedError(
            f"The idempotency key {call.key!r} already belongs to a call of {earlier.tool} with other arguments.",
            next_step="Use a new key for a new call, or repeat the first call exactly to get its answer.",
            data={"tool": earlier.tool},
        )
    return earlier


@dataclass(frozen=True, slots=True)
class LocalLedger(EngineVerbs):
    """Idempotent tool calls: the answer of a call is stored before it is returned."""

    engine: EngineContext

    async def turn(self) -> None:
        """Wait until this database can be written to, for as long as an operation may that only holds back."""
        await self.engine.insisting(lambda work: None)

    async def once(self, call: ToolCall, effect: Callable[[], Awaitable[str]], *, insist: bool = False) -> str:
        """Return the stored answer of an earlier call with this key, or run the effect and store its answer.

        The effect runs in one transaction with the storing: all of it, or none. It must not wait for anything but
        this database. ``insist`` waits the longest for other programs.
        Two processes with one key: the second waits for the write lock and finds the answer of the first.
        Raises KeyReusedError for a key that belongs to other arguments, and whatever the effect raises.
        """
        if insist:
            return await self.engine.insisting(lambda work: self._once(work, call, partial(at_once, effect)))
        with self.engine.store.transaction() as work:
            return self._once(work, call, partial(at_once, effect))

    def _once(self, work: UnitOfWork, call: ToolCall, answer: Callable[[], str]) -> str:
        """Return the answer that is stored, or store what ``answer`` comes to."""
        stored = self._stored(call)
        return stored if stored is not None else self._store(work, call, answer())

    async def recall(self, call: ToolCall) -> str | None:
        """Return the stored answer of an earlier call with this key, or None; KeyReusedError."""
        return self._stored(call)

    def _stored(self, call: ToolCall) -> str | None:
        earlier = call_with_key(self.engine, call)
        return earlier.answer if earlier else None

    async def record(self, call: ToolCall, answer: str) -> str:
        """Store an answer whose effect took several transactions; return the one that counts.

        The effect has happened, so this waits for other programs the longest.
        """
        return await self.engine.insisting(lambda work: self._once(work, call, lambda: answer))

    def _store(self, work: UnitOfWork, call: ToolCall, answer: str) -> str:
        now = self.engine.clock()
        operation = ToolOperation(
            id=self.engine.new_id(IdKind.OPERATION),
            tool=call.tool,
            key=call.key,
            fingerprint=call.fingerprint,
            answer=answer,
            actor=self.engine.actor,
            created_at=now,
            expires_at=None if call.key is None else now + call.lifetime,
        )
        work.tool_calls.insert(operation)
        return answer


def at_once(effect: Callable[[], Awaitable[T]]) -> T:
    """Return the result of a coroutine that must not wait for anything.

    Waiting would let another task of this thread into the open transaction, so an effect that does is a mistake
    in the program: RuntimeError, and nothing of it stays.
    """
    steps = effect().__await__()
    try:
        next(steps)
    except StopIteration as end:
        answer: T = end.value
        return answer
    raise RuntimeError("an effect inside a transaction waited for something else")
