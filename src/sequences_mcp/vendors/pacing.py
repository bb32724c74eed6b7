"""When a request to a vendor may leave: a circuit breaker, and a token bucket each for reads and writes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from sequences_mcp.lazy_dataclasses import dataclass, replace
from sequences_mcp.vendors.outcome import Effect, Ending, Throttled, VendorApi, VendorRequest, http_date, is_outage


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds: four kinds of silence, as httpx counts them, and the whole call with its waits and attempts."""

    connect: float = 5.0
    pool: float = 5.0
    write: float = 10.0
    read: float = 30.0
    total: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Elapsed:
    """How time passes between calls: monotonic seconds, and a sleep for some of them."""

    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clockwork:
    """Time and randomness, passed in.

    The aware time of day, monotonic seconds, a sleep in seconds, and a random number from 0 to 1.
    """

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    random: Callable[[], float]


STRAIGHT = 5
FAILURE_WINDOW = 30.0
WINDOW_CALLS = 20
OPEN_FOR = 30.0
PROBE_LEASE = 90.0  # longer than any call: after it, another caller may be the probe


@dataclass(frozen=True, slots=True)
class Breaker:
    """The circuit breaker of one vendor; times are monotonic seconds.

    ``recent`` holds the instant of each attempt of the last half minute and whether it failed; ``shut_until`` is
    None while the breaker is closed; ``probe_until`` while nobody is finding out whether the vendor is back.
    """

    straight: int = 0
    recent: tuple[tuple[float, bool], ...] = ()
    shut_until: float | None = None
    probe_until: float | None = None


def breaker_admits(breaker: Breaker, now: float) -> tuple[Breaker, float]:
    """Return the breaker after a request asked to leave, and the seconds until it may ask again: 0 to leave now.

    After half a minute one caller passes, as the probe; the others wait for what it finds.
    """
    if breaker.shut_until is None:
        return breaker, 0.0
    blocked_until = max(breaker.shut_until, breaker.probe_until or 0.0)
    if now < blocked_until:
        return breaker, blocked_until - now
    return replace(breaker, probe_until=now + PROBE_LEASE), 0.0


def record_call(breaker: Breaker, now: float, *, failed: bool) -> Breaker:
    """Return the breaker after one more attempt; any success closes it."""
    if not failed and breaker.shut_until is not None:
        return Breaker()
    recent = (*((at, bad) for at, bad in breaker.recent if at > now - FAILURE_WINDOW), (now, failed))
    straight = breaker.straight + 1 if failed else 0
    opens = failed and (straight >= STRAIGHT or _half_failed(recent))
    shut_until = now + OPEN_FOR if opens else breaker.shut_until
    return Breaker(straight, recent[-200:], shut_until, None)


def _half_failed(recent: tuple[tuple[float, bool], ...]) -> bool:
    return len(recent) >= WINDOW_CALLS and sum(bad for _, bad in recent) * 2 >= len(recent)


BURST_SHARE = 4
WINDOW = 60.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """Tokens counted at the instant ``at`` (monotonic seconds); ``per_minute`` None is "no limit published".

    Tokens below zero are promised to callers that are waiting. Nothing leaves before ``shut_until``.
    """

    per_minute: int | None
    tokens: float
    at: float
    shut_until: float = 0.0

    @property
    def burst(self) -> int:
        """How many calls may leave at once."""
        return max(1, (self.per_minute or 0) // BURST_SHARE)

    @property
    def per_second(self) -> float:
        """How many tokens come back each second."""
        return max(1.0, (self.per_minute or 0) - self.burst) / WINDOW


def full_bucket(per_minute: int | None, now: float) -> Bucket:
    """Return a bucket nothing was taken from."""
    bucket = Bucket(per_minute, 0.0, now)
    return replace(bucket, tokens=float(bucket.burst))


def take_token(bucket: Bucket, now: float) -> tuple[Bucket, float]:
    """Return the bucket with one token less and the seconds to wait before using it."""
    shut = max(0.0, bucket.shut_until - now)
    if bucket.per_minute is None:
        return bucket, shut
    left = _refilled(bucket, now) - 1
    return replace(bucket, tokens=left, at=now), max(shut, -left / bucket.per_second)


def bucket_updated(bucket: Bucket, now: float, *, remaining: int | None, reset_in: float | None) -> Bucket:
    """Return the bucket after a vendor's own count: what remains, and in how many seconds it begins anew."""
    if remaining is None:
        return bucket
    if remaining <= 0:
        bucket = replace(bucket, shut_until=max(bucket.shut_until, now + (reset_in or 0.0)))
    return replace(bucket, tokens=min(_refilled(bucket, now), float(remaining)), at=now)


def shut_bucket(bucket: Bucket, until: float) -> Bucket:
    """Return the bucket closed until an instant, as a 429 answer asks."""
    return replace(bucket, shut_until=max(bucket.shut_until, until))


def _refilled(bucket: Bucket, now: float) -> float:
    return min(float(bucket.burst), bucket.tokens + max(0.0, now - bucket.at) * bucket.per_second)


LEFT_FOR_A_CALL = 15.0  # seconds; a write that waited for its turn must still have time to hear its answer
OLDEST_RESET = 10_000_000  # a smaller X-RateLimit-Reset counts seconds from now, a greater one is a Unix time


class Pacer:
    """The present breaker and buckets of one vendor. State changes between awaits only."""

    def __init__(self, vendor: VendorApi, clockwork: Clockwork) -> None:
        now = clockwork.monotonic()
        self._clockwork = clockwork
        self._breaker = Breaker()
        self._probe: VendorRequest | None = None
        self._buckets = {
            True: full_bucket(vendor.reads_per_minute, now),
            False: full_bucket(vendor.writes_per_minute, now),
        }

    async def admit(self, request: VendorRequest, *, remaining: float) -> Throttled | None:
        """Wait for a token and return None; Throttled where that would take longer than ``remaining`` seconds."""
        if request.safe:
            return None
        now, is_read = self._clockwork.monotonic(), request.effect is Effect.READ
        after, seconds = take_token(self._buckets[is_read], now)
        if seconds and seconds >= remaining - LEFT_FOR_A_CALL:
            return Throttled(is_down=False, seconds=seconds)
        before = self._breaker
        self._breaker, shut = breaker_admits(before, now)
        if shut:
            return Throttled(is_down=True, seconds=shut)
        if self._breaker is not before:
            self._probe = request
        self._buckets[is_read] = after
        if seconds:
            await self._clockwork.sleep(seconds)
        return None

    def give_up(self, request: VendorRequest) -> None:
        """Take note that a call was cancelled: if it was the probe, the next caller is one."""
        if self._probe is request:
            self._breaker = replace(self._breaker, probe_until=None)

    def record(self, request: VendorRequest, ending: Ending, headers: Mapping[str, str]) -> None:
        """Take note of how an attempt ended and of the limits its answer tells."""
        now = self._clockwork.monotonic()
        self._breaker = record_call(self._breaker, now, failed=is_outage(ending))
        is_read = request.effect is Effect.READ
        after = bucket_updated(
            self._buckets[is_read],
            now,
            remaining=_count(headers.get("x-ratelimit-remaining")),
            reset_in=reset_in(headers, self._clockwork.now()),
        )
        if ending.status == 429:
            after = shut_bucket(after, now + (ending.retry_after or 0.0))
        self._buckets[is_read] = after


def reset_in(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return in how many seconds a limit begins anew, by the vendor's own clock where the answer has a Date."""
    count = _count(headers.get("x-ratelimit-reset"))
    if count is None or count < OLDEST_RESET:
        return count
    return max(0.0, count - (http_date(headers.get("date")) or now).timestamp())


def _count(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else None
