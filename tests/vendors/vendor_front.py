"""A front before the sandbox: what only reads is answered by it, what writes meets a fault."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit


@dataclass(slots=True)
class Front:
    """Where it sends a connection whose first request is a GET, and every other one."""

    reads: str
    writes: str
    open_now: set[asyncio.Task[None]] = field(default_factory=set)

    def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection in a task of its own."""
        task = asyncio.create_task(self._carried(reader, writer))
        self.open_now.add(task)
        task.add_done_callback(self.open_now.discard)

    async def _carried(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry the bytes of one connection both ways until the vendor's side ends."""
        first = await reader.read(4)
        there = urlsplit(self.reads if first == b"GET " else self.writes)
        up, down = await asyncio.open_connection(there.hostname, there.port)
        down.write(first)
        asking = asyncio.create_task(_carry(reader, down))
        try:
            await _carry(up, writer)
        finally:
            asking.cancel()
            for one in (down, writer):
                one.close()
                with suppress(ConnectionError):
                    await one.wait_closed()

    async def aclose(self) -> None:
        """Hang up on everybody."""
        for task in (waiting := list(self.open_now)):
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry one direction; a reset goes through as a reset."""
    try:
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        raw = writer.get_extra_info("socket")
        with suppress(OSError):  # whoever it goes to has gone first
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


@cache
def _listener() -> socket.socket:
    """Return a listener of this process: a plan is for the address it was made at, so that all fronts have one."""
    return socket.create_server(("127.0.0.1", 0))


@asynccontextmanager
async def front(reads: str, writes: str) -> AsyncIterator[str]:
    """Serve a front, the only one of this process, and yield its address."""
    carrying = Front(reads, writes)
    server = await asyncio.start_server(carrying, sock=_listener().dup())
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await carrying.aclose()
