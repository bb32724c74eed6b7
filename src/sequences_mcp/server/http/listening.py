"""The sockets and the HTTP server: who is listened to, for how long, and how it comes to its end."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp

from sequences_mcp.errors import SettingsError
from sequences_mcp.http_connection import ConnectionLimits, LimitedConnection
from sequences_mcp.server.http.certificates import RenewedCertificate, certificate_of
from sequences_mcp.server.http.options import ServeOptions

BACKLOG = 256
LOOKS = 20  # tenths of a second between two looks at the files of the certificate
HEAD_BYTES = 32 * 1024  # of a request line and headers that have not come to their end; see ``gate.HEAD_LIMIT``
STOPS = (signal.SIGINT, signal.SIGTERM)


def connection_limits(options: ServeOptions) -> ConnectionLimits:
    """Return how long a client may take for what it sends; an answer may be a stream, whose end nobody knows."""
    return ConnectionLimits(most=options.most, head=15.0, body=60.0, answer=None, life=3_600.0)


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens on a host and a port, 0 for any; SettingsError where it cannot."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _not_listening(host, port, error) from error
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        raise _not_listening(host, port, error) from error
    return made


def all_bound(options: ServeOptions) -> list[socket.socket]:
    """Return what the options have listened on, the port of the numbers last; SettingsError where that cannot be.

    A certificate that cannot be used is such a reason, so that it is told before anything is served.
    """
    certificate_of(options)
    made = [bound(options.host, options.port)]
    return [*made, bound(options.host, options.metrics)] if options.metrics is not None else made


def _not_listening(host: str, port: int, error: OSError) -> SettingsError:
    return SettingsError(
        f"Nothing can listen on {host}, port {port}: {error.strerror or error}.",
        next_step="Another program may have the port: choose one with --port, or end that program.",
    )


class HttpListener(uvicorn.Server):
    """uvicorn, which ends as it is told to: calls under way go on for a while, streams are ended at once.

    A signal ends it with the exit status 0, and not by the signal itself, so that what was opened is closed.
    """

    def __init__(
        self, config: uvicorn.Config, *, drained: asyncio.Event, certificate: RenewedCertificate | None
    ) -> None:
        super().__init__(config)
        self._drained, self._certificate = drained, certificate

    async def on_tick(self, counter: int) -> bool:
        """Do what uvicorn does ten times a second; now and then look whether there is a new certificate."""
        if self._certificate and counter % LOOKS == 0:
            self._certificate.look()
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals that end a process, in its main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        # A function, and not this method: sse-starlette looks for uvicorn's server behind the handler, and would
        # end the answers to calls under way, which are streams as well in the older protocol.
        def end(number: int, _: Any) -> None:
            self.force_exit = self.should_exit and number == signal.SIGINT
            self.should_exit = True

        before = {number: signal.signal(number, end) for number in STOPS}
        try:
            yield
        finally:
            for number, known in before.items():
                signal.signal(number, known)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, wait for the calls under way, then close."""
        self._drained.set()
        await super().shutdown(sockets)


def listener(
    app: ASGIApp, options: ServeOptions, *, drained: asyncio.Event, limits: ConnectionLimits | None = None
) -> HttpListener:
    """Return the HTTP server of an app. Only what a named proxy says of the client is believed.

    SettingsError where its certificate cannot be used.
    """
    certificate = certificate_of(options)
    made = partial(LimitedConnection, limits=limits or connection_limits(options))
    config = uvicorn.Config(
        cast(Any, app),
        lifespan="on",
        http=cast(Any, made),  # uvicorn calls it and asks for nothing else
        ws="none",
        backlog=BACKLOG,
        h11_max_incomplete_event_size=HEAD_BYTES,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(options.proxies),
        forwarded_allow_ips=list(options.proxies),
        timeout_keep_alive=30,
        timeout_graceful_shutdown=cast(Any, options.drain),
        ssl_context_factory=(lambda *_: certificate.context) if certificate else None,
    )
    return HttpListener(config, drained=drained, certificate=certificate)
