"""Kalent's published bounds. Its rate limits have no published numbers."""

from __future__ import annotations

from collections.abc import Sequence as Items

from sequences_mcp.errors import InvalidArgumentsError

BASE_URL = "https://app.kalent.ai/api"
PAGE_SIZE = 50
CANDIDATES_A_CALL = 100  # stated for the vendor's own MCP twin of "Start sequence blueprint"


def fits_one_call(candidate_ids: Items[str]) -> tuple[str, ...]:
    """Return the candidates of one start, every one once; InvalidArgumentsError for none or too many."""
    once = tuple(dict.fromkeys(candidate_ids))
    if not 1 <= len(once) <= CANDIDATES_A_CALL:
        raise InvalidArgumentsError(
            f"A start takes from 1 to {CANDIDATES_A_CALL} different candidates; these are {len(once)}.",
            next_step="Start them in several calls.",
        )
    return once
