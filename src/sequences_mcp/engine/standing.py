"""A clock that nobody can set, and that goes on while the machine sleeps."""

from __future__ import annotations

import time


def elapsed() -> float:
    """Return seconds since some instant. ``time.monotonic`` alone stands still while Linux or macOS sleeps."""
    for name in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC"):
        if (clock := getattr(time, name, None)) is not None:
            return float(time.clock_gettime(clock))
    return time.monotonic()
