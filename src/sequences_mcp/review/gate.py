"""Who may knock: every request is judged by its headers alone before anything else looks at it.

Host exact against DNS rebinding; Origin and Sec-Fetch-Site against other sites
(https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html).
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

READS = ("GET", "HEAD")
FORM = "application/x-www-form-urlencoded"
BODY_LIMIT = 512 * 1024
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
    "cache-control": "no-store",
}
# A link in another page or program brings no SameSite=Strict cookie: one step from our own page does.
DOORMAT = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0">'
    '<title>Review</title><p><a href="">Open the review page</a></p></html>'
)


class Verdict(Enum):
    """What becomes of a request."""

    ENTER = "enter"
    STEP_UP = "step up"
    REFUSE = "refuse"


class Judgement(NamedTuple):
    """A verdict and, for a refusal, its status and the reason."""

    verdict: Verdict
    status: int = 200
    words: str = ""


ENTER = Judgement(Verdict.ENTER)


def judge(method: str, headers: Headers, *, authority: str) -> Judgement:
    """Return what becomes of a request for the page at ``authority`` (``localhost:4000``)."""
    if headers.getlist("host") != [authority]:
        return _no(421, f"This page is at http://{authority}/ and nowhere else.")
    if sum(len(name) + len(value) for name, value in headers.raw) > HEAD_LIMIT:
        return _no(431, f"The headers of a request are at most {HEAD_LIMIT:,} bytes.")
    origins = headers.getlist("origin")
    if origins and origins != [f"http://{authority}"]:
        return _no(403, "This request comes from another site.")
    if method in READS:
        return _reading(headers)
    if method != "POST":
        return _no(405, "This page knows GET and POST.")
    return _writing(headers, has_origin=bool(origins))


def _reading(headers: Headers) -> Judgement:
    if headers.getlist("sec-fetch-site") in ([], ["none"], ["same-origin"]):
        return ENTER
    is_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    if is_link and headers.get("sec-fetch-site") in ("same-site", "cross-site"):
        return Judgement(Verdict.STEP_UP)
    return _no(403, "Another site may link to this page, not use it.")


def _writing(headers: Headers, *, has_origin: bool) -> Judgement:
    sites = headers.getlist("sec-fetch-site")
    if sites not in ([], ["same-origin"]) or not (sites or has_origin):
        return _no(403, "This request does not come from this page.")
    if headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return _no(415, "This page takes its own forms.")
    length = headers.get("content-length", "")
    if not length.isascii() or not length.isdigit() or int(length) > BODY_LIMIT:
        return _no(413, f"A form has a length, of at most {BODY_LIMIT:,} bytes.")
    return ENTER


def _no(status: int, words: str) -> Judgement:
    return Judgement(Verdict.REFUSE, status, words)


class Gate:
    """An app behind the gate; every answer carries the headers that keep a browser strict."""

    def __init__(self, app: ASGIApp, *, authority: str) -> None:
        self._app = app
        self._authority = authority

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        found = judge(scope["method"], Headers(scope=scope), authority=self._authority)
        if found.verdict is Verdict.ENTER:
            await self._app(scope, receive, strict)
        elif found.verdict is Verdict.STEP_UP:
            await HTMLResponse(DOORMAT)(scope, receive, strict)
        else:
            await PlainTextResponse(found.words, status_code=found.status)(scope, receive, strict)
