"""The lock: a passphrase opens one browser for twelve hours."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from sequences_mcp.review import greeting, passphrase, tries
from sequences_mcp.review.presence import passphrase_fault
from sequences_mcp.review.sessions import COOKIE, LASTS
from sequences_mcp.review.visit import Visit, local_path

LONGEST_TOKEN = 64


async def form(visit: Visit) -> Response:
    """Ask for the passphrase."""
    asked = visit.request.query_params
    return _form(visit, next_path=local_path(asked.get("next", "/")), ticket=asked.get("ticket", ""))


def asked(visit: Visit) -> Response:
    """Ask for the passphrase in place of a screen behind the lock; a text that was sent is not lost."""
    is_read = visit.request.method in ("GET", "HEAD")
    path = visit.request.url.path + (f"?{visit.request.url.query}" if visit.request.url.query else "")
    kept = None if is_read else visit.form.get("content")
    return _form(visit, next_path=local_path(path) if is_read else "/", status=HTTPStatus.UNAUTHORIZED, kept=kept)


async def word(visit: Visit) -> Response:
    """Tell a browser that was introduced the word by which the person knows the page."""
    room = visit.room
    is_known = greeting.is_known(room.data_dir, _token(visit), authority=room.authority)
    return JSONResponse({"word": greeting.word(room.data_dir) if is_known else None})


async def enter(visit: Visit) -> Response:
    """Open this browser where the passphrase is right; the page's script is handed a second secret."""
    room, next_path, token = visit.room, local_path(visit.form.get("next", "/")), _token(visit)
    by_script = "application/json" in visit.request.headers.get("accept", "")
    who = greeting.name_of(token) if token else tries.STRANGERS
    is_known = greeting.is_known(room.data_dir, token, authority=room.authority)
    given = visit.form.get("passphrase", "")
    if fault := await passphrase_fault(room, given, who=who, is_known=is_known):
        if by_script:
            return JSONResponse({"told": fault.words}, status_code=fault.status)
        return _form(visit, next_path=next_path, status=fault.status, told=fault.words)
    greeting.introduce(room.data_dir, token, authority=room.authority)
    secret, session = room.sessions.begin()
    opened = JSONResponse({"next": next_path, "key": session.new_key()}) if by_script else visit.goes(next_path)
    return visit.lit(opened, secret, seconds=round(LASTS.total_seconds()))


async def leave(visit: Visit) -> Response:
    """Lock this browser."""
    visit.room.sessions.end(visit.request.cookies.get(COOKIE))
    return visit.lit(visit.goes("/unlock"), "", seconds=0)


def _token(visit: Visit) -> str:
    return visit.form.get("browser", "")[:LONGEST_TOKEN]


def _form(
    visit: Visit, *, next_path: str, status: int = 200, told: str = "", kept: str | None = None, ticket: str = ""
) -> Response:
    room, token = visit.room, _token(visit) or greeting.new_token()
    said = greeting.greeting(room.data_dir, token, authority=room.authority, ticket=ticket, now=visit.now)
    return visit.shows(
        "unlock.html",
        status=status,
        next_path=quote(next_path, safe="/:?=&%"),
        told=told,
        kept=kept,
        is_set=passphrase.is_set(room.data_dir),
        browser=token,
        said=said,
    )
