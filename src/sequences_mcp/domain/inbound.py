"""What comes in by e-mail, as it is kept: how far a mailbox was read, and what was found about which run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class FolderMark:
    """How far a folder was read: up to which UID, under which counting; ``modseq`` its state then, or 0."""

    uidvalidity: int
    last_uid: int
    modseq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxState:
    """Up to when a mailbox's answers are known, when it was last tried, and why that failed, since when.

    ``reply`` is what the server said.
    """

    read_up_to: datetime | None
    tried_at: datetime
    error: str | None = None
    reply: str = ""
    error_since: datetime | None = None

    def is_fresh(self, *, now: datetime, freshness: timedelta) -> bool:
        """Say whether the answers up to so long ago are known; what was read in the future another clock said."""
        return self.read_up_to is not None and timedelta(0) <= now - self.read_up_to <= freshness


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundEntry:
    """What came in about a run.

    ``basis`` is how the run was found, ``key`` the step that it names, ``effect`` what was done, in words.
    ``subject``, ``text`` and ``why`` are strangers' words.
    """

    hash: bytes
    mailbox: str
    kind: str
    basis: str
    sender: str
    subject: str
    text: str
    why: str
    sequence_id: str
    key: str | None
    effect: str
    sent_at: datetime | None
    until: datetime | None
    found_at: datetime
