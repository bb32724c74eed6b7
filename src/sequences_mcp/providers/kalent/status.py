"""Kalent's ``displayStatus`` in our nine words (page "Get candidate dynamic sequence status")."""

from __future__ import annotations

from collections.abc import Mapping

from sequences_mcp.domain.sequence import SequenceStatus

# ERROR is not FAILED: nothing says that it is final, and a run taken for ended would be started a second time.
MEANING: Mapping[str, SequenceStatus] = {
    "SCHEDULED": SequenceStatus.ACTIVE,
    "WAITING_FOR_ACCEPTANCE": SequenceStatus.ACTIVE,
    "ACTION_REQUIRED": SequenceStatus.WAITING_FOR_USER,
    "ERROR": SequenceStatus.WAITING_FOR_USER,
    "PAUSED": SequenceStatus.WAITING_FOR_LEAD,
    "TALENT_REPLIED": SequenceStatus.SUCCEEDED,
    "COMPLETED": SequenceStatus.COMPLETED,
}


def meaning_of(display_status: str | None) -> SequenceStatus | None:
    """Return our status, or None for a word Kalent does not document."""
    return MEANING.get(display_status or "")
