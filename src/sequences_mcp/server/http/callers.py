"""Who calls over HTTP: made of a token where a request comes in, and what every tool of it is done as."""

from __future__ import annotations

import hmac
import os
import stat
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from sequences_mcp.domain.actors import AGENT, Actor
from sequences_mcp.errors import SettingsError
from sequences_mcp.lazy_dataclasses import dataclass, field, replace
from sequences_mcp.server.app import OpenContext, OpenedContext
from sequences_mcp.server.http.access import SCOPES

if TYPE_CHECKING:
    from sequences_mcp.context import AppContext

LEAST_TOKEN, MOST_TOKEN = 32, 4_096  # characters of the token of a file
MOST_CONTEXTS = 64
PLACE = "on the server's own machine"
NOBODY = " "  # who reads where no request is answered: no subject has a space in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whom a request is made for.

    ``subject`` tells one user from another, ``client`` is the program they use, ``scopes`` what they let it do.
    ``is_everybody``: all who call are this one user, who has nobody to keep anything from.
    """

    subject: str
    client: str = ""
    scopes: frozenset[str] = frozenset()
    is_everybody: bool = False

    @property
    def actor(self) -> Actor:
        """Who the audit names: a model, on behalf of this user. An agent approves nothing."""
        return AGENT.with_detail(self.subject)


@dataclass(slots=True)
class CallRecord:
    """One request while it is answered; ``rpc`` and ``tool`` are filled in by what reads its body."""

    caller: Caller
    tenant: str = ""
    rpc: str = ""
    tool: str = ""
    failed: bool = False


# Set for each request, before it is passed on. The SDK carries it over to the task in which a call is made.
CURRENT: ContextVar[CallRecord | None] = ContextVar("http_call", default=None)
# Returns whom a token stands for, or None where it is not valid.
Verify = Callable[[str], Awaitable[Caller | None]]


class CallersContext(OpenedContext):
    """The context of the tools, opened once, as whoever the present request is made for.

    Nothing is asked inside the chat, by a dialog or in a panel: what answers there is the client of whoever holds
    the token, and no token approves anything. Where a person decides is told with the words of ``place``.
    """

    def __init__(self, open_context: OpenContext, *, place: str = PLACE) -> None:
        super().__init__(open_context)
        self._place = place
        self._of: OrderedDict[tuple[str, str], AppContext] = OrderedDict()  # by who calls, and as whom they read

    async def get(self) -> AppContext:
        """Return the context of the present caller; SequencesError says why it cannot be opened."""
        call, reader = CURRENT.get(), self.reader()
        who = "" if call is None else call.caller.subject, reader
        if who not in self._of or self._is_closed:
            app = await self.whole()
            acting = app.acting_as(AGENT if call is None else call.caller.actor, reader=reader)
            acting = acting.for_member(call.caller.subject) if call else acting
            self._of[who] = replace(acting, elicitation=False, place=self._place)
            if len(self._of) > MOST_CONTEXTS:
                self._of.popitem(last=False)
        self._of.move_to_end(who)
        return self._of[who]

    def reader(self) -> str:
        """Return the present caller, who sees their own."""
        call = CURRENT.get()
        if call is None:
            return NOBODY
        return "" if call.caller.is_everybody else call.caller.subject

    async def close(self) -> None:
        """Close what was opened, and open nothing until ``begin``."""
        await super().close()
        self._of.clear()


ONE_USER = Caller(subject="token-file", scopes=frozenset(SCOPES), is_everybody=True)


@dataclass(slots=True)
class TokenFileCheck:
    """The token of a file that only its owner reads; whoever has it is the one user of this server.

    The file is looked at for each request, so that a new token holds at once, and none does without the file.
    """

    path: Path
    _known: tuple[int, ...] | None = field(default=None, init=False)
    _token: bytes = field(default=b"", init=False, repr=False)

    def require_sound(self) -> None:
        """Raise SettingsError where the file is not there, others may read it, or it holds no token."""
        self._read()

    async def verify(self, token: str) -> Caller | None:
        """Return the one user for the token of the file; the time this takes tells at most the token's length."""
        try:
            self._read()
        except SettingsError:
            return None
        return ONE_USER if hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self._token) else None

    def _read(self) -> None:
        try:
            if self._known == _version(self.path.stat()):
                return
            descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a pipe would never open
        except OSError as error:
            raise self._wrong(f"it cannot be read ({error.strerror})") from error
        try:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                raise self._wrong("it is no file")
            if os.name == "posix" and state.st_mode & 0o077:
                raise self._wrong("others than its owner may read it: chmod 600")
            token = os.read(descriptor, MOST_TOKEN + 2).strip()
        finally:
            os.close(descriptor)
        if not LEAST_TOKEN <= len(token) <= MOST_TOKEN or not token.isascii() or len(token.split()) != 1:
            raise self._wrong(f"it has to hold one token of {LEAST_TOKEN} to {MOST_TOKEN} characters")
        self._token, self._known = token, _version(state)

    def _wrong(self, why: str) -> SettingsError:
        self._known, self._token = None, b""
        return SettingsError(
            f"{self.path} is no token file: {why}.",
            next_step="Delete it, and serve makes a new one; or put a long random text into it.",
        )


def _version(state: os.stat_result) -> tuple[int, ...]:
    """Return what differs once a file, its rights or its owner were changed, or another took its place."""
    return state.st_dev, state.st_ino, state.st_mode, state.st_mtime_ns, state.st_ctime_ns, state.st_size
