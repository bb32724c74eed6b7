"""Page "Rate limits": a rolling minute for each key, reads and writes apart, told in every answer."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta

from sequences_mcp.sandbox.rest.refusal import Refused
from sequences_mcp.sandbox.world.whole import ApiKey, World

WINDOW = timedelta(seconds=60)


def metered(world: World, key: ApiKey, method: str) -> Mapping[str, str]:
    """Count the request and return the headers of what is left; 429 when nothing was."""
    now, is_read = world.now(), method in ("GET", "HEAD")
    limit = world.limits.reads if is_read else world.limits.writes
    recent = world.recent.setdefault((key.token, is_read), deque())
    while recent and recent[0] <= now - WINDOW:
        recent.popleft()
    if len(recent) >= limit:
        raise _exceeded(recent[len(recent) - limit] + WINDOW, limit, now=now)
    recent.append(now)
    return _headers(limit, left=limit - len(recent), reset=recent[0] + WINDOW)


def _exceeded(free_at: datetime, limit: int, *, now: datetime) -> Refused:
    seconds = max(1, math.ceil((free_at - now).total_seconds()))
    headers = {**_headers(limit, left=0, reset=free_at), "Retry-After": str(seconds)}
    message = f"Too many requests. Retry after {seconds} seconds."
    return Refused(429, "rate_limited", message, headers=headers)


def _headers(limit: int, *, left: int, reset: datetime) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(left),
        "X-RateLimit-Reset": str(math.ceil(reset.timestamp())),
    }
