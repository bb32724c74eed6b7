"""Ways to end a connection from inside an ASGI application.

ASGI has none. uvicorn makes one protocol object a connection, so this one wraps the application with a scope
extension that belongs to that connection.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

EXTENSION = "sandbox.protocol"
# on, with a linger of 0 s: closing sends RST and forgets what was not sent.
_NO_LINGER = struct.pack("ii", 1, 0)
# Keeps bytes back until it is taken off or the stream ends; macOS has it under another name, Windows not at all.
_CORK = getattr(socket, "TCP_CORK", getattr(socket, "TCP_NOPUSH", None))


class AbortableProtocol(H11Protocol):
    """HTTP/1.1 whose requests know the connection they came over."""

    is_over = False  # whether the answer that was sent is the last of this connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Hand the connection to every request that comes over it."""
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
        """Read on; what comes after the end of the last answer is read and forgotten.

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
