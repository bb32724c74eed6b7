"""One request as the screens see it, the forms' fields, and the check that the person is at this browser."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import parse_qs

from jinja2 import Environment
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from sequences_mcp.context import AppContext
from sequences_mcp.domain import actors
from sequences_mcp.domain.reviewers import Reviewer, Role
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import ApprovalError, InvalidArgumentsError
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.ports.safekeeping import Safekeeping
from sequences_mcp.ports.sign_in import SignInIssuer
from sequences_mcp.review.lock import passkeys, passphrase, sessions
from sequences_mcp.review.lock.first_visit import SetupSessions
from sequences_mcp.review.lock.sessions import COOKIE, Session, Sessions, Tries
from sequences_mcp.review.lock.sign_ins import COOKIE as SIGN_IN_COOKIE
from sequences_mcp.review.lock.sign_ins import Departures, SignInSession, SignInSessions
from sequences_mcp.review.page.address import PageAddress

Pause: TypeAlias = Callable[[float], Awaitable[None]]
OpenContext: TypeAlias = Callable[[], AbstractAsyncContextManager[AppContext]]


def everybody(_: str) -> bool:
    """Admit whoever has a role."""
    return True


@dataclass(slots=True)
class LockQueue:
    """A queue of requests from browsers that were never unlocked: their passphrases are checked one at a time."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


@dataclass(slots=True)
class PendingImport:
    """The one import that is under way on the page (``exchange.ImportState``), or None."""

    file: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInDoor:
    """What people sign in with at a page under its own name: the issuer, who is in, and who is on the way.

    ``admits`` says by their ``sub`` who may be in at all, whatever their role; it is asked at each request.
    """

    service: SignInIssuer
    sign_ins: SignInSessions
    departures: Departures
    admits: Callable[[str], bool] = everybody


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContext:
    """What every screen works with; ``door`` is where people sign in, None on localhost.

    ``opened`` is what the verbs take. Where ``open_context`` opens that on demand, it is None for whoever has not
    signed in: nothing is opened for them.
    """

    opened: AppContext | None
    open_context: OpenContext | None = None
    clock: Callable[[], datetime]
    place: PageAddress
    sessions: Sessions
    pages: Environment
    pause: Pause = asyncio.sleep
    strangers: LockQueue = field(default_factory=LockQueue)
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    imports: PendingImport = field(default_factory=PendingImport)
    first: SetupSessions = field(default_factory=SetupSessions)
    door: SignInDoor | None = None

    @property
    def app(self) -> AppContext:
        """What the verbs take; AssertionError before anybody has signed in."""
        assert self.opened is not None
        return self.opened

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[PageContext]:
        """Yield this with what the verbs take, opened so long where it is not yet; SequencesError."""
        if self.opened is not None or self.open_context is None:
            yield self
            return
        async with self.open_context() as app:
            yield replace(self, opened=app)

    @property
    def tries(self) -> Tries:
        """The counts of wrong passphrases."""
        return Tries(self.safe, self.clock)

    def signed_in(self, cookies: Mapping[str, str]) -> SignInSession | None:
        """Return the sign-in of a browser, where it has one and may still be in."""
        if self.door is None:
            return None
        sign_in = self.door.sign_ins.find(cookies.get(self.place.cookie(SIGN_IN_COOKIE)))
        return sign_in if sign_in is not None and self.door.admits(sign_in.reviewer.subject) else None

    @property
    def workspace(self) -> Workspace:
        """The workspace that this page shows and changes."""
        return self.app.workspace

    @property
    def authority(self) -> str:
        """Host and port at which browsers know the page."""
        return self.place.authority

    @property
    def safe(self) -> Safekeeping:
        """What approvals are checked with."""
        return self.app.safekeeping()


@dataclass(frozen=True, kw_only=True)
class PageRequest:
    """A request that ``RequestGuard`` let through; ``form`` is empty unless it is a POST.

    ``sign_in`` is None where nobody signed in, and on localhost.
    """

    context: PageContext
    request: Request
    form: Mapping[str, str]
    session: Session | None
    sign_in: SignInSession | None = None

    @cached_property
    def app(self) -> AppContext:
        """The context that the services take, acting as whoever signed in.

        An admin sees the private blueprints of all, an approver what each plan and run is of.
        """
        if self.reviewer is None:
            return self.context.app
        return self.context.app.acting_as(
            self.reviewer.actor,
            reader="" if self.may(Role.ADMIN) else self.subject,
            names_told=self.may(Role.APPROVER),
        )

    @property
    def reviewer(self) -> Reviewer | None:
        """Who signed in."""
        return None if self.sign_in is None else self.sign_in.reviewer

    @property
    def subject(self) -> str:
        """Who signed in, as the issuer tells people apart; nothing on localhost."""
        return "" if self.reviewer is None else self.reviewer.subject

    def may(self, needed: Role) -> bool:
        """Say whether this person may do what a role is needed for: on localhost there are no roles."""
        return self.context.door is None or (self.reviewer is not None and self.reviewer.may(needed))

    @property
    def unlocked(self) -> Session:
        """The session, for screens that need one; AssertionError without."""
        assert self.session is not None
        return self.session

    @property
    def now(self) -> datetime:
        """The present instant."""
        return self.context.clock()

    @property
    def page(self) -> int:
        """The number of the list page in the query string; InvalidArgumentsError for anything else."""
        return whole_number(self.request.query_params.get("page", "1"), name="page")

    def path_part(self, name: str) -> str:
        """Return a parameter of the route's path."""
        return str(self.request.path_params[name])

    def render(self, template: str, *, status: int = 200, **facts: Any) -> Response:
        """Return a page made from a template."""
        text = self.context.pages.get_template(template).render(
            session=self.session,
            csrf=self._csrf,
            current_path=self.request.url.path,
            now=self.now,
            sign_in=self.sign_in,
            has_sign_in=self.context.door is not None,
            may_approve=self.may(Role.APPROVER),
            **facts,
        )
        return HTMLResponse(text.encode("utf-8", "replace"), status_code=status)

    def _csrf(self) -> Markup:
        return Markup('<input type="hidden" name="csrf" value="{}">').format(self.unlocked.csrf)

    @property
    def signature(self) -> str | None:
        """What a passkey signed for the form, with the origin of this page, or None."""
        given = self.form.get("signature")
        if not given or not passkeys.is_signed_by(self.context.safe, given, owner=self.subject):
            return None
        return passkeys.signature_record(given, origin=self.context.place.origin)

    @property
    def person(self) -> actors.Actor:
        """Who is at the browser, as the audit names them."""
        return actors.PAGE if self.reviewer is None else self.reviewer.actor

    @property
    def actor(self) -> actors.Actor:
        """Who approves, as the audit names them: whoever signed in, else by passkey where one signed."""
        return actors.PAGE_WITH_PASSKEY if self.signature and self.reviewer is None else self.person

    @property
    def key_ids(self) -> list[str]:
        """The registered passkeys that can sign here for this person."""
        origin, keys = self.context.place.origin, passkeys.registered(self.context.safe)
        return [key.id for key in keys if key.is_for(origin, owner=self.subject)]

    @property
    def wants_json(self) -> bool:
        """Whether the request is from the page's script, which takes JSON in place of a screen."""
        return "application/json" in self.request.headers.get("accept", "")

    def redirect(self, path: str) -> Response:
        """Return a redirect (303) to another screen, after a form was handled; to the script, where to go."""
        if self.wants_json:
            return JSONResponse({"next": path})
        return RedirectResponse(path, status_code=303)

    def with_cookie(self, response: Response, name: str, token: str, *, seconds: int) -> Response:
        """Return a response that sets a cookie of the page; ``seconds`` 0 deletes it."""
        place = self.context.place
        response.set_cookie(
            place.cookie(name),
            token,
            max_age=seconds,
            path="/",
            secure=place.is_secure,
            httponly=True,
            samesite="strict",
        )
        return response

    def cookie(self, name: str) -> str | None:
        """Return a cookie of the page, where the browser sent it."""
        return self.request.cookies.get(self.context.place.cookie(name))

    def with_session(self, response: Response, token: str, *, seconds: int) -> Response:
        """Return a response that sets the session cookie; ``seconds`` 0 deletes it."""
        return self.with_cookie(response, COOKIE, token, seconds=seconds)


def whole_number(text: str, *, name: str) -> int:
    """Return a typed number from 1 to a million, with or without separators; InvalidArgumentsError."""
    # Thousands separators, the narrow no-break space of French numbers among them.
    plain = text.strip().replace(",", "").replace("\u202f", "").replace(" ", "")
    if not plain.isascii() or not plain.isdigit() or not 1 <= int(plain[:8]) <= 1_000_000:
        raise InvalidArgumentsError(f"{text[:20]!r} is not a {name} number.", next_step="Write it in digits.")
    return int(plain[:8])


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form, the first value of each name, with LF line breaks.

    Of a form with a file those before it, which is not read yet (``received_file``).
    """
    if request.headers.get("content-type", "").lower().startswith(UPLOAD):
        if getattr(request.state, "fields", None) is None:  # an error's screen asks for them again
            request.state.fields = {}
            request.state.upload = FileUpload(request)
            request.state.fields = await request.state.upload.fields()
        fields_read: dict[str, str] = request.state.fields
        return fields_read
    body = (await request.body()).decode("utf-8", "replace")
    # Forms are sent with CRLF line breaks; stored texts have LF, and a digest would differ.
    fields = parse_qs(body, keep_blank_values=True, max_num_fields=300)
    return {name: values[0].replace("\r\n", "\n") for name, values in fields.items()}


UPLOAD = "multipart/form-data"
MOST_BEFORE_FILE = 64 * 1024


class FileUpload:
    """A form with one file in its last field, read as it comes (RFC 7578): first the fields, then the file."""

    def __init__(self, request: Request) -> None:
        match = re.search(r'boundary="?([^";,]{1,70})"?', request.headers.get("content-type", ""))
        boundary = match[1] if match else ""
        if not boundary.isascii() or not boundary:
            raise _no_upload()
        self._mark = f"\r\n--{boundary}".encode()
        self._chunks = request.stream()
        # Every boundary follows a line break but the first (RFC 2046, 5.1.1); with this, the first does too.
        self._read = bytearray(b"\r\n")
        self._name: str | None = None

    async def fields(self) -> dict[str, str]:
        """Return the fields before the file, as they are; InvalidArgumentsError where there is no file."""
        fields: dict[str, str] = {}
        while self._name is None:
            end = self._read.find(b"\r\n\r\n")
            ends_at = self._read.find(self._mark, end + 2) if end >= 0 else -1
            head = bytes(self._read[:end])
            if end >= 0 and b"filename=" in head:
                self._name = _file_name(head)
                del self._read[: end + 4]
            elif ends_at >= 0:
                value = bytes(self._read[end + 4 : ends_at]).decode("utf-8", "replace")
                if match := re.search(rb'\bname="([^"]*)"', head):
                    fields[match[1].decode("utf-8", "replace")] = value.replace("\r\n", "\n")
                del self._read[:ends_at]
            elif len(self._read) > MOST_BEFORE_FILE or not await self._more():
                raise _no_upload()
        return fields

    async def file(self, *, most: int) -> tuple[str, bytes]:
        """Return the file's name and its bytes, ``most`` at most; InvalidArgumentsError."""
        looked_at = 0
        while (end := self._read.find(self._mark, looked_at)) < 0:
            if len(self._read) > most + len(self._mark):
                raise InvalidArgumentsError(
                    f"The file is larger than {most >> 20} MB.", next_step="Split it, or import it by the command."
                )
            looked_at = max(len(self._read) - len(self._mark), 0)
            if not await self._more():
                raise _no_upload()
        data = bytes(memoryview(self._read)[:end])
        self._read = bytearray()
        return self._name or "", data

    async def drop(self) -> None:
        """Read and discard the rest: a browser reads the answer only after it has sent the whole form."""
        self._read = bytearray()
        while await self._more():
            self._read.clear()

    async def _more(self) -> bool:
        async for chunk in self._chunks:
            self._read += chunk
            return True
        return False


def _file_name(head: bytes) -> str:
    """Return the name of the file, without a path."""
    match = re.search(rb'filename="([^"]*)"', head)  # browsers write a quotation mark as %22
    text = match[1].decode("utf-8", "replace").replace("\\", "/").rpartition("/")[2] if match else ""
    return text[:120] or "the file"


def _no_upload() -> InvalidArgumentsError:
    return InvalidArgumentsError("This is no form with a file.", next_step="Go back, choose the file, try again.")


async def received_file(request: Request, *, most: int) -> tuple[str, bytes]:
    """Return the name and the bytes of the file of a form, whose fields were read; InvalidArgumentsError."""
    upload: FileUpload | None = getattr(request.state, "upload", None)
    if upload is None:
        raise _no_upload()
    return await upload.file(most=most)


async def drop_upload(request: Request) -> None:
    """Read and discard the file of a form that is refused."""
    if (upload := getattr(request.state, "upload", None)) is not None:
        await upload.drop()


def local_path(text: str) -> str:
    """Return ``text`` where it is a path of this page, else ``/``: a form must not redirect to another site.

    A path longer than those of this page is none of them: it is kept for each browser that begins to sign in, and
    anybody may begin thousands.
    """
    # "//host" and "/\host" are addresses of other sites to a browser.
    is_ours = text.startswith("/") and not text.startswith(("//", "/\\")) and "\\" not in text
    return text if is_ours and len(text) <= LONGEST and text.isprintable() else "/"


LONGEST = 1024  # of a path to go on to, or of a passphrase
MOST_IN_LINE = 6
IN_LINE = (
    "Many passphrases are being tried here by browsers that were never unlocked. Try again in a minute, use a "
    "browser in which you unlocked this page before, or decide in a terminal: sequences-mcp review list."
)
AGAIN = "Type your passphrase again: this browser did not show that it is the one you unlocked."


class LockFault(NamedTuple):
    """Why an approval was not accepted; ``asks``: the passphrase has to be typed for the next try."""

    status: HTTPStatus
    words: str
    asks: bool = False


def lock_facts(page_request: PageRequest, fault: LockFault | None) -> dict[str, Any]:
    """Return the template variables of a page with an approval form: the fault, and what the form asks for."""
    return {
        "status": fault.status if fault else HTTPStatus.OK,
        "message": fault.words if fault else "",
        "key_ids": page_request.key_ids,
        "asks": page_request.unlocked.has_passphrase
        and (page_request.unlocked.key is None or (fault is not None and fault.asks)),
    }


async def passphrase_fault(context: PageContext, given: str, *, who: str, is_known: bool) -> LockFault | None:
    """Return why a passphrase does not count, or None; ``who`` is the name of the browser or session that sent it.

    After five wrong passphrases the same browser has to wait before the next is checked. Browsers that are not
    known share one queue, in which each wrong answer is delayed, longer with each one: a person's known browser is
    never behind them.
    """
    # Browsers without a token share one count. A wait would keep all of them out, so they queue instead (below).
    wait = 0 if who == sessions.STRANGERS else math.ceil(context.tries.wait(who).total_seconds())
    if wait:
        message = f"Too many wrong passphrases from this browser. The next one is looked at in {wait} seconds."
        return LockFault(HTTPStatus.TOO_MANY_REQUESTS, message)
    if is_known:
        return await _looked_at(context, given, who)
    if context.strangers.length >= MOST_IN_LINE:
        return LockFault(HTTPStatus.TOO_MANY_REQUESTS, IN_LINE)
    context.strangers.length += 1
    try:
        async with context.strangers.lock:
            fault = await _looked_at(context, given, who, sessions.STRANGERS)
            if fault:
                await context.pause(context.tries.pause(sessions.STRANGERS))
            return fault
    finally:
        context.strangers.length -= 1


async def _looked_at(context: PageContext, given: str, *who: str) -> LockFault | None:
    async with context.one_at_a_time:
        try:
            await asyncio.to_thread(passphrase.check_passphrase, context.safe, given[:LONGEST])
        except ApprovalError as error:
            context.tries.was_wrong(*dict.fromkeys(who))
            number = context.tries.wrong(who[-1])
            await context.app.records.note(
                "passphrase.wrong", actors.PAGE, browser=who[0][:12], one_after_another=number
            )
            return LockFault(HTTPStatus.FORBIDDEN, str(error))
        if who[0] != sessions.STRANGERS:
            context.tries.was_right(who[0])
    return None


async def presence_fault(page_request: PageRequest) -> LockFault | None:
    """Return why an approval cannot be taken as the person's, or None.

    The form carries the session's second secret, or the passphrase; where people sign in and nobody chose one, the
    sign-in is all there is. Where passkeys are registered the engine demands a signature besides; a request that
    passes this check also admits this page's origin for signatures.
    """
    if page_request.unlocked.has_passphrase and not page_request.unlocked.holds(page_request.form.get("key", "")):
        given = page_request.form.get("passphrase", "")
        fault: LockFault | None = LockFault(HTTPStatus.FORBIDDEN, AGAIN)
        if given:
            fault = await passphrase_fault(
                page_request.context, given, who=page_request.unlocked.name, is_known=True
            )
        if fault:
            return fault._replace(asks=True)
    passkeys.admit_code(page_request.context.safe, origin=page_request.context.place.origin)
    return None
