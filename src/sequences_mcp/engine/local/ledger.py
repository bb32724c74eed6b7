"""Every write once: the answer is stored in the transaction that carries it out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sequences_mcp.domain.ids import Kind
from sequences_mcp.engine.local.engine import Engine
from sequences_mcp.engine.store import operations
from sequences_mcp.errors import KeyReusedError
from sequences_mcp.providers.port import Call

LIFETIME = timedelta(days=30)
DERIVED_LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class LocalLedger:
    """``providers.port.Ledger`` over the store."""

    engine: Engine

    async def turn(self) -> None:
        """Wait until this database can be written to, for as long as an operation may that only holds back."""

        def nothing() -> None:
            with self.engine.store.transaction():
                pass

        await self.engine.insisting(nothing)

    async def once(self, call: Call, effect: Callable[[], Awaitable[str]], *, insist: bool = False) -> str:
        """Return the stored answer of an earlier call with this key, or run the effect and store its answer.

        Two processes with one key: the second waits for the write lock and finds the answer of the first.
        Raises KeyReusedError for a key that belongs to other arguments, and whatever the effect raises.
        """
        return (
            await self.engine.insisting(partial(self._once, call, effect)) if insist else self._once(call, effect)
        )

    def _once(self, call: Call, effect: Callable[[], Awaitable[str]]) -> str:
        with self.engine.store.transaction():
            stored = self._stored(call)
            return stored if stored is not None else self._store(call, at_once(effect))

    async def recall(self, call: Call) -> str | None:
        """Return the stored answer of an earlier call with this key, or None; KeyReusedError."""
        return self._stored(call)

    def _stored(self, call: Call) -> str | None:
        if call.key is None:
            return None
        found = operations.by_key(self.engine.store, call.key, now=self.engine.clock())
        if found is None:
            return None
        tool, fingerprint, answer = found
        if (tool, fingerprint) != (call.tool, call.fingerprint):
            raise KeyReusedError(
                f"The idempotency key {call.key!r} already belongs to a call of {tool} with other arguments.",
                next_step="Use a new key for a new call, or repeat the first call exactly to get its answer.",
                data={"tool": tool},
            )
        return answer

    async def record(self, call: Call, answer: str) -> str:
        """Store an answer whose effect took several transactions; return the one that counts.

        The effect has happened, so this waits for other programs the longest.
        """
        return await self.engine.insisting(partial(self._recorded, call, answer))

    def _recorded(self, call: Call, answer: str) -> str:
        with self.engine.store.transaction():
            stored = self._stored(call)
            return stored if stored is not None else self._store(call, answer)

    def _store(self, call: Call, answer: str) -> str:
        now = self.engine.clock()
        lifetime = DERIVED_LIFETIME if call.derived else LIFETIME
        operation = operations.Operation(
            id=self.engine.new_id(Kind.OPERATION),
            tool=call.tool,
            key=call.key,
            fingerprint=call.fingerprint,
            answer=answer,
            actor=self.engine.actor,
            created_at=now,
            expires_at=None if call.key is None else now + lifetime,
        )
        operations.insert(self.engine.store, operation)
        return answer


def at_once(effect: Callable[[], Awaitable[str]]) -> str:
    """Return what an effect answers without waiting for anything.

    Waiting would let another task of this thread into the open transaction, so an effect that does is a mistake
    in the program: RuntimeError, and nothing of it stays.
    """
    steps = effect().__await__()
    try:
        next(steps)
    except StopIteration as end:
        answer: str = end.value
        return answer
    raise RuntimeError("an effect inside a transaction waited for something else")
