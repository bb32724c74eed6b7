"""How long a call may take, and where its clocks, its sleep and its chance come from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime


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
    """The world's part in a call: aware time of day, monotonic seconds, a sleep, a random number from 0 to 1."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    random: Callable[[], float]
