"""One HTTP/1.1 connection of a server here, with limits in number and time, so that nobody keeps others out.

uvicorn's own limits are a number of connections, behind which it answers 503, and a time for idle ones.
"""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import Any, cast

import h11
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol

from sequences_mcp.lazy_dataclasses import dataclass

BACKLOG = 32  # accepted in one go on each of two sockets, and the kernel's queue
HEAD_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """How many connections are open at once, and for how many seconds each part of an exchange may last.

    ``head`` is from the connection, or from the last answer, to the end of a request's headers; ``body`` from
    there to the end of its body; ``answer`` until the client has read the answer, None where an answer may be a
    stream without an end. A connection older than ``life`` is closed after its answer.
    """

    most: int = 32
    head: float = 5.0
    body: float = 10.0
    answer: float | None = 120.0
    life: float = 300.0


class _WholeAnswers(h11.Connection):
    """What is written to a client: the head of an answer of known length goes with what comes first of its body.

    uvicorn writes the two one after the other, so that the client is woken for a head alone. An answer whose end
    is not known, such as a stream of events, has its head written at once: the client may wait for nothing else.
    Whoever gives such a head waits for nothing before the body; where that fails, there is no answer at all.
    """

    _head = b""

    def send(self, event: Any) -> Any:
        """Return the bytes to write now, None for the end of the connection."""
        output = super().send(event)
        if output is None:
            return None
        if isinstance(event, h11.Response) and _has_body(event):
            self._head = bytes(output)
            return b""
        head, self._head = self._head, b""
        return head + output if head else output


def _has_body(response: h11.Response) -> bool:
    return any(name == b"content-length" and value != b"0" for name, value in response.headers)


class _Flow(FlowControl):
    """Whether a connection is read from just now."""

    def resume_reading(self) -> None:
        # What answers a request asks for the rest of its body. The loop reads in that context from then on, and
        # would keep it for as long as the connection is open.
        Context().run(super().resume_reading)


class LimitedConnection(H11Protocol):
    """One connection with a deadline for each part of an exchange.

    Where all ``most`` are open, a new connection replaces the one that has waited longest for its client, so that
    idle connections never keep a person out; where every one is being answered, the new one is dropped.
    """

    def __init__(self, *given: Any, limits: ConnectionLimits, **named: Any) -> None:
        super().__init__(*given, **named)
        self._limits = limits
        self.conn = _WholeAnswers(h11.SERVER, self.config.h11_max_incomplete_event_size or HEAD_BYTES)
        self._born = self._since = 0.0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection; where there are too many, drop the longest idle one, or this one."""
        super().connection_made(transport)
        self.flow = _Flow(transport)
        self._born = self._since = self.loop.time()
        if len(self.connections) > self._limits.most:
            waiting = [other for other in self._all() if other is not self and other.waits_for_client]
            # Dropping the longest idle connection, not the new one: otherwise a program could keep all of them
            # open.
            (min(waiting, key=lambda other: other.since) if waiting else self).drop()
        if not transport.is_closing():
            self._must_end(self._limits.head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadline."""
        super().connection_lost(exc)
        self._no_deadline()

    def data_received(self, data: bytes) -> None:
        """Pass data on, and set the next deadline when it completed a part of the request."""
        Context().run(self._read, data)

    def _read(self, data: bytes) -> None:
        before = self._part()
        super().data_received(data)
        self._moved_from(before)

    def on_response_complete(self) -> None:
        """Close a connection older than ``life``, else set the deadline of the next request."""
        # This is called by what answers a request. In its context the next request of the connection, and the
        # timers until then, would have what it set there: whom it was made for.
        Context().run(self._wait_for_the_next)

    def _wait_for_the_next(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self.conn.our_state is h11.IDLE and self.conn.their_state is h11.IDLE:
            # uvicorn keeps the last request until the next one: 10 KB of each connection that is idle.
            self.scope = self.headers = self.cycle = cast(Any, None)
        if self.loop.time() - self._born > self._limits.life:
            self.transport.close()
            return
        self._moved_from(None)

    @property
    def waits_for_client(self) -> bool:
        """Whether the next move is the client's: to send a request or the rest of it, or to read the answer."""
        return self._part() != "answer" or self.transport.get_write_buffer_size() > 0

    @property
    def since(self) -> float:
        """When the present part of the exchange began."""
        return self._since

    def drop(self) -> None:
        """Abort the connection without flushing."""
        self._no_deadline()
        self.connections.discard(self)
        self.transport.abort()

    def _all(self) -> list[LimitedConnection]:
        return [cast(LimitedConnection, connection) for connection in self.connections]

    def _part(self) -> str:
        if self.cycle is None or self.cycle.response_complete:
            return "head"
        return "body" if self.cycle.more_body else "answer"

    def _moved_from(self, before: str | None) -> None:
        if (now := self._part()) != before and not self.transport.is_closing():
            self._since = self.loop.time()
            self._must_end(getattr(self._limits, now))

    def _must_end(self, seconds: float | None) -> None:
        self._no_deadline()
        if seconds is not None:
            self._deadline = self.loop.call_later(seconds, self.drop)

    def _no_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
