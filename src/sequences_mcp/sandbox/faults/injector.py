"""The layer in front of the vendors that makes faults happen, and writes down every request."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sequences_mcp.sandbox.faults.answer import Answer
from sequences_mcp.sandbox.faults.rule import FaultRule, Faults
from sequences_mcp.sandbox.faults.wire import Connection, spoil
from sequences_mcp.sandbox.rest.call import Vendor
from sequences_mcp.sandbox.world.whole import Received, World

MOST_KEPT = 200_000  # bytes of a request's body


@dataclass(frozen=True, slots=True)
class Injector:
    """ASGI middleware: each request of a vendor either passes or meets the fault that waits for it."""

    app: ASGIApp
    world: World
    faults: Faults
    vendors: tuple[Vendor, ...]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or let a fault have it."""
        vendor = next((v for v in self.vendors if scope.get("path", "").startswith(f"{v.prefix}/")), None)
        if vendor is None:
            await self.app(scope, receive, send)
            return
        rule = self.faults.take(vendor.name, scope["method"], scope["path"].removeprefix(vendor.prefix))
        body = await _whole(receive)
        if body is None:
            return
        answer = await self._asked(vendor, rule, scope, body=body, receive=receive)
        if rule is None:
            await answer.send(send)
        else:
            await spoil(rule, answer, Connection(scope, receive, send))

    async def _asked(
        self, vendor: Vendor, rule: FaultRule | None, scope: Scope, *, body: bytes, receive: Receive
    ) -> Answer:
        """Return what the vendor answers, or would have to say for the fault where it is not asked."""
        acts = rule is None or rule.acts
        answer = Answer()
        if acts:
            await self.app(scope, _replayed(body, receive), answer.take)
        path = scope["path"].removeprefix(vendor.prefix)
        status = answer.status if acts else None
        asked = _json(body[:MOST_KEPT]) if acts else None
        self.world.received.append(Received(vendor.name, scope["method"], path, status, asked))
        return answer if rule is None else answer.for_fault(rule, vendor, self.world)


async def _whole(receive: Receive) -> bytes | None:
    """Return the body of a request, or None where the client left before its end.

    It is read before anything happens: a fault that breaks the connection while the client still writes would be
    one error in the client or another, by chance.
    """
    body = bytearray()
    while (message := await receive())["type"] == "http.request":
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)
    return None


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return an ASGI ``receive`` that gives this body, and then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_one() -> Message:
        return messages.pop() if messages else await receive()

    return next_one


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None
