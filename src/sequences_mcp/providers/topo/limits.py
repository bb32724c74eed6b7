"""Topo's published bounds. Its rate limits could not be read: they are taken from its answers."""

from __future__ import annotations

from collections.abc import Sequence as Items

from sequences_mcp.errors import InvalidArgumentsError

BASE_URL = "https://api.topo.io/v1"
PAGE_SIZE = 100
BATCH = 100


def check_batch(items: Items[object], *, what: str) -> None:
    """Raise InvalidArgumentsError unless a batch has from 1 to 100 items."""
    if not 1 <= len(items) <= BATCH:
        raise InvalidArgumentsError(
            f"A batch takes from 1 to {BATCH} {what}; these are {len(items)}.",
            next_step="Send them in several calls.",
        )
