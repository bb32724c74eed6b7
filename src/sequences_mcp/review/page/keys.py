"""The screens that unlock and lock the page, and that register passkeys."""

from __future__ import annotations

import asyncio
import secrets
from http import HTTPStatus
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from sequences_mcp.errors import ApprovalError
from sequences_mcp.ports.safekeeping import KeptRecord
from sequences_mcp.review.lock import greeting, passkeys, passphrase, sessions
from sequences_mcp.review.lock.sessions import COOKIE, LASTS
from sequences_mcp.review.page.request import PageRequest, local_path, passphrase_fault


async def keys_screen(page_request: PageRequest) -> Response:
    """Show the registered passkeys and the form that registers another one."""
    origin, keys = page_request.context.place.origin, passkeys.registered(page_request.context.safe)
    mine = [key for key in keys if key.is_for(origin, owner=page_request.subject)]
    return page_request.render("keys.html", keys=mine, has_others=len(mine) < len(keys))


async def begin_registration(page_request: PageRequest) -> Response:
    """Check the code that the terminal printed, and answer with the options for making a key, as JSON."""
    async with page_request.context.one_at_a_time:
        try:
            given = page_request.form.get("code", "")[:40]
            await asyncio.to_thread(
                passkeys.check_code,
                page_request.context.safe,
                KeptRecord.PASSKEY_CODE,
                given,
                now=page_request.now,
            )
        except ApprovalError as error:
            return JSONResponse({"message": str(error)}, status_code=403)
    page_request.unlocked.challenge = secrets.token_bytes(32)
    name = page_request.reviewer.name or page_request.subject if page_request.reviewer else "reviewer"
    origin = page_request.context.place.origin
    return JSONResponse(passkeys.options(challenge=page_request.unlocked.challenge, origin=origin, name=name))


async def finish_registration(page_request: PageRequest) -> Response:
    """Store the key that the browser made."""
    # A challenge is used once.
    challenge, page_request.unlocked.challenge = page_request.unlocked.challenge, None
    if challenge is None:
        raise ApprovalError("No registration has begun here.", next_step="Begin with the terminal's code.")
    passkeys.register_passkey(
        page_request.context.safe,
        page_request.form.get("credential", ""),
        challenge=challenge,
        origin=page_request.context.place.origin,
        now=page_request.now,
        owner=page_request.subject,
    )
    return page_request.redirect("/passkeys")


LONGEST_TOKEN = 64


async def unlock_screen(page_request: PageRequest) -> Response:
    """Ask for the passphrase."""
    query = page_request.request.query_params
    return _form(page_request, next_path=local_path(query.get("next", "/")), ticket=query.get("ticket", ""))


def locked_screen(page_request: PageRequest) -> Response:
    """Ask for the passphrase in place of a screen that needs a session; a text in the form is shown, not lost."""
    is_read = page_request.request.method in ("GET", "HEAD")
    path = page_request.request.url.path + (
        f"?{page_request.request.url.query}" if page_request.request.url.query else ""
    )
    unsent = None if is_read else page_request.form.get("content")
    return _form(
        page_request, next_path=local_path(path) if is_read else "/", status=HTTPStatus.UNAUTHORIZED, unsent=unsent
    )


async def word_form(page_request: PageRequest) -> Response:
    """Answer a known browser with the person's word (see ``lock.greeting``), any other with null, as JSON."""
    context = page_request.context
    is_known = greeting.is_known(context.safe, _token(page_request), authority=context.authority)
    return JSONResponse({"word": greeting.greeting_word(context.safe) if is_known else None})


async def unlock_form(page_request: PageRequest) -> Response:
    """Start a session where the passphrase is right; the page's script gets its second secret as JSON."""
    context, next_path, token = (
        page_request.context,
        local_path(page_request.form.get("next", "/")),
        _token(page_request),
    )
    # Without JavaScript the form is posted by the browser; there is no second secret then, and each approval asks
    # for the passphrase.
    by_script = "application/json" in page_request.request.headers.get("accept", "")
    who = greeting.name_of(token) if token else sessions.STRANGERS
    is_known = greeting.is_known(context.safe, token, authority=context.authority)
    given = page_request.form.get("passphrase", "")
    if fault := await passphrase_fault(context, given, who=who, is_known=is_known):
        if by_script:
            return JSONResponse({"message": fault.words}, status_code=fault.status)
        return _form(page_request, next_path=next_path, status=fault.status, message=fault.words)
    greeting.introduce(context.safe, token, authority=context.authority)
    context.sessions.end(page_request.cookie(COOKIE))
    secret, session = context.sessions.begin(subject=page_request.subject)
    opened = (
        JSONResponse({"next": next_path, "key": session.new_key()})
        if by_script
        else page_request.redirect(next_path)
    )
    return page_request.with_session(opened, secret, seconds=round(LASTS.total_seconds()))


async def lock_form(page_request: PageRequest) -> Response:
    """End this browser's session."""
    page_request.context.sessions.end(page_request.cookie(COOKIE))
    return page_request.with_session(page_request.redirect("/unlock"), "", seconds=0)


def _token(page_request: PageRequest) -> str:
    return page_request.form.get("browser", "")[:LONGEST_TOKEN]


def _form(
    page_request: PageRequest,
    *,
    next_path: str,
    status: int = 200,
    message: str = "",
    unsent: str | None = None,
    ticket: str = "",
) -> Response:
    context, token = page_request.context, _token(page_request) or greeting.new_token()
    greeting_shown = greeting.greeting(
        context.safe, token, authority=context.authority, ticket=ticket, now=page_request.now
    )
    return page_request.render(
        "unlock.html",
        status=status,
        next_path=quote(next_path, safe="/:?=&%"),
        message=message,
        unsent=unsent,
        is_set=passphrase.is_set(context.safe),
        has_first_visit=context.first.setup is not None,
        browser=token,
        greeting=greeting_shown,
    )
