"""Topo's statuses are ours (page "Sequences"); a word Topo adds within /v1 has no meaning yet."""

from __future__ import annotations

from sequences_mcp.domain.sequence import SequenceStatus


def meaning_of(status: str | None) -> SequenceStatus | None:
    """Return our status, or None for a word that is not one of the nine."""
    try:
        return SequenceStatus(status or "")
    except ValueError:
        return None
