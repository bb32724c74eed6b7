"""What an attempt proves, and whether another one follows: decisions on values alone.

Three kinds of call. A read may be repeated. A write with a deduplication key may be repeated with the very same
key and body. A write without one is attempted **once**, whatever happens: when its request may have left, nobody
knows what became of it until somebody looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

ATTEMPTS = 3
FIRST_DELAY = 0.5
LONGEST_DELAY = 8.0
LONGEST_RETRY_AFTER = 60.0
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
NEVER_ACTED_ON = frozenset({307, 308})  # "send it elsewhere"; the other redirects may follow a finished action


class Effect(StrEnum):
    """What repeating a call would do."""

    READ = "read"
    WRITE_ONCE = "write_once"
    WRITE_KEYED = "write_keyed"


class Fault(StrEnum):
    """How an attempt can end without an answer that says something.

    ``not_sent``: no name, no connection, no TLS, no free connection. ``lost``: sent at least in part, and no
    whole answer. ``unreadable``: a 2xx whose body is cut or is not JSON. ``oversized``: a 2xx too large to read.
    """

    NOT_SENT = "not_sent"
    LOST = "lost"
    UNREADABLE = "unreadable"
    OVERSIZED = "oversized"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one attempt ended: a fault or an HTTP status, and the seconds the vendor asked to wait."""

    fault: Fault | None = None
    status: int = 0
    retry_after: float | None = None


def may_have_acted(ending: Ending) -> bool:
    """Say whether the vendor may have carried the request out.

    A 503 counts as "perhaps": no vendor documents that its 503 means that nothing was done.
    """
    if ending.fault:
        return ending.fault is not Fault.NOT_SENT
    if 400 <= ending.status < 500:
        return ending.status == 408
    return ending.status not in NEVER_ACTED_ON


def is_outage(ending: Ending) -> bool:
    """Say whether an attempt speaks for a vendor that is down: no usable answer or a 5xx, never a 4xx."""
    return ending.fault is not None or ending.status >= 500


def delay_before_next(
    effect: Effect, ending: Ending, *, attempt: int, jitter: float, remaining: float
) -> float | None:
    """Return the seconds to wait before the next attempt, or None when this one was the last.

    ``attempt`` counts from 1; ``jitter`` is a random number from 0 to 1; ``remaining`` are the seconds left of
    the whole call. A wait that does not fit into them, or that the vendor wants longer than a minute, is left to
    the caller.
    """
    if effect is Effect.WRITE_ONCE or attempt >= ATTEMPTS or not _may_pass(ending):
        return None
    asked = ending.retry_after or 0.0
    wait = asked + jitter * min(LONGEST_DELAY, FIRST_DELAY * 2 ** (attempt - 1))
    return wait if asked <= LONGEST_RETRY_AFTER and wait < remaining else None


def _may_pass(ending: Ending) -> bool:
    return ending.status in PASSING if ending.fault is None else ending.fault is not Fault.OVERSIZED


def seconds_asked(retry_after: str | None, *, date: str | None, now: datetime) -> float | None:
    """Return what a ``Retry-After`` asks for in seconds, or None when it says nothing that can be read.

    Both forms of RFC 9110, 10.2.3. A point in time is compared with the answer's own ``Date``, so a vendor's
    clock that runs fast or slow changes nothing; ``now`` stands in where there is no ``Date``.
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    at = http_date(text)
    return max(0.0, (at - (http_date(date) or now)).total_seconds()) if at else None


def http_date(text: str | None) -> datetime | None:
    """Return an HTTP date as an aware time, or None."""
    try:
        at = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
