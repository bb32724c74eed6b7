"""A token bucket: how long to wait so that a vendor's published limit is never met, and what its headers say.

A bucket that starts full can pass its size plus a minute's refill in one minute. So a quarter of the limit is the
burst and the rest the refill: no window of sixty seconds ever sees more than the limit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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


def full(per_minute: int | None, now: float) -> Bucket:
    """Return a bucket nothing was taken from."""
    bucket = Bucket(per_minute, 0.0, now)
    return replace(bucket, tokens=float(bucket.burst))


def take(bucket: Bucket, now: float) -> tuple[Bucket, float]:
    """Return the bucket with one token less and the seconds to wait before using it."""
    shut = max(0.0, bucket.shut_until - now)
    if bucket.per_minute is None:
        return bucket, shut
    left = _refilled(bucket, now) - 1
    return replace(bucket, tokens=left, at=now), max(shut, -left / bucket.per_second)


def told(bucket: Bucket, now: float, *, remaining: int | None, reset_in: float | None) -> Bucket:
    """Return the bucket after a vendor's own count: what remains, and in how many seconds it begins anew."""
    if remaining is None:
        return bucket
    if remaining <= 0:
        bucket = replace(bucket, shut_until=max(bucket.shut_until, now + (reset_in or 0.0)))
    return replace(bucket, tokens=min(_refilled(bucket, now), float(remaining)), at=now)


def shut(bucket: Bucket, until: float) -> Bucket:
    """Return the bucket closed until an instant: what a 429 asks for."""
    return replace(bucket, shut_until=max(bucket.shut_until, until))


def _refilled(bucket: Bucket, now: float) -> float:
    return min(float(bucket.burst), bucket.tokens + max(0.0, now - bucket.at) * bucket.per_second)
