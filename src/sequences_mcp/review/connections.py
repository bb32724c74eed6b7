"""Limits on the page's connections that hold before HTTP: how many there are, and how long each may take.

The process that serves the page also sends e-mails and answers tools, from the same file descriptors. Anybody on
this machine can open connections, so a connection costs little and is kept only while it does something.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

BACKLOG = 32  # accepted in one go on each of two sockets, and the kernel's queue
HEAD_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many connections there are at once, and for how many seconds each part of an exchange may go on.

    ``head`` counts from the connection, or from the last answer, to the end of a request's headers; ``answer`` is
    the time for making an answer and reading it; no request is begun on a connection older than ``life``.
    """

    most: int = 32
    head: float = 5.0
    body: float = 10.0
    answer: float = 120.0
    life: float = 300.0


class Connection(H11Protocol):
    """One connection with a deadline for each part of an exchange.

    Where all are taken, the one that has waited longest for its client gives way to a new one, so that idle
    connections never keep a person out; where every one is being answered, the new one is dropped.
    """

    def __init__(self, *given: Any, limits: Limits, **named: Any) -> None:
        super().__init__(*given, **named)
        self._limits = limits
        self._born = self._since = 0.0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or drop another or this one where there are too many."""
        super().connection_made(transport)
        self._born = self._since = self.loop.time()
        if len(self.connections) > self._limits.most:
            waiting = [one for one in self._all() if one is not self and one.waits_for_client]
            (min(waiting, key=lambda one: one.since) if waiting else self).drop()
        if not transport.is_closing():
            self._must_end(self._limits.head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        super().connection_lost(exc)
        self._no_deadline()

    def data_received(self, data: bytes) -> None:
        """Take what came; a deadline of its own begins with each part of a request."""
        before = self._part()
        super().data_received(data)
        self._moved_from(before)

    def on_response_complete(self) -> None:
        """End a connection that is old; another request has to come soon otherwise."""
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self.loop.time() - self._born > self._limits.life:
            self.transport.close()
            return
        self._moved_from(None)

    @property
    def waits_for_client(self) -> bool:
        """Whether it is the client who has to do something: ask, send the rest, or read the answer."""
        return self._part() != "answer" or self.transport.get_write_buffer_size() > 0

    @property
    def since(self) -> float:
        """When the present part of the exchange began."""
        return self._since

    def drop(self) -> None:
        """Close at once, whatever is in the way."""
        self._no_deadline()
        self.connections.discard(self)
        self.transport.abort()

    def _all(self) -> list[Connection]:
        return [cast(Connection, one) for one in self.connections]

    def _part(self) -> str:
        if self.cycle is None or self.cycle.response_complete:
            return "head"
        return "body" if self.cycle.more_body else "answer"

    def _moved_from(self, before: str | None) -> None:
        if (now := self._part()) != before and not self.transport.is_closing():
            self._since = self.loop.time()
            self._must_end(getattr(self._limits, now))

    def _must_end(self, seconds: float) -> None:
        self._no_deadline()
        self._deadline = self.loop.call_later(seconds, self.drop)

    def _no_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
