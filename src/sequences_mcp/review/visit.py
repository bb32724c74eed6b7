"""One request as the screens see it, and what all screens share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qs

from jinja2 import Environment
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.flows.desk import Desk
from sequences_mcp.review import passkeys
from sequences_mcp.review.sessions import COOKIE, Session, Sessions
from sequences_mcp.review.tries import Tries

ACTOR = "page"
Pause: TypeAlias = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class Queue:
    """Browsers that were never unlocked, one behind the other while their passphrases are looked at."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What every screen works with."""

    desk: Desk
    data_dir: Path
    authority: str
    sessions: Sessions
    tries: Tries
    pages: Environment
    pause: Pause = asyncio.sleep
    strangers: Queue = field(default_factory=Queue)
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request that passed the gate; ``form`` is empty unless it is a POST."""

    room: Room
    request: Request
    form: Mapping[str, str]
    session: Session | None

    @property
    def desk(self) -> Desk:
        """Where the product's verbs work."""
        return self.room.desk

    @property
    def own(self) -> Session:
        """The session; only for screens behind the lock."""
        assert self.session is not None
        return self.session

    @property
    def now(self) -> datetime:
        """The present instant."""
        return self.room.desk.clock()

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
        return passkeys.kept(given, authority=self.room.authority) if given else None

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
