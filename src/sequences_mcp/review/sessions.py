"""Who is unlocked: sessions in this process's memory.

Nothing of a session is written down: a restart locks the page, and nobody can read a key to it in a file.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

COOKIE = "sequences_review"
LASTS = timedelta(hours=12)
MOST = 32


@dataclass(slots=True, kw_only=True)
class Reading:
    """What a person has had before them.

    ``opened`` holds the digest of each text that was on the screen in full, by the key of its step, and of what a
    vendor is given about a person, by the id of their sequence; ``samples`` the people of each plan of whom all
    there is to read was on it; ``seen``, by the digest of a plan, the number of the last audit
    row when that state of it was first shown.
    """

    opened: dict[str, str] = field(default_factory=dict)
    samples: dict[str, set[str]] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Session(Reading):
    """One browser that a person unlocked.

    ``csrf`` is in every form; ``key`` is the hash of what the page's script keeps in this browser for this port
    alone, while cookies go to every port of the machine; ``challenge`` belongs to a passkey that is being
    registered.
    """

    csrf: str
    ends_at: datetime
    key: bytes | None = None
    challenge: bytes | None = None

    @property
    def name(self) -> str:
        """What tells this session from others where something is counted; good for nothing else."""
        return sha256(f"name of {self.csrf}".encode()).hexdigest()

    def owns(self, csrf: str) -> bool:
        """Say whether a form is one of this session's."""
        return hmac.compare_digest(csrf.encode(), self.csrf.encode())

    def new_key(self) -> str:
        """Return a second secret for the page's script, handed out once; only its hash is kept."""
        secret = secrets.token_urlsafe(32)
        self.key = _key(secret)
        return secret

    def holds(self, secret: str) -> bool:
        """Say whether this is the second secret."""
        return self.key is not None and hmac.compare_digest(_key(secret), self.key)


class Sessions:
    """The browsers that are unlocked."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._live: dict[bytes, Session] = {}

    def begin(self) -> tuple[str, Session]:
        """Return the secret of a new session, for its cookie, and the session."""
        self._forget_old()
        token = secrets.token_urlsafe(32)
        session = Session(csrf=secrets.token_urlsafe(32), ends_at=self._clock() + LASTS)
        self._live[_key(token)] = session
        return token, session

    def find(self, token: str | None) -> Session | None:
        """Return the session a cookie belongs to while it lasts."""
        session, now = self._live.get(_key(token)) if token else None, self._clock()
        if session is not None:
            session.ends_at = min(session.ends_at, now + LASTS)  # it may have begun while the clock was ahead
        return session if session is not None and now < session.ends_at else None

    def end(self, token: str | None) -> None:
        """Lock one browser."""
        if token:
            self._live.pop(_key(token), None)

    def _forget_old(self) -> None:
        now = self._clock()
        kept = [(key, one) for key, one in self._live.items() if now < one.ends_at]
        self._live = dict(kept[-MOST + 1 :])


def _key(token: str) -> bytes:
    return sha256(token.encode()).digest()
