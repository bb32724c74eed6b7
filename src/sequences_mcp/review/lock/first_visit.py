"""The first visit: before a passphrase is chosen the page sets everything up for whoever has the terminal's code.

Nobody holds a secret of this folder before its first passphrase, and any program of the machine can ask the page.
So the terminal prints a code (``sequences-mcp setup --page``) which a person types on the page; it is stored as a
hash, is good once, for ten minutes and five tries. What is typed afterwards stays in this process's memory until
all of it was shown and agreed to; leaving half way leaves everything as it was.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from sequences_mcp.errors import ApprovalError, ConflictError
from sequences_mcp.lazy_dataclasses import dataclass, field

COOKIE = "sequences_first_visit"
LASTS = timedelta(minutes=30)
COMMAND = "sequences-mcp setup --page"


class ClientShown(NamedTuple):
    """A chat client's file: what is put into it, or the problem with it; ``is_new``: there is no file yet.

    ``is_other``: an entry of that name starts another program now, and is replaced.
    """

    name: str
    title: str
    path: str
    block: str
    problem: str
    is_change: bool
    is_new: bool
    is_other: bool = False


class RecognisedProvider(NamedTuple):
    """A mail provider and its servers; ``note`` and ``page`` say what a person has to do there first."""

    title: str
    known_by: str
    smtp: str
    imap: str
    note: str
    page: str
    takes_password: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstState:
    """What is known at first: ``missing`` names which of time zone, window and cap no setting says yet."""

    folder: str
    sender: str
    name: str
    address: str
    time_zone: str
    window: str
    daily_cap: int
    missing: tuple[str, ...]
    clients: tuple[ClientShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAnswers:
    """What a person typed; ``connects``: the mailbox now, else e-mails become files in the outbox folder."""

    name: str = ""
    address: str = ""
    connects: bool = True
    smtp: str = ""
    imap: str = ""
    password: str = field(default="", repr=False)
    imap_password: str = field(default="", repr=False)
    time_zone: str = ""
    window: str = ""
    daily_cap: str = ""
    passphrase: str = field(default="", repr=False)
    clients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPlan:
    """All that would be written; ``probes``: how far a sign-in got at each server: well or not, words, reply."""

    file: str
    table: str
    secret_in: str
    probes: tuple[tuple[bool, str, str], ...]
    clients: tuple[ClientShown, ...]

    @property
    def signs_in(self) -> bool:
        """Whether the mailbox can be signed in at each of its servers."""
        return all(is_well for is_well, _, _ in self.probes)


class FolderSetup(ABC):
    """What sets a data folder up (``first_visit.PageInstaller``); each call may take seconds."""

    @abstractmethod
    def state(self) -> FirstState:
        """Return what is known already."""

    @abstractmethod
    def require_sender(self, name: str, address: str) -> None:
        """Raise InvalidArgumentsError where nobody is named, or in words of a template, or the address is none."""

    @abstractmethod
    def provider(self, address: str) -> RecognisedProvider | None:
        """Return the provider of an address."""

    @abstractmethod
    def planned(self, answers: FirstAnswers) -> FirstPlan:
        """Return what would be written; InvalidArgumentsError, SettingsError."""

    @abstractmethod
    def write(self, answers: FirstAnswers, *, shown: FirstPlan) -> tuple[str, ...]:
        """Write it, or nothing; return what was written. ConflictError where it is not what was ``shown``."""

    @abstractmethod
    def tried(self) -> Iterator[tuple[bool | None, str]]:
        """Send a test message and yield what becomes of it."""


@dataclass(slots=True, kw_only=True)
class SetupSession:
    """One browser that typed the code: its form token, what it typed, whether that is written.

    ``csrf`` stands in the address and the forms of its screens: the cookie alone, which a browser sends to every
    port of localhost, opens nothing. ``shown`` stands in the form below the ``plan`` that it agrees to.
    """

    csrf: str
    cookie: bytes
    ends_at: datetime
    answers: FirstAnswers = field(default_factory=FirstAnswers)
    plan: FirstPlan | None = None
    shown: str = ""
    is_written: bool = False

    def show(self, plan: FirstPlan, answers: FirstAnswers) -> None:
        """Keep what is shown now, for a form that agrees to exactly this."""
        self.plan, self.answers, self.shown = plan, answers, secrets.token_urlsafe(16)

    def forget_plan(self) -> None:
        """Forget what was shown: other answers are typed."""
        self.plan, self.shown = None, ""

    def agreed(self, shown: str) -> FirstPlan:
        """Return the plan that a form agrees to; ConflictError where other answers came after it was shown."""
        same = hmac.compare_digest(shown.encode("utf-8", "replace"), self.shown.encode())
        if self.plan is None or not same:
            raise ConflictError(
                "What you agreed to is not what was shown last; nothing was written.",
                next_step="Go through the screens again, in one window.",
            )
        return self.plan

    def owns(self, csrf: str) -> bool:
        """Say whether a form's token is this visit's."""
        return hmac.compare_digest(csrf.encode("utf-8", "replace"), self.csrf.encode())


@dataclass(slots=True)
class SetupSessions:
    """The visit of this process, one at a time: a later code ends the earlier."""

    setup: FolderSetup | None = None
    session: SetupSession | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def begin(self, now: datetime) -> str:
        """Begin a visit and return the secret of its cookie."""
        token = secrets.token_urlsafe(32)
        self.session = SetupSession(csrf=secrets.token_urlsafe(32), cookie=_key(token), ends_at=now + LASTS)
        return token

    def of(self, token: str, *, now: datetime) -> SetupSession:
        """Return the visit of the browser with this cookie; ApprovalError where it typed no code."""
        session = self.session
        if session is None or not hmac.compare_digest(_key(token), session.cookie) or now >= session.ends_at:
            raise ApprovalError(
                "This browser has typed no code, or too long ago.", next_step=f"Print one: {COMMAND}."
            )
        return session


def _key(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()
