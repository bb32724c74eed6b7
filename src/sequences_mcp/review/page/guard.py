"""Checks before a request reaches the page: its headers, and limits in number and time on connections.

The page is on localhost, where every web site that a browser shows can send requests to it. The rules follow the
Fetch Metadata headers (https://www.w3.org/TR/fetch-metadata/), ``Origin`` and ``Host`` (against DNS rebinding).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, cast

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

READS = ("GET", "HEAD")
# Sec-Purpose is of the Fetch standard (https://fetch.spec.whatwg.org/#sec-purpose-header); the others are what
# older browsers send, and Safari for the pictures of its start page.
PURPOSES = ("sec-purpose", "purpose", "x-purpose", "x-moz")
AHEAD = ("prefetch", "prerender", "preview")
FORM = "application/x-www-form-urlencoded"
BODY_LIMIT = 512 * 1024
UPLOAD = "multipart/form-data"
UPLOAD_PATH = "/people/file"  # the one form with a file
UPLOAD_LIMIT = 48 * 1024 * 1024 + 128 * 1024
HEAD_LIMIT = 16 * 1024
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # no-referrer would turn the Origin of our own forms into null
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), publickey-credentials-get=(self)",
}
NOT_KEPT = "no-store"
# A link in another site or program sends no SameSite=Strict cookie. This page reloads itself: the second request
# comes from the page's own origin and so carries the cookie.
RELOAD_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0">'
    '<title>Review</title><p><a href="">Open the review page</a></p></html>'
)


class Verdict(Enum):
    """What is done with a request: let through, answered with ``RELOAD_PAGE``, or refused."""

    ALLOW = "allow"
    RELOAD = "reload"
    REFUSE = "refuse"


class GuardVerdict(NamedTuple):
    """A verdict and, for a refusal, its status and the reason."""

    verdict: Verdict
    status: int = 200
    words: str = ""


ALLOWED = GuardVerdict(Verdict.ALLOW)


def judge_request(method: str, headers: Headers, *, authority: str, path: str = "/") -> GuardVerdict:
    """Return what is done with a request for a path of the page at ``authority`` (``localhost:4000``)."""
    # Against DNS rebinding: a name of an attacker that resolves to 127.0.0.1 arrives with its own Host header.
    if headers.getlist("host") != [authority]:
        return _refusal(421, f"This page is at http://{authority}/ and nowhere else.")
    if sum(len(name) + len(value) for name, value in headers.raw) > HEAD_LIMIT:
        return _refusal(431, f"The headers of a request are at most {HEAD_LIMIT:,} bytes.")
    origins = headers.getlist("origin")
    if origins and origins != [f"http://{authority}"]:
        return _refusal(403, "This request comes from another site.")
    if method in READS:
        return _reading(headers)
    if method != "POST":
        return _refusal(405, "This page knows GET and POST.")
    return _writing(headers, has_origin=bool(origins), has_file=path == UPLOAD_PATH)


def _reading(headers: Headers) -> GuardVerdict:
    # What a browser loads ahead nobody sees, and a screen that was served counts as read.
    purposes = [value.lower() for name in PURPOSES for value in headers.getlist(name)]
    if any(word in value for value in purposes for word in AHEAD):
        return _refusal(503, "This page is not loaded ahead. Open it.")
    # "none" is a typed address or a bookmark; no header at all is a client without Fetch Metadata, such as curl.
    if headers.getlist("sec-fetch-site") in ([], ["none"], ["same-origin"]):
        return ALLOWED
    is_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    if is_link and headers.get("sec-fetch-site") in ("same-site", "cross-site"):
        return GuardVerdict(Verdict.RELOAD)
    return _refusal(403, "Another site may link to this page, not use it.")


def _writing(headers: Headers, *, has_origin: bool, has_file: bool) -> GuardVerdict:
    sites = headers.getlist("sec-fetch-site")
    # Browsers send at least one of the two headers with every POST.
    if sites not in ([], ["same-origin"]) or not (sites or has_origin):
        return _refusal(403, "This request does not come from this page.")
    form, limit = (UPLOAD, UPLOAD_LIMIT) if has_file else (FORM, BODY_LIMIT)
    if headers.get("content-type", "").partition(";")[0].strip().lower() != form:
        return _refusal(415, "This page takes its own forms.")
    # A chunked body has no length and is refused, so that the limit holds before anything is read.
    length = headers.get("content-length", "")
    if not length.isascii() or not length.isdigit() or int(length) > limit:
        return _refusal(413, f"A form has a length, of at most {limit:,} bytes.")
    return ALLOWED


def _refusal(status: int, words: str) -> GuardVerdict:
    return GuardVerdict(Verdict.REFUSE, status, words)


class RequestGuard:
    """ASGI middleware that applies ``judge_request`` and adds ``HEADERS`` to every answer."""

    def __init__(self, app: ASGIApp, *, authority: str) -> None:
        self._app = app
        self._authority = authority

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        # The lifespan of the app.
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                # A file whose address has its hash may be kept.
                headers.update({**HEADERS, "cache-control": headers.get("cache-control", NOT_KEPT)})
            await send(message)

        judgement = judge_request(
            scope["method"], Headers(scope=scope), authority=self._authority, path=scope["path"]
        )
        if judgement.verdict is Verdict.ALLOW:
            await self._app(scope, receive, strict)
        elif judgement.verdict is Verdict.RELOAD:
            await HTMLResponse(RELOAD_PAGE)(scope, receive, strict)
        else:
            await PlainTextResponse(judgement.words, status_code=judgement.status)(scope, receive, strict)


BACKLOG = 32  # accepted in one go on each of two sockets, and the kernel's queue
HEAD_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many connections are open at once, and for how many seconds each part of an exchange may last.

    ``head`` is from the connection, or from the last answer, to the end of a request's headers; ``body`` from
    there to the end of its body; ``answer`` until the client has read the answer. A connection older than ``life``
    is closed after its answer.
    """

    most: int = 32
    head: float = 5.0
    body: float = 10.0
    answer: float = 120.0
    life: float = 300.0


class PageConnection(H11Protocol):
    """One connection with a deadline for each part of an exchange.

    Where all ``most`` are open, a new connection replaces the one that has waited longest for its client, so that
    idle connections never keep a person out; where every one is being answered, the new one is dropped.
    """

    def __init__(self, *given: Any, limits: Limits, **named: Any) -> None:
        super().__init__(*given, **named)
        self._limits = limits
        self._born = self._since = 0.0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection; where there are too many, drop the longest idle one, or this one."""
        super().connection_made(transport)
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
        before = self._part()
        super().data_received(data)
        self._moved_from(before)

    def on_response_complete(self) -> None:
        """Close a connection older than ``life``, else set the deadline of the next request."""
        super().on_response_complete()
        if self.transport.is_closing():
            return
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

    def _all(self) -> list[PageConnection]:
        return [cast(PageConnection, connection) for connection in self.connections]

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
