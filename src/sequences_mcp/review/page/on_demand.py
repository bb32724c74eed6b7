"""What a page shows, opened for each request of whoever signed in: so it may be closed while nobody looks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sequences_mcp.errors import SequencesError
from sequences_mcp.review.page.request import PageContext

OPENED = "sequences_mcp.opened"  # the key of the page's context in the scope of a request


class OpeningOnDemand:
    """ASGI middleware: opens what ``context`` opens on demand, for whoever signed in.

    ``explained`` answers where it cannot be opened. A file that somebody had the page read or save keeps it open
    until that is done.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        context: PageContext,
        explained: Callable[[Request, Exception], Awaitable[Response]],
    ) -> None:
        self._app = app
        self._context = context
        self._explained = explained
        self._holding: dict[asyncio.Task[None], asyncio.Task[None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with what it needs opened."""
        request = Request(scope, receive) if scope["type"] == "http" else None
        if request is None or not self._needs_it(request):
            await self._app(scope, receive, send)
            return
        async with AsyncExitStack() as closing:
            try:
                scope[OPENED] = await closing.enter_async_context(self._context.entered())
            except SequencesError as error:
                await (await self._explained(request, error))(scope, receive, send)
                return
            await self._app(scope, receive, send)
            self._hold(closing)

    def _needs_it(self, request: Request) -> bool:
        is_file = request.scope["path"].startswith("/static/")
        return not is_file and self._context.signed_in(request.cookies) is not None

    def _hold(self, closing: AsyncExitStack) -> None:
        """Leave what a request has opened to the work that it began, where that is not done."""
        dropped = self._context.imports.file
        if dropped is None or not dropped.is_working or dropped.work in self._holding:
            return
        still_open, work = closing.pop_all(), dropped.work

        async def until_done() -> None:
            async with still_open:
                await asyncio.wait({work})
            del self._holding[work]

        self._holding[work] = asyncio.create_task(until_done())
