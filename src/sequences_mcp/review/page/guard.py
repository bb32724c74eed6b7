"""Checks of the headers of a request, before it reaches the page.

Every web site that a browser shows can send requests to the page, on localhost too. The rules follow the
Fetch Metadata headers (https://www.w3.org/TR/fetch-metadata/), ``Origin`` and ``Host`` (against DNS rebinding).
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sequences_mcp.review.page.address import PageAddress

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
HTTPS_ALONE = {"strict-transport-security": "max-age=31536000"}
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


def judge_request(method: str, headers: Headers, *, place: PageAddress, path: str = "/") -> GuardVerdict:
    """Return what is done with a request for a path of the page at a place."""
    # Against DNS rebinding: a name of an attacker that resolves to 127.0.0.1 arrives with its own Host header.
    hosts = headers.getlist("host")
    if len(hosts) != 1 or hosts[0] not in place.hosts:
        return _refusal(421, f"This page is at {place.origin}/ and nowhere else.")
    if sum(len(name) + len(value) for name, value in headers.raw) > HEAD_LIMIT:
        return _refusal(431, f"The headers of a request are at most {HEAD_LIMIT:,} bytes.")
    origins = headers.getlist("origin")
    if origins and origins != [place.origin]:
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

    def __init__(self, app: ASGIApp, *, place: PageAddress) -> None:
        self._app = app
        self._place = place
        self._headers = {**HEADERS, **(HTTPS_ALONE if place.is_secure else {})}

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
                headers.update({**self._headers, "cache-control": headers.get("cache-control", NOT_KEPT)})
            await send(message)

        judgement = judge_request(scope["method"], Headers(scope=scope), place=self._place, path=scope["path"])
        if judgement.verdict is Verdict.ALLOW:
            await self._app(scope, receive, strict)
        elif judgement.verdict is Verdict.RELOAD:
            await HTMLResponse(RELOAD_PAGE)(scope, receive, strict)
        else:
            await PlainTextResponse(judgement.words, status_code=judgement.status)(scope, receive, strict)
