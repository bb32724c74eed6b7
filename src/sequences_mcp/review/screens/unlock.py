"""The lock: a passphrase opens one browser for twelve hours."""

from __future__ import annotations

import asyncio
import math
from http import HTTPStatus
from urllib.parse import quote

from starlette.responses import Response

from sequences_mcp.errors import ApprovalError
from sequences_mcp.review import passphrase
from sequences_mcp.review.sessions import COOKIE, LASTS
from sequences_mcp.review.visit import Visit, local_path

LONGEST = 1024


async def form(visit: Visit) -> Response:
    """Ask for the passphrase."""
    return _form(visit, next_path=local_path(visit.request.query_params.get("next", "/")))


def asked(visit: Visit) -> Response:
    """Ask for the passphrase in place of a screen behind the lock; a text that was sent is not lost."""
    is_read = visit.request.method in ("GET", "HEAD")
    path = visit.request.url.path + (f"?{visit.request.url.query}" if visit.request.url.query else "")
    kept = None if is_read else visit.form.get("content")
    return _form(visit, next_path=local_path(path) if is_read else "/", status=HTTPStatus.UNAUTHORIZED, kept=kept)


async def enter(visit: Visit) -> Response:
    """Open this browser where the passphrase is right."""
    room, next_path = visit.room, local_path(visit.form.get("next", "/"))
    async with room.one_at_a_time:
        if wait := math.ceil(room.patience.remaining().total_seconds()):
            told = f"Too many wrong passphrases. The next one is looked at in {wait} seconds."
            return _form(visit, next_path=next_path, status=HTTPStatus.TOO_MANY_REQUESTS, told=told)
        try:
            given = visit.form.get("passphrase", "")[:LONGEST]
            await asyncio.to_thread(passphrase.check, room.data_dir, given)
        except ApprovalError as error:
            room.patience.was_wrong()
            return _form(visit, next_path=next_path, status=HTTPStatus.FORBIDDEN, told=str(error))
        room.patience.was_right()
    token, _ = room.sessions.begin()
    return visit.lit(visit.goes(next_path), token, seconds=round(LASTS.total_seconds()))


async def leave(visit: Visit) -> Response:
    """Lock this browser."""
    visit.room.sessions.end(visit.request.cookies.get(COOKIE))
    return visit.lit(visit.goes("/unlock"), "", seconds=0)


def _form(visit: Visit, *, next_path: str, status: int = 200, told: str = "", kept: str | None = None) -> Response:
    return visit.shows(
        "unlock.html",
        status=status,
        next_path=quote(next_path, safe="/:?=&%"),
        told=told,
        kept=kept,
        is_set=passphrase.is_set(visit.room.data_dir),
    )
