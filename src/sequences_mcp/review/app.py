"""The review page: which path is which screen, and what stands before each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sequences_mcp.errors import (
    ConflictError,
    InvalidArgumentsError,
    NotFoundError,
    SequencesError,
    StoreError,
    WrongIdError,
)
from sequences_mcp.flows.desk import Desk
from sequences_mcp.review.gate import READS, Gate
from sequences_mcp.review.pages import environment
from sequences_mcp.review.screens import SCREENS, unlock
from sequences_mcp.review.sessions import COOKIE, Sessions
from sequences_mcp.review.tries import Tries
from sequences_mcp.review.visit import Pause, Room, Visit, form_of

STATIC = Path(__file__).parent / "static"
OpenDesk: TypeAlias = Callable[[], AbstractAsyncContextManager[Desk]]
Screen: TypeAlias = Callable[[Visit], Awaitable[Response]]
RELOAD = "Go back, reload the screen and try again."
NOT_YOURS = "This form is not one of this browser's session, or its session has ended."


def build(open_desk: OpenDesk, *, data_dir: Path, authority: str, pause: Pause = asyncio.sleep) -> Starlette:
    """Return the page for one data folder, as it is visited under ``authority`` (``localhost:4000``).

    ``pause`` is what holds an answer back for so many seconds.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_desk() as desk:
            app.state.room = Room(
                desk=desk,
                data_dir=data_dir,
                authority=authority,
                sessions=Sessions(desk.clock),
                tries=Tries(data_dir, desk.clock),
                pause=pause,
                pages=environment(),
            )
            yield

    return Starlette(
        routes=[*_routes(), Mount("/static", StaticFiles(directory=STATIC))],
        lifespan=lifespan,
        middleware=[Middleware(Gate, authority=authority)],
        exception_handlers={HTTPException: _strayed, SequencesError: _explained},
    )


def _routes() -> list[Route]:
    open_to_all = [
        Route("/unlock", _endpoint(unlock.form, locked=False), methods=["GET"]),
        Route("/unlock", _endpoint(unlock.enter, locked=False), methods=["POST"]),
        Route("/unlock/word", _endpoint(unlock.word, locked=False), methods=["POST"]),
    ]
    behind = [Route(path, _endpoint(screen), methods=[method]) for method, path, screen in SCREENS]
    return [*open_to_all, *behind]


def _endpoint(screen: Screen, *, locked: bool = True) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        visit = await _visit(request)
        if locked and visit.session is None:
            return unlock.asked(visit)
        if locked and request.method not in READS and not visit.own.owns(visit.form.get("csrf", "")):
            return _told(visit, HTTPStatus.FORBIDDEN, message=NOT_YOURS, next_step=RELOAD)
        return await screen(visit)

    return endpoint


async def _visit(request: Request) -> Visit:
    room: Room = request.app.state.room
    form = {} if request.method in READS else await form_of(request)
    return Visit(room=room, request=request, form=form, session=room.sessions.find(request.cookies.get(COOKIE)))


async def _explained(request: Request, error: Exception) -> Response:
    assert isinstance(error, SequencesError)
    return _told(await _visit(request), _status(error), message=error.message, next_step=error.next_step)


async def _strayed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    visit = await _visit(request)
    if visit.session is None and error.status_code == HTTPStatus.NOT_FOUND:
        return unlock.asked(visit)
    words = "There is no such page." if error.status_code == HTTPStatus.NOT_FOUND else error.detail
    return _told(visit, error.status_code, message=words, next_step="The front page shows what waits for you.")


def _status(error: SequencesError) -> int:
    if isinstance(error, NotFoundError | WrongIdError):
        return HTTPStatus.NOT_FOUND
    if isinstance(error, InvalidArgumentsError):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    if isinstance(error, ConflictError):
        return HTTPStatus.CONFLICT
    return HTTPStatus.SERVICE_UNAVAILABLE if isinstance(error, StoreError) else HTTPStatus.CONFLICT


def _told(visit: Visit, status: int, *, message: str, next_step: str) -> Response:
    return visit.shows("told.html", status=status, message=message, next_step=next_step)
