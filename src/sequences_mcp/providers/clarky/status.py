"""Clarky's enrollment status in our nine words (page "Sequences").

One word is documented: a sequence that is written and waits in the review queue. No other is guessed, however
plain it looks; it is shown as it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from sequences_mcp.domain.sequence import SequenceStatus

MEANING: Mapping[str, SequenceStatus] = {"pending_approval": SequenceStatus.FOUND}


def meaning_of(status: str | None) -> SequenceStatus | None:
    """Return our status, or None for a word Clarky does not document."""
    return MEANING.get((status or "").lower())
