"""Many reads at a vendor, a few at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from collections.abc import Sequence as Items
from typing import TypeVar

AT_ONCE = 5  # calls; each may take two reads, and ten connections are open at most
T = TypeVar("T")


async def in_turns(calls: Items[Callable[[], Awaitable[T]]]) -> list[T]:
    """Return what each call returns, in order; the first error ends it."""
    found: list[T] = []
    for start in range(0, len(calls), AT_ONCE):
        found += await asyncio.gather(*(call() for call in calls[start : start + AT_ONCE]))
    return found
