"""Ways to end a connection from inside an ASGI application.

ASGI has none. uvicorn makes one protocol object a connection, so this one wraps the application with a scope
extension that belongs to that connection.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any, cast

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

EXTENSION = "sandbox.transport"
# on, with a linger of 0 s: closing sends RST and forgets what was not sent.
_NO_LINGER = struct.pack("ii", 1, 0)


class AbortableProtocol(H11Protocol):
    """HTTP/1.1 whose requests know the transport they came over."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Hand the transport to every request of this connection."""
        super().connection_made(transport)
        # asyncio does this itself for a socket made with IPPROTO_TCP, which socket.create_server's are not: each
        # answer would wait 40 ms for the client's delayed acknowledgement of its head.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        inner = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[EXTENSION] = transport
            await inner(scope, receive, send)

        self.app = with_transport


def reset(scope: Scope) -> None:
    """End the connection of this request at once, with an RST."""
    transport = _transport(scope)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()


def close(scope: Scope) -> None:
    """End the connection of this request after what was written to it."""
    _transport(scope).close()


def _transport(scope: Scope) -> asyncio.Transport:
    return cast("asyncio.Transport", scope["extensions"][EXTENSION])
