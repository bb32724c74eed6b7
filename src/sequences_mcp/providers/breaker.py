"""A circuit breaker: when a vendor is down, say so at once instead of asking again.

"The breaker is open" is the one failure that is certain: nothing was sent. A 4xx never opens it, because a vendor
that refuses is up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

STRAIGHT = 5
WINDOW = 30.0
WINDOW_CALLS = 20
OPEN_FOR = 30.0
PROBE_LEASE = 90.0  # longer than any call: a probe whose caller vanished does not keep the breaker open


@dataclass(frozen=True, slots=True)
class Breaker:
    """What the last attempts were like; times are monotonic seconds.

    ``recent`` holds the instant of each attempt of the last half minute and whether it failed; ``shut_until`` is
    None while the breaker is closed; ``probe_until`` while nobody is finding out whether the vendor is back.
    """

    straight: int = 0
    recent: tuple[tuple[float, bool], ...] = ()
    shut_until: float | None = None
    probe_until: float | None = None


def admit(breaker: Breaker, now: float) -> tuple[Breaker, float]:
    """Return the breaker after asking to pass, and the seconds until it makes sense to ask again: 0 to pass.

    After half a minute one caller passes, as the probe; the others wait for what it finds.
    """
    if breaker.shut_until is None:
        return breaker, 0.0
    blocked_until = max(breaker.shut_until, breaker.probe_until or 0.0)
    if now < blocked_until:
        return breaker, blocked_until - now
    return replace(breaker, probe_until=now + PROBE_LEASE), 0.0


def record(breaker: Breaker, now: float, *, failed: bool) -> Breaker:
    """Return the breaker after one more attempt; any success closes it."""
    if not failed and breaker.shut_until is not None:
        return Breaker()
    recent = (*((at, bad) for at, bad in breaker.recent if at > now - WINDOW), (now, failed))
    straight = breaker.straight + 1 if failed else 0
    opens = failed and (straight >= STRAIGHT or _half_failed(recent))
    shut_until = now + OPEN_FOR if opens else breaker.shut_until
    return Breaker(straight, recent[-200:], shut_until, None)


def _half_failed(recent: tuple[tuple[float, bool], ...]) -> bool:
    return len(recent) >= WINDOW_CALLS and sum(bad for _, bad in recent) * 2 >= len(recent)
