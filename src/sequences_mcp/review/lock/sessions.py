"""Browser sessions that a person unlocked, in memory, and the counts of wrong passphrases, which are kept."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from sequences_mcp.lazy_dataclasses import asdict, dataclass, field
from sequences_mcp.ports.safekeeping import KeptRecord, Safekeeping

COOKIE = "sequences_review"
LASTS = timedelta(hours=12)
MOST_SESSIONS = 32


@dataclass(slots=True, kw_only=True)
class Reading:
    """What was shown to a person in full.

    ``opened`` holds the digest of each text that was on the screen in full, by the key of its step, and of what a
    vendor is given about a person, by the id of their sequence; ``samples`` the people of each plan of whom all
    there is to read was on it; ``seen``, by a state of a plan (``presentation.state_shown``), the number
    of the last audit row when that state of it was first shown.
    """

    opened: dict[str, str] = field(default_factory=dict)
    samples: dict[str, set[str]] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Session(Reading):
    """One browser that a person unlocked.

    ``csrf`` is in every form. ``key`` is the hash of a second secret that the page's script keeps in localStorage:
    unlike a cookie, which a browser sends to every port of localhost, it is readable by this origin alone.
    ``challenge`` belongs to a passkey that is being registered. ``subject`` is whoever had signed in;
    ``has_passphrase`` is False where they did and no passphrase was chosen.
    """

    csrf: str
    ends_at: datetime
    key: bytes | None = None
    challenge: bytes | None = None
    subject: str = ""
    has_passphrase: bool = True

    @property
    def name(self) -> str:
        """A public identifier of this session, for the counts of wrong passphrases; it authorises nothing."""
        return sha256(f"name of {self.csrf}".encode()).hexdigest()

    def owns(self, csrf: str) -> bool:
        """Say whether a form's CSRF token is this session's."""
        return hmac.compare_digest(csrf.encode(), self.csrf.encode())

    def new_key(self) -> str:
        """Return a new second secret for the page's script; only its hash is stored."""
        secret = secrets.token_urlsafe(32)
        self.key = _key(secret)
        return secret

    def holds(self, secret: str) -> bool:
        """Say whether this is the second secret."""
        return self.key is not None and hmac.compare_digest(_key(secret), self.key)


class Sessions:
    """The browsers that are unlocked, in this process's memory, by the hash of their cookie."""

    def __init__(self, clock: Callable[[], datetime], *, most: int = MOST_SESSIONS) -> None:
        self._clock = clock
        self._most = most
        self._live: dict[bytes, Session] = {}

    def begin(self, *, subject: str = "", has_passphrase: bool = True) -> tuple[str, Session]:
        """Start a session; return its secret, which goes into the cookie, and the session."""
        self._forget_old()
        token = secrets.token_urlsafe(32)
        session = Session(
            csrf=secrets.token_urlsafe(32),
            ends_at=self._clock() + LASTS,
            subject=subject,
            has_passphrase=has_passphrase,
        )
        self._live[_key(token)] = session
        return token, session

    def find(self, token: str | None) -> Session | None:
        """Return the session a cookie belongs to while it lasts."""
        session, now = self._live.get(_key(token)) if token else None, self._clock()
        if session is not None:
            session.ends_at = min(
                session.ends_at, now + LASTS
            )  # a session that began while the clock was ahead must not last longer
        return session if session is not None and now < session.ends_at else None

    def end(self, token: str | None) -> None:
        """Lock one browser."""
        if token:
            self._live.pop(_key(token), None)

    def _forget_old(self) -> None:
        now = self._clock()
        live = [(key, session) for key, session in self._live.items() if now < session.ends_at]
        self._live = dict(live[-self._most + 1 :])


def _key(token: str) -> bytes:
    return sha256(token.encode()).digest()


STRANGERS, TERMINAL, PANEL = "strangers", "terminal", "panel"
FREE = 5
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
FORGOTTEN = timedelta(hours=1)
MOST_TRIES = 64


@dataclass(frozen=True, slots=True)
class Count:
    """How many wrong passphrases were given in a row, and when the last was, as ISO 8601."""

    wrong: int
    last: str

    def is_after(self, now: datetime) -> bool:
        """Say whether the last one was counted by a clock that was ahead."""
        return datetime.fromisoformat(self.last) > now

    def no_later_than(self, now: datetime) -> Count:
        """Return this, dated as of now where a clock that was ahead counted the last one."""
        return Count(self.wrong, now.isoformat()) if self.is_after(now) else self

    def age(self, now: datetime) -> timedelta:
        """Return how long ago the last one was, at least zero."""
        return max(now - datetime.fromisoformat(self.last), timedelta())


class Tries:
    """The counts of a workspace, by who typed: a browser's or session's name, or one of the constants above."""

    def __init__(self, safe: Safekeeping, clock: Callable[[], datetime]) -> None:
        self._safe = safe
        self._clock = clock

    def wrong(self, who: str) -> int:
        """Return how many wrong passphrases count for ``who``."""
        return count.wrong if (count := self._counts().get(who)) else 0

    def wait(self, who: str) -> timedelta:
        """Return for how long no passphrase of ``who`` is checked; it doubles with each wrong one after FREE."""
        self._put_right()
        count = self._counts().get(who)
        if count is None or count.wrong < FREE:
            return timedelta()
        # The exponent is bounded, since a timedelta overflows.
        whole: timedelta = min(FIRST_WAIT * int(2 ** min(count.wrong - FREE, 10)), LONGEST_WAIT)
        return max(whole - count.age(self._clock()), timedelta())

    def pause(self, who: str) -> float:
        """Return for how many seconds the answer to a wrong passphrase is delayed."""
        over = self.wrong(who) - FREE
        return min(FIRST_PAUSE * 2 ** min(over, 10), LONGEST_PAUSE) if over >= 0 else 0.0

    def was_wrong(self, *who: str) -> None:
        """Count a wrong passphrase for each of these."""
        now = self._clock().isoformat()

        def counted(counts: Mapping[str, Count]) -> Mapping[str, Count]:
            # One wrong passphrase may count twice: for the browser that sent it, and for all browsers that are not
            # known.
            more = {name: Count((counts[name].wrong if name in counts else 0) + 1, now) for name in who}
            return {**counts, **more}

        self._change(counted)

    def was_right(self, who: str) -> None:
        """Delete the count of ``who``."""
        if not self.wrong(who):
            return
        self._change(lambda counts: {name: count for name, count in counts.items() if name != who})

    def _put_right(self) -> None:
        """Date counts that lie in the future as of now: a clock that was ahead would make their waits endless."""
        now = self._clock()
        if any(count.is_after(now) for count in self._counts().values()):
            self._change(lambda counts: {who: count.no_later_than(now) for who, count in counts.items()})

    def _counts(self) -> dict[str, Count]:
        try:
            return self._read(self._safe.read(KeptRecord.WRONG_PASSPHRASES))
        except (OSError, ValueError):
            return {}

    def _read(self, text: str | None) -> dict[str, Count]:
        try:
            known = json.loads(text or "")
            counts = {str(name): Count(int(row["wrong"]), str(row["last"])) for name, row in known.items()}
            now = self._clock()
            return {name: count for name, count in counts.items() if count.age(now) < FORGOTTEN}
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}

    def _change(self, change: Callable[[Mapping[str, Count]], Mapping[str, Count]]) -> None:
        try:
            self._safe.change(KeptRecord.WRONG_PASSPHRASES, lambda text: _counts_record(change(self._read(text))))
        except UnicodeDecodeError:  # nothing that this program wrote, so that counting begins anew
            self._safe.write(KeptRecord.WRONG_PASSPHRASES, _counts_record(change({})))


def _counts_record(counts: Mapping[str, Count]) -> str:
    # These three counts are kept whatever their age: many new browsers must not displace them.
    shared = {name: count for name, count in counts.items() if name in (STRANGERS, TERMINAL, PANEL)}
    newest = sorted(counts.items(), key=lambda pair: pair[1].last)[-MOST_TRIES:]
    return json.dumps({name: asdict(count) for name, count in (dict(newest) | shared).items()})
