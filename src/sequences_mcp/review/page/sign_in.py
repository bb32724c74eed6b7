"""Signing in at a page under its own name: to the issuer and back, and out again."""

from __future__ import annotations

import logging
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import quote

from starlette.responses import JSONResponse, RedirectResponse, Response

from sequences_mcp.domain.reviewers import Reviewer
from sequences_mcp.ports.sign_in import Departure, ReviewerRefusedError
from sequences_mcp.review.lock import passphrase
from sequences_mcp.review.lock.sessions import COOKIE as SESSION_COOKIE
from sequences_mcp.review.lock.sessions import LASTS as SESSION_LASTS
from sequences_mcp.review.lock.sign_ins import COOKIE, DEPARTURE_COOKIE, DEPARTURE_LASTS, LASTS
from sequences_mcp.review.page.guard import READS
from sequences_mcp.review.page.request import PageRequest, SignInDoor, local_path

log = logging.getLogger(__name__)
LONGEST_ANSWER = 4_096  # characters of a value in the address that the issuer sends a browser back to
NOT_HERE = "This sign-in did not begin in this browser, was used already, or began too long ago."
OLD = "Your sign-in was looked at too long ago to do this. Sign in, then try again; nothing was done."
NO_ROLE = "Nobody has given you a role here. Ask whoever runs this page."


def door_of(page_request: PageRequest) -> SignInDoor:
    """Return what people sign in with, for the screens of a page that has it; AssertionError without."""
    assert page_request.context.door is not None
    return page_request.context.door


async def begin_screen(page_request: PageRequest) -> Response:
    """Send the browser to the issuer; where somebody is signed in, to be looked up and not asked anything."""
    door = door_of(page_request)
    next_path = local_path(page_request.request.query_params.get("next", "/"))
    token, departure = door.departures.begin(next_path=next_path, is_silent=page_request.sign_in is not None)
    try:
        address = await door.service.address(departure)
    except ReviewerRefusedError as error:
        return _shown(page_request, status=HTTPStatus.SERVICE_UNAVAILABLE, message=str(error), next_path=next_path)
    response = RedirectResponse(address, status_code=HTTPStatus.SEE_OTHER)
    seconds = round(DEPARTURE_LASTS.total_seconds())
    return page_request.with_cookie(response, DEPARTURE_COOKIE, token, seconds=seconds)


async def callback_screen(page_request: PageRequest) -> Response:
    """Let somebody in who comes back from the issuer as the person it says; each answer of its counts once."""
    door, query = door_of(page_request), page_request.request.query_params
    given = {name: value[:LONGEST_ANSWER] for name, value in query.items()}
    departure = door.departures.take(page_request.cookie(DEPARTURE_COOKIE), state=given.get("state", ""))
    if departure is None or len(query.multi_items()) != len(query):
        return _shown(page_request, status=HTTPStatus.FORBIDDEN, message=NOT_HERE)
    try:
        reviewer = await door.service.reviewer(departure, given)
    except ReviewerRefusedError as error:
        _end(page_request)
        words = "" if error.data.get("needs_person") else str(error)
        response = _shown(page_request, status=HTTPStatus.FORBIDDEN, message=words, next_path=departure.next_path)
        return _forgotten(page_request, response)
    before = page_request.sign_in
    is_same = before is not None and before.reviewer.subject == reviewer.subject
    _end(page_request, with_session=not is_same)
    if reviewer.role is None or not door.admits(reviewer.subject):
        if page_request.context.opened is not None:
            app = page_request.context.app.acting_as(reviewer.actor)
            await app.records.note("sign_in.refused", reviewer.subject, why="no role")
        else:  # it is not opened for them
            log.warning("%s has no role at %s", reviewer.subject, page_request.context.authority)
        response = _shown(page_request, status=HTTPStatus.FORBIDDEN, message=NO_ROLE, who=reviewer.name)
        return _forgotten(page_request, response)
    async with page_request.context.entered() as context:
        return await _let_in(replace(page_request, context=context), departure, reviewer, is_same=is_same)


async def _let_in(
    page_request: PageRequest, departure: Departure, reviewer: Reviewer, *, is_same: bool
) -> Response:
    """Let in whoever came back and has a role; ``is_same``: they were in before."""
    door, before = door_of(page_request), page_request.sign_in
    app, role = page_request.context.app.acting_as(reviewer.actor), reviewer.role
    assert role is not None
    if not departure.is_silent or not is_same:
        await app.records.note("sign_in.begun", reviewer.subject, role=role.value)
    since = before.began if before is not None and departure.is_silent and is_same else None
    token = door.sign_ins.begin(reviewer, since=since)
    response = RedirectResponse(departure.next_path, status_code=HTTPStatus.SEE_OTHER)
    page_request.with_cookie(response, COOKIE, token, seconds=round(LASTS.total_seconds()))
    page_request.with_cookie(response, DEPARTURE_COOKIE, "", seconds=0)
    has_session = is_same and page_request.session is not None
    if not has_session and not passphrase.is_set(page_request.context.safe):
        secret, _ = page_request.context.sessions.begin(subject=reviewer.subject, has_passphrase=False)
        page_request.with_session(response, secret, seconds=round(SESSION_LASTS.total_seconds()))
    return response


async def sign_out_form(page_request: PageRequest) -> Response:
    """End this browser's sign-in and its session; what the issuer remembers of the browser stays there."""
    sign_in = page_request.sign_in
    if sign_in is None or not sign_in.owns(page_request.form.get("csrf", "")):
        return _shown(page_request, status=HTTPStatus.FORBIDDEN, message=NOT_HERE)
    await page_request.app.records.note("sign_in.ended", sign_in.reviewer.subject)
    _end(page_request)
    return _forgotten(page_request, page_request.redirect("/sign-in/out"))


async def signed_out_screen(page_request: PageRequest) -> Response:
    """Say that nobody is signed in any more."""
    return _shown(page_request, status=HTTPStatus.OK, message="You are signed out here.")


def asked_to_sign_in(page_request: PageRequest) -> Response:
    """Ask somebody to sign in, in place of a screen; a text in the form is shown, not lost."""
    request = page_request.request
    is_read = request.method in READS
    message = OLD if page_request.sign_in is not None and not is_read else ""
    if page_request.wants_json:
        return JSONResponse({"message": message or OLD}, status_code=HTTPStatus.UNAUTHORIZED)
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return _shown(
        page_request,
        status=HTTPStatus.UNAUTHORIZED,
        message=message,
        next_path=local_path(path) if is_read else "/",
        unsent=None if is_read else page_request.form.get("content"),
    )


def looked_up_again(page_request: PageRequest) -> Response | None:
    """Return the way to the issuer and back for a screen that is opened, or None where nothing can be sent on."""
    request = page_request.request
    # A script's request cannot follow to another site; where no browser says what it is, it is no browser's.
    if request.method != "GET" or request.headers.get("sec-fetch-mode") != "navigate":
        return None
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(local_path(path))}", status_code=HTTPStatus.SEE_OTHER)


def _end(page_request: PageRequest, *, with_session: bool = True) -> None:
    door_of(page_request).sign_ins.end(page_request.cookie(COOKIE))
    if with_session:
        page_request.context.sessions.end(page_request.cookie(SESSION_COOKIE))


def _forgotten(page_request: PageRequest, response: Response) -> Response:
    for name in (COOKIE, DEPARTURE_COOKIE, SESSION_COOKIE):
        page_request.with_cookie(response, name, "", seconds=0)
    return response


def _shown(
    page_request: PageRequest,
    *,
    status: int,
    message: str,
    next_path: str = "/",
    who: str = "",
    unsent: str | None = None,
) -> Response:
    return page_request.render(
        "sign_in.html",
        status=status,
        message=message,
        who=who,
        unsent=unsent,
        title=door_of(page_request).service.title,
        next_path=quote(next_path),
    )
