"""One request as the screens see it, and whether the person is at this browser."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import parse_qs

from jinja2 import Environment
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from sequences_mcp.context import AppContext
from sequences_mcp.errors import ApprovalError, InvalidArgumentsError
from sequences_mcp.review.lock import passkeys, passphrase, sessions
from sequences_mcp.review.lock.sessions import COOKIE, Session, Sessions, Tries

ACTOR = "page"
Pause: TypeAlias = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class LockQueue:
    """Browsers that were never unlocked, one behind the other while their passphrases are looked at."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContext:
    """What every screen works with."""

    app: AppContext
    data_dir: Path
    authority: str
    sessions: Sessions
    tries: Tries
    pages: Environment
    pause: Pause = asyncio.sleep
    strangers: LockQueue = field(default_factory=LockQueue)
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """A request that passed the gate; ``form`` is empty unless it is a POST."""

    room: PageContext
    request: Request
    form: Mapping[str, str]
    session: Session | None

    @property
    def app(self) -> AppContext:
        """Where the product's verbs work."""
        return self.room.app

    @property
    def own(self) -> Session:
        """The session; only for screens behind the lock."""
        assert self.session is not None
        return self.session

    @property
    def now(self) -> datetime:
        """The present instant."""
        return self.room.app.clock()

    @property
    def page(self) -> int:
        """The page of a list that is asked for; InvalidArgumentsError."""
        return whole_number(self.request.query_params.get("page", "1"), name="page")

    def named(self, name: str) -> str:
        """Return a part of the path."""
        return str(self.request.path_params[name])

    def shows(self, template: str, *, status: int = 200, **facts: Any) -> Response:
        """Return a page made from a template."""
        text = self.room.pages.get_template(template).render(
            session=self.session, csrf=self._csrf, here=self.request.url.path, now=self.now, **facts
        )
        return HTMLResponse(text.encode("utf-8", "replace"), status_code=status)

    def _csrf(self) -> Markup:
        return Markup('<input type="hidden" name="csrf" value="{}">').format(self.own.csrf)

    @property
    def signature(self) -> str | None:
        """What a passkey signed for the form, with the origin of this page, or None."""
        given = self.form.get("signature")
        return passkeys.kept_keys(given, authority=self.room.authority) if given else None

    @property
    def actor(self) -> str:
        """Who approves, as the audit names them: by passkey where one signed."""
        return f"{ACTOR}:passkey" if self.signature else ACTOR

    @property
    def key_ids(self) -> list[str]:
        """The registered passkeys that can sign."""
        return [key.id for key in passkeys.registered(self.room.data_dir)]

    def goes(self, path: str) -> Response:
        """Return the way to another screen, after something was done."""
        return RedirectResponse(path, status_code=303)

    def lit(self, response: Response, token: str, *, seconds: int) -> Response:
        """Return a response that gives the browser its session."""
        response.set_cookie(COOKIE, token, max_age=seconds, path="/", httponly=True, samesite="strict")
        return response


def whole_number(text: str, *, name: str) -> int:
    """Return a number from 1 to a million that somebody typed, with or without separators."""
    plain = text.strip().replace(",", "").replace("\u202f", "").replace(" ", "")
    if not plain.isascii() or not plain.isdigit() or not 1 <= int(plain[:8]) <= 1_000_000:
        raise InvalidArgumentsError(f"{text[:20]!r} is not a {name} number.", next_step="Write it in digits.")
    return int(plain[:8])


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form, the first of each name; line breaks as they are stored."""
    body = (await request.body()).decode("utf-8", "replace")
    fields = parse_qs(body, keep_blank_values=True, max_num_fields=200)
    return {name: values[0].replace("\r\n", "\n") for name, values in fields.items()}


def local_path(text: str) -> str:
    """Return a path of this page from what a form says, the front page for anything else."""
    is_ours = text.startswith("/") and not text.startswith(("//", "/\\")) and "\\" not in text
    return text if is_ours and text.isprintable() else "/"


LONGEST = 1024
MOST_IN_LINE = 6
IN_LINE = (
    "Many passphrases are being tried here by browsers that were never unlocked. Try again in a minute, use a "
    "browser in which you unlocked this page before, or decide in a terminal: sequences-mcp review list."
)
AGAIN = "Type your passphrase again: this browser did not show that it is the one you unlocked."


class LockFault(NamedTuple):
    """Why something was not done; ``asks`` when the passphrase has to be typed for it."""

    status: HTTPStatus
    words: str
    asks: bool = False


def lock_facts(page_request: PageRequest, fault: LockFault | None) -> dict[str, Any]:
    """Return what a page with a yes on it needs: why something was not done, and how to show who is there."""
    return {
        "status": fault.status if fault else HTTPStatus.OK,
        "told": fault.words if fault else "",
        "key_ids": page_request.key_ids,
        "asks": page_request.own.key is None or (fault is not None and fault.asks),
    }


async def passphrase_fault(room: PageContext, given: str, *, who: str, is_known: bool) -> LockFault | None:
    """Return why a passphrase does not count, or None. ``who`` typed it: a browser or a session, by its name.

    Five wrong ones, and the next of the same one has to wait. Whoever is not known waits in one line with all the
    others who are not: each wrong answer is held back a little, the longer the more there were.
    """
    wait = 0 if who == sessions.STRANGERS else math.ceil(room.tries.wait(who).total_seconds())
    if wait:
        told = f"Too many wrong passphrases from this browser. The next one is looked at in {wait} seconds."
        return LockFault(HTTPStatus.TOO_MANY_REQUESTS, told)
    if is_known:
        return await _looked_at(room, given, who)
    if room.strangers.length >= MOST_IN_LINE:
        return LockFault(HTTPStatus.TOO_MANY_REQUESTS, IN_LINE)
    room.strangers.length += 1
    try:
        async with room.strangers.lock:
            fault = await _looked_at(room, given, who, sessions.STRANGERS)
            if fault:
                await room.pause(room.tries.pause(sessions.STRANGERS))
            return fault
    finally:
        room.strangers.length -= 1


async def _looked_at(room: PageContext, given: str, *who: str) -> LockFault | None:
    async with room.one_at_a_time:
        try:
            await asyncio.to_thread(passphrase.check_passphrase, room.data_dir, given[:LONGEST])
        except ApprovalError as error:
            room.tries.was_wrong(*dict.fromkeys(who))
            number = room.tries.wrong(who[-1])
            await room.app.records.note("passphrase.wrong", ACTOR, browser=who[0][:12], one_after_another=number)
            return LockFault(HTTPStatus.FORBIDDEN, str(error))
        if who[0] != sessions.STRANGERS:
            room.tries.was_right(who[0])
    return None


async def presence_fault(page_request: PageRequest) -> LockFault | None:
    """Return why a decision that lets something go is not the person's, or None.

    Where passkeys are registered the engine asks for a signature besides. Whoever has shown here that they are the
    one who unlocked this browser may sign at this page's address from now on.
    """
    if not page_request.own.holds(page_request.form.get("key", "")):
        given = page_request.form.get("passphrase", "")
        found: LockFault | None = LockFault(HTTPStatus.FORBIDDEN, AGAIN)
        if given:
            found = await passphrase_fault(page_request.room, given, who=page_request.own.name, is_known=True)
        if found:
            return found._replace(asks=True)
    passkeys.admit_code(page_request.room.data_dir, authority=page_request.room.authority)
    return None
