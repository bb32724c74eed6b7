"""The review page as an ASGI app: the Jinja2 environment, the routes, the session check, and errors as pages."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sequences_mcp.domain.plain_words import (
    STATUSES,
    STEP_STATES,
    as_shown,
    counted_status,
    detail_in_words,
    for_person,
)
from sequences_mcp.domain.run import SequenceStatus, StepRun, StopReason
from sequences_mcp.domain.told_times import ToldTime, parts_with_times
from sequences_mcp.errors import (
    ConflictError,
    InvalidArgumentsError,
    NotFoundError,
    ProviderUnavailableError,
    SequencesError,
    StoreError,
    WrongIdError,
)
from sequences_mcp.ports.embedded import SequenceDetail
from sequences_mcp.ports.sign_in import SignInIssuer
from sequences_mcp.review.lock import passphrase
from sequences_mcp.review.lock.first_visit import FolderSetup, SetupSessions
from sequences_mcp.review.lock.sessions import COOKIE, MOST_SESSIONS, Sessions
from sequences_mcp.review.lock.sign_ins import MOST, Departures, SignInSessions
from sequences_mcp.review.page import first, keys, roles, sign_in
from sequences_mcp.review.page.address import PageAddress
from sequences_mcp.review.page.guard import READS, RequestGuard
from sequences_mcp.review.page.on_demand import OPENED, OpeningOnDemand
from sequences_mcp.review.page.request import (
    OpenContext,
    PageContext,
    PageRequest,
    Pause,
    SignInDoor,
    drop_upload,
    everybody,
    form_of,
)
from sequences_mcp.review.page.screens import SCREENS

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# A file's address changes with what is in it.
KEPT = "private, max-age=31536000, immutable"
# Whoever opens the page unlocks it, and goes to a plan or to the front page. These are compiled before the others.
FIRST = ("unlock.html", "plan.html", "people.html", "person.html", "timeline.html", "front.html", "charts.html")


class StaticAsset(NamedTuple):
    """A file that the screens load; ``integrity`` has its hash, without which a browser does not use it.

    Browsers keep these files. The port of the page can be another program's while the page is not served, so a
    kept copy is used only where it has the hash that the screen names.
    """

    path: str
    integrity: str
    version: str
    kind: str
    body: bytes


@cache
def static_files() -> Mapping[str, StaticAsset]:
    """Return the files that the screens load, by their names."""
    made = {}
    for file in sorted(STATIC.iterdir()):
        body = file.read_bytes()
        digest = sha256(body).digest()
        version, integrity = digest.hex()[:16], f"sha256-{b64encode(digest).decode()}"
        path = f"/static/{file.name}?v={version}"
        made[file.name] = StaticAsset(path, integrity, version, KINDS[file.suffix], body)
    return made


@cache
def environment() -> Environment:
    """Return the environment of the page's templates, which are compiled once for a process."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_drawn,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals |= {"files": static_files(), "detail_in_words": detail_in_words}
    made.filters |= {
        "standing": lambda status: STATUSES[str(getattr(status, "value", status))],
        "counted": counted_status,
        "text": _text,
        "raw": _raw,
        "drawn": _letter,
        "plain": _plain,
        "commands": _commands,
        "utc": _utc,
        "timed": _timed,
        "date": _date,
        "day": _day,
        "told_status": lambda word: STATUSES.get(word, word),
        "stands": _stands,
        "step_words": lambda state: STEP_STATES[state.value],
        "number": _number,
    }
    return made


def _drawn(value: Any) -> Any:
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return as_shown(value, keep="")


def _text(value: str | None) -> Markup:
    """Return a text of several lines, escaped, with invisible characters drawn."""
    return Markup(escape(as_shown(value or "")))  # noqa: S704 - escaped here, so that line breaks can stay


def _letter(run: StepRun) -> Markup:
    """Return the HTML of a text in Markdown, which has no tags but those of Markdown and no address."""
    return Markup(as_shown(run.drawn))  # noqa: S704 - made by our renderer, which escapes what it is given


def _raw(value: str | None) -> Markup:
    """Return a text for a form field: escaped only, since the field's value is what the form sends back."""
    return Markup(escape(value or ""))  # noqa: S704 - escaped here, so that nothing is drawn into it


def _plain(value: str | None) -> Markup:
    """Return a message of this program in words for a person, without names of tools, its times as times."""
    text = as_shown(for_person(value or ""), keep="")
    return Markup().join(_with_times(text))


def _with_times(text: str) -> Iterator[Markup]:
    """Yield the text, escaped, each instant as an element that the script shows in the reader's zone.

    One that was told on somebody's own clock keeps that, for the script to add where it differs.
    """
    for part in parts_with_times(text):
        yield escape(part) if isinstance(part, str) else _instant(part)


def _instant(instant: ToldTime) -> Markup:
    local = Markup(' data-local="{}"').format(instant.local) if instant.local else ""
    return Markup('<time datetime="{}"{}>{}</time>').format(instant.at.isoformat(), local, instant.words)


def _timed(value: str | None) -> Markup:
    """Return words that may tell instants, escaped, the instants as elements."""
    return Markup().join(_with_times(as_shown(value or "", keep="")))


def _stands(detail: SequenceDetail, now: datetime) -> Markup:
    """Return how a run stands, in words: paused until a day, won, lost, or what its status says."""
    run = detail.sequence
    until = run.paused_until or (detail.facts.paused_until if detail.facts else None)
    if run.status is SequenceStatus.WAITING_FOR_LEAD and until is not None:
        return Markup("paused until {}").format(_day(until, now))
    if run.status is SequenceStatus.STOPPED_EARLY and run.stop_reason is not None:
        return Markup("won") if run.stop_reason is StopReason.WIN else Markup("lost")
    return escape(STATUSES[run.status.value])


def _day(moment: datetime, now: datetime) -> Markup:
    """Return a day as HTML: the weekday within the next six days, else the date. The script corrects the zone."""
    at = moment.astimezone(UTC)
    words = f"{at:%A}" if timedelta(0) <= at - now < timedelta(days=6) else f"{at:%Y-%m-%d}"
    return Markup('<time datetime="{}" data-day>{}</time>').format(at.isoformat(), words)


def _date(day: date) -> Markup:
    """Return a day of the calendar, which is the same in every zone."""
    return Markup('<time datetime="{}" data-date>{}</time>').format(day.isoformat(), day.isoformat())


def _commands(value: str | None) -> Markup:
    """Return a message of this program in words for a person, with ``<code>`` in place of backticks."""
    parts = as_shown(for_person(value or ""), keep="").split("`")
    if len(parts) % 2 == 0:
        return Markup().join(_with_times("`".join(parts)))
    return Markup().join(
        Markup("<code>{}</code>").format(part) if at % 2 else Markup().join(_with_times(part))
        for at, part in enumerate(parts)
    )


def _utc(moment: datetime | None) -> Markup:
    if moment is None:
        return Markup("")
    at = moment.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), f"{at:%a %Y-%m-%d %H:%M} UTC")


def _number(value: int) -> str:
    return f"{value:,}"


Lifespan: TypeAlias = Callable[[Starlette], AbstractAsyncContextManager[None]]
Screen: TypeAlias = Callable[[PageRequest], Awaitable[Response]]
LOCKED = (
    "This browser is locked, and nothing was stored. Copy what you typed, then reload the screen and unlock it."
)
RELOAD = "Go back, reload the screen and try again."
NOT_YOURS = "This form is not one of this browser's session, or its session has ended."


def build_page(
    open_context: OpenContext,
    *,
    place: PageAddress,
    pause: Pause = asyncio.sleep,
    setup: FolderSetup | None = None,
    service: SignInIssuer | None = None,
) -> Starlette:
    """Return the page for the workspace of a context, as it is visited at a place.

    With ``service`` everybody signs in there before they see anything; the page is locked besides, where a
    passphrase was chosen. ``pause`` delays the answer to a wrong passphrase by some seconds; tests pass their own.
    ``setup`` sets up what a first visit asks for; without it the page only says where the passphrase is chosen.
    """
    most = MOST_SESSIONS if service is None else MOST

    @asynccontextmanager
    async def lifespan(asgi_app: Starlette) -> AsyncIterator[None]:
        async with open_context() as app, _compiling():
            asgi_app.state.context = PageContext(
                opened=app,
                clock=app.clock,
                place=place,
                sessions=Sessions(app.clock, most=most),
                pause=pause,
                pages=environment(),
                first=SetupSessions(setup),
                door=_door(service, app.clock) if service else None,
            )
            yield
            if (dropped := asgi_app.state.context.imports.file) is not None:
                dropped.let_go()

    return _page(place, has_sign_in=bool(service), lifespan=lifespan)


def build_page_on_demand(
    open_context: OpenContext,
    *,
    place: PageAddress,
    service: SignInIssuer,
    clock: Callable[[], datetime],
    admits: Callable[[str], bool] = everybody,
    pause: Pause = asyncio.sleep,
) -> Starlette:
    """Return the page of a workspace that is opened for each request of whoever signed in, and for nobody else.

    Who is signed in, and what they have read, outlasts the closing of it. Everybody else is answered alike,
    whether or not the workspace could be opened. ``admits`` says by their ``sub`` who may be in at all.
    """
    context = PageContext(
        opened=None,
        open_context=open_context,
        clock=clock,
        place=place,
        sessions=Sessions(clock, most=MOST),
        pause=pause,
        pages=environment(),
        door=_door(service, clock, admits=admits),
    )
    page = _page(
        place, has_sign_in=True, inside=[Middleware(OpeningOnDemand, context=context, explained=_explained)]
    )
    page.state.context = context
    return page


def _page(
    place: PageAddress, *, has_sign_in: bool, inside: Sequence[Middleware] = (), lifespan: Lifespan | None = None
) -> Starlette:
    return Starlette(
        routes=_routes(has_sign_in=has_sign_in),
        lifespan=lifespan,
        middleware=[Middleware(RequestGuard, place=place), *inside],
        exception_handlers={HTTPException: _strayed, SequencesError: _explained},
    )


def _door(
    service: SignInIssuer, clock: Callable[[], datetime], *, admits: Callable[[str], bool] = everybody
) -> SignInDoor:
    return SignInDoor(service=service, sign_ins=SignInSessions(clock), departures=Departures(clock), admits=admits)


@asynccontextmanager
async def _compiling() -> AsyncIterator[None]:
    """Compile the templates while the first requests are served: those of a plan take a third of a second."""
    is_over = threading.Event()
    work = asyncio.create_task(asyncio.to_thread(_compile_all, environment(), is_over))
    try:
        yield
    finally:
        is_over.set()  # a page that ends does not wait for the templates that are left
        await work


def _compile_all(pages: Environment, is_over: threading.Event) -> None:
    for name in dict.fromkeys((*FIRST, *pages.list_templates())):
        if is_over.is_set():
            return
        pages.get_template(name)


async def _static_file(request: Request) -> Response:
    file = static_files().get(request.path_params["name"])
    if file is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    is_kept = request.query_params.get("v") == file.version
    return Response(file.body, media_type=file.kind, headers={"cache-control": KEPT} if is_kept else None)


@cache
def _routes(*, has_sign_in: bool) -> tuple[Route, ...]:
    """Return the routes of a page; all pages of a process share them."""
    unlocking: list[tuple[str, str, Screen]] = [
        ("GET", "/unlock", keys.unlock_screen),
        ("POST", "/unlock", keys.unlock_form),
        ("POST", "/unlock/word", keys.word_form),
    ]
    setting_up: list[tuple[str, str, Screen]] = [
        ("GET", "/first", first.first_screen),
        ("POST", "/first", first.begin_form),
        ("POST", "/first/sender", first.sender_form),
        ("POST", "/first/rest", first.rest_form),
        ("POST", "/first/write", first.write_form),
        ("POST", "/first/try", first.try_form),
    ]
    signing_in: list[tuple[str, str, Screen]] = [
        ("GET", "/sign-in", sign_in.begin_screen),
        ("GET", "/sign-in/back", sign_in.callback_screen),
        ("GET", "/sign-in/out", sign_in.signed_out_screen),
        ("POST", "/sign-out", sign_in.sign_out_form),
    ]
    open_to_all = signing_in if has_sign_in else setting_up
    return (
        *(
            Route(path, _endpoint(screen, path, need=Need.NOTHING), methods=[way])
            for way, path, screen in open_to_all
        ),
        *(
            Route(path, _endpoint(screen, path, need=Need.SIGN_IN), methods=[way])
            for way, path, screen in unlocking
        ),
        *(Route(path, _endpoint(screen, path), methods=[way]) for way, path, screen in SCREENS),
        Route("/static/{name}", _static_file, methods=["GET"]),
    )


class Need(Enum):
    """What a route asks of a browser: nothing, that somebody signed in where people do, or also an open lock."""

    NOTHING = 0
    SIGN_IN = 1
    UNLOCKED = 2


def _endpoint(
    screen: Screen, path: str, *, need: Need = Need.UNLOCKED
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        page_request = await _page_request(request)
        refused = None if need is Need.NOTHING else _not_signed_in(page_request, path)
        if refused is None and need is Need.UNLOCKED:
            refused = _locked(page_request)
        if refused is not None:
            await drop_upload(request)
            return refused
        return await screen(page_request)

    return endpoint


def _not_signed_in(page_request: PageRequest, path: str) -> Response | None:
    """Return what is answered to somebody who has not signed in, or may not do this; None to all others."""
    if page_request.context.door is None:
        return None
    signed, now = page_request.sign_in, page_request.now
    writes = page_request.request.method not in READS
    if signed is None:
        return sign_in.asked_to_sign_in(page_request)
    if signed.is_old(now) and (away := sign_in.looked_up_again(page_request)) is not None:
        return away
    if not signed.counts(now) and not (writes and path in roles.HOLD_BACK):
        return sign_in.asked_to_sign_in(page_request)
    needed = roles.role_needed(path, writes=writes)
    if not page_request.may(needed):
        message = f"{signed.reviewer.name or signed.reviewer.subject} is no {needed.value} here; nothing was done."
        step = "Ask somebody who is, or whoever gives out the roles."
        return _notice(page_request, HTTPStatus.FORBIDDEN, message=message, next_step=step)
    return None


def _locked(page_request: PageRequest) -> Response | None:
    """Return what is answered to a browser that is locked, or whose form is not its session's; None to others."""
    if page_request.session is None:
        if page_request.wants_json:
            return JSONResponse({"message": LOCKED}, status_code=HTTPStatus.UNAUTHORIZED)
        if page_request.sign_in is not None and not passphrase.is_set(page_request.context.safe):
            return sign_in.looked_up_again(page_request) or sign_in.asked_to_sign_in(page_request)
        return keys.locked_screen(page_request)
    # Cookies, SameSite=Strict ones too, are sent by pages on other ports of localhost; the form's token is not.
    is_form = page_request.request.method not in READS
    if is_form and not page_request.unlocked.owns(page_request.form.get("csrf", "")):
        return _notice(page_request, HTTPStatus.FORBIDDEN, message=NOT_YOURS, next_step=RELOAD)
    return None


async def _page_request(request: Request) -> PageRequest:
    context: PageContext = request.app.state.context
    context = request.scope.get(OPENED, context)
    form = {} if request.method in READS else await form_of(request)
    cookies = request.cookies
    signed = None if context.opened is None else context.signed_in(cookies)
    session = context.sessions.find(cookies.get(context.place.cookie(COOKIE)))
    if session is not None and session.subject != (signed.reviewer.subject if signed else ""):
        session = None  # unlocked by somebody else, or nobody is signed in any more
    # The answer to HEAD shows nothing, so what a screen notes as shown goes into a copy and is dropped.
    noted = deepcopy(session) if request.method == "HEAD" else session
    return PageRequest(context=context, request=request, form=form, session=noted, sign_in=signed)


async def _explained(request: Request, error: Exception) -> Response:
    assert isinstance(error, SequencesError)
    return _notice(await _page_request(request), _status(error), message=error.message, next_step=error.next_step)


async def _strayed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    page_request = await _page_request(request)
    # Without a session an unknown path looks like a known one.
    if page_request.session is None and error.status_code == HTTPStatus.NOT_FOUND:
        is_out = page_request.context.door is not None and page_request.sign_in is None
        return sign_in.asked_to_sign_in(page_request) if is_out else keys.locked_screen(page_request)
    words = "There is no such page." if error.status_code == HTTPStatus.NOT_FOUND else error.detail
    return _notice(
        page_request, error.status_code, message=words, next_step="The front page shows what waits for you."
    )


def _status(error: SequencesError) -> int:
    if isinstance(error, NotFoundError | WrongIdError):
        return HTTPStatus.NOT_FOUND
    if isinstance(error, InvalidArgumentsError):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    if isinstance(error, ConflictError):
        return HTTPStatus.CONFLICT
    is_down = isinstance(error, StoreError | ProviderUnavailableError)
    return HTTPStatus.SERVICE_UNAVAILABLE if is_down else HTTPStatus.CONFLICT


def _notice(page_request: PageRequest, status: int, *, message: str, next_step: str) -> Response:
    if page_request.wants_json:
        words = for_person(f"{message} {next_step}")
        return JSONResponse({"message": words}, status_code=status)
    return page_request.render("notice.html", status=status, message=message, next_step=next_step)
