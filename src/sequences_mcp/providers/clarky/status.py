"""Clarky's enrollment status in our nine words (page "Sequences").

One word is documented, ``pending_approval``. The others are the plain words that such an API would use: a run
whose word says that it is over counts as over, so that its person is not taken for one in a sequence for ever. A
word that says that something went wrong without saying that it is final counts as waiting for a person.
"""

from __future__ import annotations

from collections.abc import Mapping

from sequences_mcp.domain.sequence import SequenceStatus

_WORDS: Mapping[SequenceStatus, tuple[str, ...]] = {
    SequenceStatus.FOUND: (
        "pending_approval",
        "pending_review",
        "awaiting_approval",
        "in_review",
        "draft",
        "generating",
    ),
    SequenceStatus.ACTIVE: (
        *("active", "running", "in_progress", "approved", "scheduled", "queued", "pending", "enrolled", "sending"),
        *("processing", "sent"),
    ),
    SequenceStatus.WAITING_FOR_LEAD: ("paused",),
    SequenceStatus.WAITING_FOR_USER: ("error", "action_required", "blocked"),
    SequenceStatus.COMPLETED: ("completed", "complete", "finished", "done"),
    SequenceStatus.SUCCEEDED: ("replied", "succeeded", "won", "booked"),
    SequenceStatus.FAILED: ("failed", "bounced"),
    SequenceStatus.STOPPED_EARLY: ("stopped", "cancelled", "canceled", "unenrolled", "unsubscribed", "expired"),
    SequenceStatus.REFUSED: ("rejected", "declined", "refused"),
}
MEANING: Mapping[str, SequenceStatus] = {word: status for status, words in _WORDS.items() for word in words}


def meaning_of(status: str | None) -> SequenceStatus | None:
    """Return our status, or None for a word nobody here knows."""
    return MEANING.get((status or "").strip().lower().replace(" ", "_").replace("-", "_"))
