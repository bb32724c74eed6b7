"""The lock and the passkeys on the page."""

from __future__ import annotations

import asyncio
import secrets
from http import HTTPStatus
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from sequences_mcp.errors import ApprovalError
from sequences_mcp.review.lock import greeting, passkeys, passphrase, sessions
from sequences_mcp.review.lock.sessions import COOKIE, LASTS
from sequences_mcp.review.page.request import PageRequest, local_path, passphrase_fault


async def keys_screen(page_request: PageRequest) -> Response:
    """Show the registered passkeys and where another one is registered."""
    return page_request.shows("keys.html", found=passkeys.registered(page_request.room.data_dir))


async def begin_registration(page_request: PageRequest) -> Response:
    """Check the code of the terminal and tell the browser how to make a key."""
    async with page_request.room.one_at_a_time:
        try:
            given = page_request.form.get("code", "")[:40]
            await asyncio.to_thread(passkeys.check_code, page_request.room.data_dir, given, now=page_request.now)
        except ApprovalError as error:
            return JSONResponse({"told": str(error)}, status_code=403)
    page_request.own.challenge = secrets.token_bytes(32)
    return JSONResponse(passkeys.options(challenge=page_request.own.challenge))


async def finish_registration(page_request: PageRequest) -> Response:
    """Store the key that the browser made."""
    challenge, page_request.own.challenge = page_request.own.challenge, None
    if challenge is None:
        raise ApprovalError("No registration has begun here.", next_step="Begin with the terminal's code.")
    passkeys.register_passkey(
        page_request.room.data_dir,
        page_request.form.get("credential", ""),
        challenge=challenge,
        authority=page_request.room.authority,
        now=page_request.now,
    )
    return page_request.goes("/passkeys")


LONGEST_TOKEN = 64


async def unlock_screen(page_request: PageRequest) -> Response:
    """Ask for the passphrase."""
    asked = page_request.request.query_params
    return _form(page_request, next_path=local_path(asked.get("next", "/")), ticket=asked.get("ticket", ""))


def asked_screen(page_request: PageRequest) -> Response:
    """Ask for the passphrase in place of a screen behind the lock; a text that was sent is not lost."""
    is_read = page_request.request.method in ("GET", "HEAD")
    path = page_request.request.url.path + (
        f"?{page_request.request.url.query}" if page_request.request.url.query else ""
    )
    kept = None if is_read else page_request.form.get("content")
    return _form(
        page_request, next_path=local_path(path) if is_read else "/", status=HTTPStatus.UNAUTHORIZED, kept=kept
    )


async def word_form(page_request: PageRequest) -> Response:
    """Tell a browser that was introduced the word by which the person knows the page."""
    room = page_request.room
    is_known = greeting.is_known(room.data_dir, _token(page_request), authority=room.authority)
    return JSONResponse({"word": greeting.greeting_word(room.data_dir) if is_known else None})


async def unlock_form(page_request: PageRequest) -> Response:
    """Open this browser where the passphrase is right; the page's script is handed a second secret."""
    room, next_path, token = (
        page_request.room,
        local_path(page_request.form.get("next", "/")),
        _token(page_request),
    )
    by_script = "application/json" in page_request.request.headers.get("accept", "")
    who = greeting.name_of(token) if token else sessions.STRANGERS
    is_known = greeting.is_known(room.data_dir, token, authority=room.authority)
    given = page_request.form.get("passphrase", "")
    if fault := await passphrase_fault(room, given, who=who, is_known=is_known):
        if by_script:
            return JSONResponse({"told": fault.words}, status_code=fault.status)
        return _form(page_request, next_path=next_path, status=fault.status, told=fault.words)
    greeting.introduce(room.data_dir, token, authority=room.authority)
    secret, session = room.sessions.begin()
    opened = (
        JSONResponse({"next": next_path, "key": session.new_key()}) if by_script else page_request.goes(next_path)
    )
    return page_request.lit(opened, secret, seconds=round(LASTS.total_seconds()))


async def lock_form(page_request: PageRequest) -> Response:
    """Lock this browser."""
    page_request.room.sessions.end(page_request.request.cookies.get(COOKIE))
    return page_request.lit(page_request.goes("/unlock"), "", seconds=0)


def _token(page_request: PageRequest) -> str:
    return page_request.form.get("browser", "")[:LONGEST_TOKEN]


def _form(
    page_request: PageRequest,
    *,
    next_path: str,
    status: int = 200,
    told: str = "",
    kept: str | None = None,
    ticket: str = "",
) -> Response:
    room, token = page_request.room, _token(page_request) or greeting.new_token()
    said = greeting.greeting(room.data_dir, token, authority=room.authority, ticket=ticket, now=page_request.now)
    return page_request.shows(
        "unlock.html",
        status=status,
        next_path=quote(next_path, safe="/:?=&%"),
        told=told,
        kept=kept,
        is_set=passphrase.is_set(room.data_dir),
        browser=token,
        said=said,
    )
