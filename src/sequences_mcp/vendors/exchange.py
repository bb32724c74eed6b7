"""The only module that imports httpx: it sends one request and returns one answer or one fault.

It is imported at a vendor's first call, so that starting the server does not load httpx.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import httpx

from sequences_mcp.hosts import is_loopback, trust_without_tls
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.vendors.outcome import ConnectionFault, NoAnswer
from sequences_mcp.vendors.pacing import Timing

LARGEST_ANSWER = 5_000_000
LARGEST_ERROR = 65_536
# At most ten connections. A write never travels on a kept one: on a connection that had died, nobody could tell
# a request that never arrived from an answer that was lost.
READ_CONNECTIONS = httpx.Limits(max_connections=6, max_keepalive_connections=6, keepalive_expiry=5.0)
WRITE_CONNECTIONS = httpx.Limits(max_connections=4, max_keepalive_connections=0)
NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One request as it goes on the wire."""

    method: str
    url: str
    query: tuple[tuple[str, str], ...]
    content: bytes | None
    is_write: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """One answer; header names are in lower case. ``body`` of an error may be cut."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _TooLargeError(Exception):
    """A 2xx has more bytes than an answer may have."""


class _Flight:
    """How far a request has come, as httpcore's trace tells: connecting, or its first byte may have left."""

    def __init__(self) -> None:
        self.is_connecting = False
        self.has_left = False

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Take note of one event of the connection; what is said to a proxy on the way is not the request."""
        self.is_connecting |= event.startswith("connection.")
        if event.endswith("send_request_headers.started"):
            self.has_left |= getattr(info.get("request"), "method", b"") != b"CONNECT"

    def fault(self, error: BaseException) -> ConnectionFault:
        """Return what an exception proves about this request; if nothing, that it may have arrived."""
        ended_early = isinstance(error, NOTHING_SENT) or (isinstance(error, TimeoutError) and self.is_connecting)
        return ConnectionFault.NOT_SENT if ended_early and not self.has_left else ConnectionFault.LOST


class Exchange:
    """The connections to one vendor.

    ``headers`` go with every request and hold the key. On a loopback address the proxies and certificates of the
    environment are ignored: they are not about this machine.
    """

    def __init__(self, timing: Timing, *, headers: Mapping[str, str], base_url: str) -> None:
        for chatty in ("httpx", "httpcore"):  # their log lines hold whole URLs, with people's addresses
            logging.getLogger(chatty).setLevel(logging.WARNING)
        heeds_environment = not is_loopback(urlsplit(base_url).hostname or "")
        trusted = trust_without_tls(base_url) or httpx.create_ssl_context(trust_env=heeds_environment)
        self._common: dict[str, Any] = {
            "verify": trusted,
            "trust_env": heeds_environment,
            "follow_redirects": False,
            "headers": dict(headers),
            "timeout": httpx.Timeout(
                connect=timing.connect, pool=timing.pool, write=timing.write, read=timing.read
            ),
        }
        self._reads = self._client(READ_CONNECTIONS)
        self._writes = self._client(WRITE_CONNECTIONS)

    def _client(self, limits: httpx.Limits) -> httpx.AsyncClient:
        client = httpx.AsyncClient(limits=limits, **self._common)
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return client

    async def once(self, outgoing: Outgoing, *, seconds: float) -> HttpAnswer | NoAnswer:
        """Send a request once and read its answer, in at most so many seconds."""
        flight = _Flight()
        try:
            async with asyncio.timeout(seconds):
                return await self._round_trip(outgoing, flight)
        except TimeoutError as error:
            return NoAnswer(fault=flight.fault(error), why=f"no whole answer within {seconds:.0f} seconds")
        except _TooLargeError:
            return NoAnswer(fault=ConnectionFault.OVERSIZED, why=f"an answer of more than {LARGEST_ANSWER} bytes")
        except httpx.DecodingError:
            return NoAnswer(fault=ConnectionFault.UNREADABLE, why="an answer whose compression is broken")
        except (httpx.InvalidURL, UnicodeError) as error:  # not a valid host name
            return NoAnswer(fault=ConnectionFault.NOT_SENT, why=f"{type(error).__name__}: {error}")
        except httpx.TransportError as error:
            return NoAnswer(fault=flight.fault(error), why=f"{type(error).__name__}: {error}".rstrip(": "))

    async def _round_trip(self, outgoing: Outgoing, flight: _Flight) -> HttpAnswer:
        client = self._writes if outgoing.is_write else self._reads
        async with client.stream(
            outgoing.method,
            outgoing.url,
            params=outgoing.query,
            content=outgoing.content,
            headers={"Content-Type": "application/json"} if outgoing.content is not None else None,
            extensions={"trace": flight.trace},
        ) as response:
            body = await (_whole(response) if response.is_success else _start(response))
            return HttpAnswer(status=response.status_code, headers=dict(response.headers), body=body)

    async def aclose(self) -> None:
        """Close every connection."""
        try:
            await self._reads.aclose()
        finally:  # also where whoever closes them is cancelled meanwhile
            await self._writes.aclose()


async def _whole(response: httpx.Response) -> bytes:
    announced = response.headers.get("content-length", "0")
    if announced.isdigit() and int(announced[:20]) > LARGEST_ANSWER:
        raise _TooLargeError
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > LARGEST_ANSWER:
            raise _TooLargeError
    return bytes(body)


async def _start(response: httpx.Response) -> bytes:
    """Return the beginning of an error's body: its status is known, whatever becomes of the rest."""
    body = bytearray()
    try:
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > LARGEST_ERROR:
                break
    except (httpx.TransportError, httpx.DecodingError):
        pass
    return bytes(body[:LARGEST_ERROR])
