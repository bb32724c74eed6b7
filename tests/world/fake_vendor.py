"""A vendor on loopback that speaks real HTTP and does as a test tells it, the worst included."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any

REASONS = {200: "OK", 201: "Created", 202: "Accepted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body read as JSON; None where there is none."""
        return json.loads(self.body) if self.body else None


@dataclass(slots=True)
class Line:
    """The connection a request came on, for an act to answer it or not."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, text: bytes) -> None:
        """Write bytes and see them off."""
        self.writer.write(text)
        await self.writer.drain()

    def reset(self) -> None:
        """End the connection with a RST."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def stall(self) -> None:
        """Say nothing until the client gives up: its time passes at once, a bit at each turn of the loop.

        So a client has as much time as in production, and no test waits for it. The client must run in this very
        loop, whose clock goes ahead from here on, in steps so small that nothing else of it is late meanwhile.
        """
        gone = asyncio.create_task(self.gone())
        loop = asyncio.get_running_loop()
        clock, ahead = loop.time, 0.0
        loop.time = lambda: clock() + ahead  # type: ignore[method-assign]
        while not gone.done():
            ahead += 0.1
            await asyncio.sleep(0)

    async def gone(self) -> None:
        """Wait until the client has hung up."""
        while await self.reader.read(65_536):
            pass


Answer = Callable[[Line], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What to do with one connection: how much of the request to read, then how to answer."""

    answer: Answer
    reads: str = "all"  # "nothing", "head" or "all"


def reply(status: int, body: object = None, *, headers: Mapping[str, str] | None = None, raw: bytes = b"") -> Act:
    """Return the act of a whole, ordinary answer."""
    content = raw or (b"" if body is None else json.dumps(body).encode())
    head = {"Content-Type": "application/json", "Content-Length": str(len(content)), "Connection": "close"}
    lines = [f"{name}: {value}" for name, value in {**head, **(headers or {})}.items()]
    start = f"HTTP/1.1 {status} {REASONS.get(status, 'Whatever')}\r\n" + "\r\n".join(lines) + "\r\n\r\n"

    async def answer(line: Line) -> None:
        await line.say(start.encode() + content)

    return Act(answer=answer)


@dataclass(slots=True)
class FakeVendor:
    """The script is played one act a connection; the last act is repeated."""

    script: list[Act]
    seen: list[Seen] = field(default_factory=list)
    url: str = ""
    connections: int = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Play the next act on a new connection."""
        act = self.script[min(self.connections, len(self.script) - 1)]
        self.connections += 1
        try:
            if act.reads != "nothing":
                self.seen.append(await _read(reader, head_only=act.reads == "head"))
            await act.answer(Line(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client went first
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader, *, head_only: bool) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ", 2)
    pairs = (line.split(":", 1) for line in head[1:] if ":" in line)
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    length = 0 if head_only else int(headers.get("content-length", "0"))
    return Seen(method=method, target=target, headers=headers, body=await reader.readexactly(length))


@asynccontextmanager
async def serving(*script: Act, tls: SSLContext | None = None) -> AsyncIterator[FakeVendor]:
    """Serve a script on a free port of loopback."""
    vendor = FakeVendor(list(script))
    server = await asyncio.start_server(vendor, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    vendor.url = f"http{'s' if tls else ''}://127.0.0.1:{port}"
    try:
        yield vendor
    finally:
        server.close()
