"""Browsers in which somebody signed in, and those that were sent to do so; both in memory, by their cookie's hash.

A sign-in ends an hour after the last request and twelve hours after it began. Whoever signed in is looked up at
the issuer again, without being asked anything, once that is five minutes ago; after ten minutes nothing is done
for them before it was. So a role that is taken away, or a person who is removed, counts within ten minutes.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256

from sequences_mcp.domain.reviewers import Reviewer
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.ports.sign_in import Departure

COOKIE, DEPARTURE_COOKIE = "sequences_sign_in", "sequences_departure"
LASTS, IDLE = timedelta(hours=12), timedelta(hours=1)
ASKED_AGAIN, COUNTS = timedelta(minutes=5), timedelta(minutes=10)
DEPARTURE_LASTS = timedelta(minutes=10)
MOST, MOST_DEPARTURES = 4_096, 4_096


@dataclass(slots=True, kw_only=True)
class SignInSession:
    """One browser in which somebody signed in; ``asked_at`` is when the issuer last said who they are.

    ``csrf`` is in the form that ends it.
    """

    reviewer: Reviewer
    csrf: str
    began: datetime
    asked_at: datetime
    seen: datetime

    def owns(self, csrf: str) -> bool:
        """Say whether a form's CSRF token is this sign-in's."""
        return hmac.compare_digest(csrf.encode("utf-8", "replace"), self.csrf.encode())

    def is_old(self, now: datetime) -> bool:
        """Say whether the issuer is to be asked again where that costs nothing: when a screen is opened."""
        return not timedelta() <= now - self.asked_at < ASKED_AGAIN

    def counts(self, now: datetime) -> bool:
        """Say whether what the issuer said is recent enough to do anything for them."""
        return timedelta() <= now - self.asked_at < COUNTS


class SignInSessions:
    """The browsers of this process in which people are signed in."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._live: dict[bytes, SignInSession] = {}

    def begin(self, reviewer: Reviewer, *, since: datetime | None = None) -> str:
        """Begin one for whoever came back from the issuer; return its secret, which goes into the cookie.

        ``since`` is when they signed in, where they were only looked up again.
        """
        now, token = self._clock(), secrets.token_urlsafe(32)
        sign_in = SignInSession(
            reviewer=reviewer, csrf=secrets.token_urlsafe(32), began=since or now, asked_at=now, seen=now
        )
        live = [(key, known) for key, known in self._live.items() if self._lasts(known, now)]
        self._live = {**dict(live[-MOST + 1 :]), _key(token): sign_in}
        return token

    def find(self, token: str | None) -> SignInSession | None:
        """Return the sign-in a cookie belongs to while it lasts, and note that it is in use."""
        sign_in, now = self._live.get(_key(token)) if token else None, self._clock()
        if sign_in is None or not self._lasts(sign_in, now):
            return None
        sign_in.seen = now
        return sign_in

    def end(self, token: str | None) -> None:
        """End the sign-in of one browser."""
        if token:
            self._live.pop(_key(token), None)

    @staticmethod
    def _lasts(sign_in: SignInSession, now: datetime) -> bool:
        # A clock that was ahead when it began would let it last longer.
        return sign_in.began <= now < sign_in.began + LASTS and sign_in.seen <= now < sign_in.seen + IDLE


class Departures:
    """The browsers that were sent to the issuer and are not back. Each comes back once, within ten minutes."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._away: dict[bytes, Departure] = {}

    def begin(self, *, next_path: str, is_silent: bool) -> tuple[str, Departure]:
        """Return the secret of a browser's cookie, and what is remembered of it."""
        now, token = self._clock(), secrets.token_urlsafe(32)
        departure = Departure(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            next_path=next_path,
            at=now,
            is_silent=is_silent,
        )
        away = [(key, known) for key, known in self._away.items() if now - known.at < DEPARTURE_LASTS]
        self._away = {**dict(away[-MOST_DEPARTURES + 1 :]), _key(token): departure}
        return token, departure

    def take(self, token: str | None, *, state: str) -> Departure | None:
        """Return what is remembered of a browser that is back with its state, once; None for any other."""
        key, now = _key(token or ""), self._clock()
        departure = self._away.get(key)
        if departure is None or not hmac.compare_digest(
            state.encode("utf-8", "replace"), departure.state.encode()
        ):
            return None
        del self._away[key]
        return departure if timedelta() <= now - departure.at < DEPARTURE_LASTS else None


def _key(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()
