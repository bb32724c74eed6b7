"""What lets a call out: the breaker of a vendor, and a bucket for its reads and one for its writes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sequences_mcp.providers import breaker, bucket
from sequences_mcp.providers.breaker import Breaker
from sequences_mcp.providers.conclusion import Barred
from sequences_mcp.providers.retry import Effect, Ending, http_date, is_outage
from sequences_mcp.providers.timing import Clockwork
from sequences_mcp.providers.vendor import Request, Vendor

LEFT_FOR_A_CALL = 15.0  # seconds; a write that waited for its turn must still have time to hear its answer
OLDEST_RESET = 10_000_000  # a smaller X-RateLimit-Reset counts seconds from now, a greater one is a Unix time


class Gate:
    """The present breaker and buckets of one vendor. State changes between awaits only."""

    def __init__(self, vendor: Vendor, clockwork: Clockwork) -> None:
        now = clockwork.monotonic()
        self._clockwork = clockwork
        self._breaker = Breaker()
        self._buckets = {
            True: bucket.full(vendor.reads_per_minute, now),
            False: bucket.full(vendor.writes_per_minute, now),
        }

    async def admit(self, request: Request, *, remaining: float) -> Barred | None:
        """Wait for a token and return None, or return what bars the way for longer than remains."""
        if request.safe:
            return None
        now, is_read = self._clockwork.monotonic(), request.effect is Effect.READ
        after, seconds = bucket.take(self._buckets[is_read], now)
        if seconds and seconds >= remaining - LEFT_FOR_A_CALL:
            return Barred(is_down=False, seconds=seconds)
        self._breaker, shut = breaker.admit(self._breaker, now)
        if shut:
            return Barred(is_down=True, seconds=shut)
        self._buckets[is_read] = after
        if seconds:
            await self._clockwork.sleep(seconds)
        return None

    def record(self, request: Request, ending: Ending, headers: Mapping[str, str]) -> None:
        """Take note of how an attempt ended and of the limits its answer tells."""
        now = self._clockwork.monotonic()
        self._breaker = breaker.record(self._breaker, now, failed=is_outage(ending))
        is_read = request.effect is Effect.READ
        after = bucket.told(
            self._buckets[is_read],
            now,
            remaining=_count(headers.get("x-ratelimit-remaining")),
            reset_in=reset_in(headers, self._clockwork.now()),
        )
        if ending.status == 429:
            after = bucket.shut(after, now + (ending.retry_after or 0.0))
        self._buckets[is_read] = after


def reset_in(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return in how many seconds a limit begins anew, by the vendor's own clock where the answer has a Date."""
    count = _count(headers.get("x-ratelimit-reset"))
    if count is None or count < OLDEST_RESET:
        return count
    return max(0.0, count - (http_date(headers.get("date")) or now).timestamp())


def _count(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else None
