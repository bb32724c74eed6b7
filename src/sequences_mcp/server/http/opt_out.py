"""Where e-mails say that their recipients opt out with one click (RFC 8058).

``POST /u/TOKEN`` is what a mail program sends, with no cookie and no sign-in; ``GET`` shows a button and does
nothing, since programs that look for malware open every address of an e-mail. Both answer alike for a token that
is none, which so cannot be told from another.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sequences_mcp.context import AppContext
from sequences_mcp.errors import SequencesError
from sequences_mcp.server.app import OpenContext
from sequences_mcp.services.opting_out import opt_out

HEADERS = {
    "content-security-policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
    "cache-control": "no-store",
}
_SCREEN = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><h1>{title}</h1>{rest}</html>'
)
_BUTTON = (
    '<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">'
    "<p>You get no more e-mails from whoever wrote to you.</p><button>Stop these e-mails</button></form>"
)
ASKS = _SCREEN.format(title="Stop these e-mails?", rest=_BUTTON)
DONE = _SCREEN.format(title="Done", rest="<p>You are not written to again.</p>")
LATER = _SCREEN.format(title="Not yet", rest="<p>This could not be stored just now. Try again in a minute.</p>")


def build_opt_out(open_context: OpenContext, *, on_demand: bool = False) -> Starlette:
    """Return the app that answers below ``/u/``; ``on_demand``: the context is opened for each opt-out."""
    opened: list[AppContext] = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with open_context() as app:
            opened.append(app)
            yield
            opened.clear()

    @asynccontextmanager
    async def context() -> AsyncIterator[AppContext]:
        if not on_demand:
            yield opened[0]
            return
        async with open_context() as app:
            yield app

    async def ask(_: Request) -> Response:
        return HTMLResponse(ASKS, headers=HEADERS)

    async def stop(request: Request) -> Response:
        try:
            async with context() as app:
                await opt_out(app, token=request.path_params["token"])
        except SequencesError as error:
            logging.getLogger(__name__).warning("An opt-out with one click was not stored: %s", error)
            return HTMLResponse(LATER, 503, headers={**HEADERS, "retry-after": "60"})
        return HTMLResponse(DONE, headers=HEADERS)

    return Starlette(
        routes=[Route("/u/{token}", ask, methods=["GET"]), Route("/u/{token}", stop, methods=["POST"])],
        lifespan=None if on_demand else lifespan,
    )
