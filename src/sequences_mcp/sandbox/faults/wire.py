"""How a spoilt answer leaves, or does not: stalls, resets and floods."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from sequences_mcp.sandbox.faults.abort import closing_after, reset
from sequences_mcp.sandbox.faults.answer import Answer
from sequences_mcp.sandbox.faults.rule import Fault, FaultRule

_CHUNK = b"x" * 65_536


@dataclass(frozen=True, slots=True)
class Connection:
    """One request's ASGI triple."""

    scope: Scope
    receive: Receive
    send: Send


async def spoil(rule: FaultRule, answer: Answer, connection: Connection) -> None:
    """Let the answer leave as the fault has it."""
    match rule.fault:
        case Fault.STALL:
            await _stall(rule, answer, connection)
        case Fault.RESET_BEFORE_BODY:
            await _reset(connection)
        case Fault.RESET_DURING_BODY:
            await answer.send_head(connection.send)
            half = answer.body[: max(1, len(answer.body) // 2)]
            await connection.send({"type": "http.response.body", "body": half, "more_body": True})
            await _reset(connection)
        case Fault.RESET_AFTER_BODY:
            with closing_after(connection.scope):
                await answer.send(connection.send)
        case Fault.HUGE:
            await _flood(rule, answer, connection)
        case _:
            await answer.send(connection.send)


async def _stall(rule: FaultRule, answer: Answer, connection: Connection) -> None:
    """Say nothing until the client leaves; after the time of the rule, answer late."""
    try:
        await asyncio.wait_for(_gone(connection), rule.seconds)
    except TimeoutError:
        await answer.send(connection.send)


async def _reset(connection: Connection) -> None:
    reset(connection.scope)
    await _gone(connection)


async def _gone(connection: Connection) -> None:
    while (await connection.receive())["type"] != "http.disconnect":
        pass


async def _flood(rule: FaultRule, answer: Answer, connection: Connection) -> None:
    """Send one JSON string of the rule's size, without saying how long it is."""
    headers = [(name, value) for name, value in answer.headers if name != b"content-length"]
    await connection.send({"type": "http.response.start", "status": answer.status, "headers": headers})
    async for chunk in _padding(rule.size):
        await connection.send({"type": "http.response.body", "body": chunk, "more_body": True})
    await connection.send({"type": "http.response.body", "body": b'"}'})


async def _padding(size: int) -> AsyncIterator[bytes]:
    yield b'{"padding": "'
    for _ in range(size // len(_CHUNK)):
        yield _CHUNK
    yield _CHUNK[: size % len(_CHUNK)]
