"""Injected faults: errors in an answer, and errors of the connection."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from email.utils import format_datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Any, cast

from pydantic import Field
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sequences_sandbox.rest import Refused, Vendor, refusal, response
from sequences_sandbox.world import Received, World


class Fault(StrEnum):
    """What is done in place of the normal answer.

    A reset before or during the body cuts the connection hard (RST), once the whole request was read. After the
    body it closes a connection that was to be kept, together with the last bytes of the answer: an RST could
    overtake the answer, and nobody could say what the client had seen.
    ``truncated`` is half of a JSON text in a whole HTTP message; ``body`` any JSON.
    """

    STALL = "stall"
    RESET_BEFORE_BODY = "reset_before_body"
    RESET_DURING_BODY = "reset_during_body"
    RESET_AFTER_BODY = "reset_after_body"
    EMPTY = "empty"
    HUGE = "huge"
    TRUNCATED = "truncated"
    WRONG_CONTENT_TYPE = "wrong_content_type"
    HTML = "html"
    REDIRECT = "redirect"
    STATUS = "status"
    BODY = "body"


# Faults of the answer: the vendor executes the request all the same unless ``act`` is false.
_AFTER_ACTING = frozenset(
    {
        Fault.RESET_DURING_BODY,
        Fault.RESET_AFTER_BODY,
        Fault.EMPTY,
        Fault.HUGE,
        Fault.TRUNCATED,
        Fault.WRONG_CONTENT_TYPE,
        Fault.BODY,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """One fault for requests of a vendor whose method and path match.

    ``path`` is the path below the vendor's prefix, with ``*`` for anything. ``times`` is how often it still
    happens. ``act`` says whether the vendor carries the request out; None is the fault's own habit: stall, reset
    before the body, HTML, redirect and status do not act. ``retry_after`` is in seconds and, with
    ``retry_after_as_date``, written as a date, ``skew`` seconds off together with the ``Date`` header.
    """

    fault: Fault
    vendor: str = "*"
    method: str = "*"
    path: str = "*"
    times: Annotated[int, Field(ge=1)] = 1
    act: bool | None = None
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    retry_after: int | None = None
    retry_after_as_date: bool = False
    skew: int = 0
    seconds: float = 3600
    size: int = 50_000_000
    location: str = "https://elsewhere.example/"
    body: Any = None

    @property
    def acts(self) -> bool:
        """Whether the vendor executes the request."""
        return self.fault in _AFTER_ACTING if self.act is None else self.act

    def hits(self, vendor: str, method: str, path: str) -> bool:
        """Say whether the rule applies to a request."""
        patterns = ((vendor, self.vendor), (method, self.method), (path, self.path))
        return all(fnmatchcase(value, pattern) for value, pattern in patterns)


@dataclass(slots=True)
class Faults:
    """The faults that have not happened yet, the oldest first."""

    rules: list[FaultRule] = field(default_factory=list)

    def take(self, vendor: str, method: str, path: str) -> FaultRule | None:
        """Return the first rule that hits the request and count it down, or None."""
        for place, rule in enumerate(self.rules):
            if rule.hits(vendor, method, path):
                left = replace(rule, times=rule.times - 1)
                self.rules[place : place + 1] = [left] if left.times > 0 else []
                return rule
        return None


HTML_PAGE = (
    "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
)


@dataclass(slots=True)
class Answer:
    """Status, headers and whole body of an answer; 500 until the vendor answered."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=lambda: [(b"content-type", b"application/json")])
    body: bytes = b""

    async def take(self, message: Message) -> None:
        """Record one ASGI message of the vendor's answer."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    async def send(self, send: Send) -> None:
        """Send the whole of it."""
        await self.send_head(send)
        await send({"type": "http.response.body", "body": self.body})

    async def send_head(self, send: Send) -> None:
        """Send status and headers, with the length of the whole body."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})

    def for_fault(self, rule: FaultRule, vendor: Vendor, world: World) -> Answer:
        """Return the answer this fault gives as a whole HTTP message."""
        match rule.fault:
            case Fault.STATUS:
                return _of(_status(rule, vendor, world))
            case Fault.REDIRECT:
                return _of(Response(status_code=rule.status or 302, headers={"location": rule.location}))
            case Fault.HTML:
                return _of(Response(HTML_PAGE, rule.status or 502, media_type="text/html"))
            case Fault.BODY:
                content = json.dumps(rule.body)
                return _of(Response(content, rule.status or self.status, media_type="application/json"))
            case Fault.EMPTY:
                return self._with_body(b"")
            case Fault.TRUNCATED:
                return self._with_body(self._body_or_default()[: max(1, len(self._body_or_default()) // 2)])
            case Fault.WRONG_CONTENT_TYPE:
                return self._with_body(self._body_or_default(), content_type=b"text/plain; charset=utf-8")
            case _:
                return self._with_body(self._body_or_default())

    def _body_or_default(self) -> bytes:
        return self.body or b'{"message": "nothing was done"}'

    def _with_body(self, body: bytes, *, content_type: bytes | None = None) -> Answer:
        changed = {b"content-length": str(len(body)).encode()}
        changed |= {b"content-type": content_type} if content_type else {}
        remaining = [(name, value) for name, value in self.headers if name not in changed]
        return Answer(self.status, [*remaining, *changed.items()], body)


def _of(response: Response) -> Answer:
    return Answer(response.status_code, list(response.raw_headers), bytes(response.body))


def _status(rule: FaultRule, vendor: Vendor, world: World) -> Response:
    """Return the vendor's own envelope for a status, or the body the rule gives."""
    status = rule.status or 500
    code = vendor.codes.get(status) or vendor.codes[400 if status < 500 else 500]
    refused = Refused(status, code, f"Injected fault: {status}", headers=_timed(rule, world))
    reply = refusal(vendor, refused, world)
    if rule.body is None:
        return response(reply, world)
    return Response(json.dumps(rule.body), status, reply.headers, media_type="application/json")


def _timed(rule: FaultRule, world: World) -> Mapping[str, str]:
    """Return ``Retry-After`` in seconds, or as a date beside a ``Date`` that is as far off."""
    now = world.now().astimezone(UTC) + timedelta(seconds=rule.skew)
    if rule.retry_after is None:
        return {}
    if not rule.retry_after_as_date:
        return {"retry-after": str(rule.retry_after)}
    later = now + timedelta(seconds=rule.retry_after)
    return {"date": format_datetime(now, usegmt=True), "retry-after": format_datetime(later, usegmt=True)}


EXTENSION = "sandbox.protocol"
# on, with a linger of 0 s: closing sends RST and forgets what was not sent.
_NO_LINGER = struct.pack("ii", 1, 0)
# Keeps bytes back until it is taken off or the stream ends; macOS has it under another name, Windows not at all.
_CORK = getattr(socket, "TCP_CORK", getattr(socket, "TCP_NOPUSH", None))


class AbortableProtocol(H11Protocol):
    """HTTP/1.1 whose requests know the connection they came over."""

    is_over = False  # whether the answer that was sent is the last of this connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Make the connection available to every request on it."""
        super().connection_made(transport)
        # asyncio does this itself for a socket made with IPPROTO_TCP, which socket.create_server's are not: each
        # answer would wait 40 ms for the client's delayed acknowledgement of its head.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        inner = self.app

        async def with_connection(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[EXTENSION] = self
            await inner(scope, receive, send)

        self.app = with_connection

    def data_received(self, data: bytes) -> None:
        """Pass data on; after the end of the last answer it is read and discarded.

        Bytes left unread would turn the close of the socket into an RST, which may overtake the answer.
        """
        if not self.is_over:
            super().data_received(data)


def reset(scope: Scope) -> None:
    """End the connection of this request at once, with an RST."""
    transport = _protocol(scope).transport
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()


@contextmanager
def closing_after(scope: Scope) -> Iterator[None]:
    """End the connection of this request after the answer that the block sends.

    The last bytes of the answer and the end of the stream (FIN) leave in one segment, so that a client that has
    the whole answer also knows that the connection is at its end: it cannot send another request over it by
    mistake. Only the sandbox's half is closed: the client closes its own, or the server after its keep-alive time.
    """
    protocol = _protocol(scope)
    if _CORK is not None:
        protocol.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, _CORK, 1)
    yield
    protocol.is_over = True
    if not protocol.transport.is_closing():
        protocol.transport.write_eof()


def _protocol(scope: Scope) -> AbortableProtocol:
    return cast("AbortableProtocol", scope["extensions"][EXTENSION])


_CHUNK = b"x" * 65_536


@dataclass(frozen=True, slots=True)
class Connection:
    """One request's ASGI triple."""

    scope: Scope
    receive: Receive
    send: Send


async def spoil(rule: FaultRule, answer: Answer, connection: Connection) -> None:
    """Send the answer as the fault prescribes."""
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
    """Send nothing until the client disconnects or the rule's time is over; then answer late."""
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


MOST_RECORDED = 200_000  # bytes of a request's body


@dataclass(frozen=True, slots=True)
class Injector:
    """ASGI middleware: passes a vendor's request on, or applies the fault that matches it."""

    app: ASGIApp
    world: World
    faults: Faults
    vendors: tuple[Vendor, ...]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or apply a fault to it."""
        vendor = next((v for v in self.vendors if scope.get("path", "").startswith(f"{v.prefix}/")), None)
        if vendor is None:
            await self.app(scope, receive, send)
            return
        rule = self.faults.take(vendor.name, scope["method"], scope["path"].removeprefix(vendor.prefix))
        body = await _whole(receive)
        if body is None:
            return
        answer = await self._answer(vendor, rule, scope, body=body, receive=receive)
        if rule is None:
            await answer.send(send)
        else:
            await spoil(rule, answer, Connection(scope, receive, send))

    async def _answer(
        self, vendor: Vendor, rule: FaultRule | None, scope: Scope, *, body: bytes, receive: Receive
    ) -> Answer:
        """Return the vendor's answer, changed by the rule; record the request."""
        acts = rule is None or rule.acts
        answer = Answer()
        if acts:
            await self.app(scope, _replayed(body, receive), answer.take)
        path = scope["path"].removeprefix(vendor.prefix)
        status = answer.status if acts else None
        parsed = _json(body[:MOST_RECORDED]) if acts else None
        self.world.received.append(Received(vendor.name, scope["method"], path, status, parsed))
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
