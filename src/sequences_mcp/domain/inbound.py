"""What comes in by e-mail, as it is kept: how far a mailbox was read, and what was found about which run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.run import ReplyKind
from sequences_mcp.lazy_dataclasses import dataclass

DEAF = "local.answers_unread"
"""The rule whose warning says that a plan's follow-ups leave although nobody reads the answers."""
HELD_FOR_PERSON = "held for a person"
"""What an effect says of a run that waits for a person because of what came in."""


@dataclass(frozen=True, slots=True)
class FolderMark:
    """How far a folder was read: up to which UID, under which counting; ``modseq`` its state then, or 0."""

    uidvalidity: int
    last_uid: int
    modseq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxState:
    """Up to when a mailbox's answers are known, when it was last tried, and why that failed, since when.

    ``reply`` is what the server said, ``left_out`` which folders could not be read when the others were.
    """

    read_up_to: datetime | None
    tried_at: datetime
    error: str | None = None
    reply: str = ""
    error_since: datetime | None = None
    left_out: str = ""

    def is_fresh(self, *, now: datetime, freshness: timedelta) -> bool:
        """Say whether the answers up to so long ago are known; what was read in the future another clock said."""
        return self.read_up_to is not None and timedelta(0) <= now - self.read_up_to <= freshness


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundEntry:
    """What came in about a run.

    ``basis`` is how the run was found, ``key`` the step that it names, ``effect`` what was done, in words.
    ``message_id`` is the message's own, ``refers_to`` the ids that it answers, for an answer in its thread.
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
    message_id: str = ""
    refers_to: str = ""


class ReceivedKind(StrEnum):
    """What came back, as lists tell it.

    ``bounce``: a mail system returned or delayed an e-mail. ``automatic``: another machine's words. ``unmatched``:
    from somebody who was not written to, so a person has to say whether it is about a run. ``won``, ``lost``: what
    came of somebody, as it was recorded.
    """

    REPLY = "reply"
    NOT_INTERESTED = "not_interested"
    OPT_OUT = "opt_out"
    OUT_OF_OFFICE = "out_of_office"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    AUTOMATIC = "automatic"
    WON = "won"
    LOST = "lost"
    UNMATCHED = "unmatched"


STORED_AS: Mapping[ReceivedKind, tuple[str, ...]] = {
    ReceivedKind.REPLY: ("reply", ReplyKind.REPLIED, ReplyKind.INTERESTED),
    ReceivedKind.NOT_INTERESTED: (ReplyKind.NOT_INTERESTED,),
    ReceivedKind.OPT_OUT: ("opt_out",),
    ReceivedKind.OUT_OF_OFFICE: ("away", ReplyKind.OUT_OF_OFFICE),
    ReceivedKind.BOUNCE: ("hard_bounce", "soft_bounce", "delayed", "returned"),
    ReceivedKind.COMPLAINT: ("complaint",),
    ReceivedKind.AUTOMATIC: ("automatic",),
    ReceivedKind.WON: (ReplyKind.WON,),
    ReceivedKind.LOST: (ReplyKind.LOST,),
    ReceivedKind.UNMATCHED: ("unmatched",),
}
"""The kinds that the reader and ``record_reply`` store, by the kind that lists tell."""
TOLD_AS = {stored: kind for kind, names in STORED_AS.items() for stored in names}
Decision = Literal["about_run", "nothing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyEntry:
    """What came back: an e-mail that was read (``mailbox``), or an answer that ``recorded_by`` wrote down.

    ``stored_kind`` is the reader's own word, ``waits`` that a person has to decide about it, ``decision`` what one
    decided. ``sender``, ``subject``, ``text`` and ``why`` are strangers' words; ``effect`` is ours. ``message_id``
    and ``refers_to`` are those of the e-mail, empty where an older program read it. ``contact_id`` is empty where
    nobody knows whom it is about. It ``is_authenticated`` where it names an e-mail of ours, which only those can
    who have it; else its From alone says who wrote it, and anybody can write that.
    """

    id: str
    stored_kind: str
    waits: bool
    contact_id: str
    sequence_id: str | None
    key: str | None
    effect: str
    at: datetime
    until: datetime | None = None
    sent_at: datetime | None = None
    mailbox: str = ""
    sender: str = ""
    subject: str = ""
    text: str = ""
    why: str = ""
    message_id: str = ""
    refers_to: str = ""
    recorded_by: Actor | None = None
    decision: Decision | None = None
    is_unmatched: bool = False
    is_authenticated: bool = True

    @property
    def kind(self) -> ReceivedKind:
        """What came back."""
        if self.is_unmatched:
            return ReceivedKind.UNMATCHED
        return self.looks_like

    @property
    def looks_like(self) -> ReceivedKind:
        """What it is by its own words, whether or not it is known whom it is about."""
        return TOLD_AS.get(self.stored_kind, ReceivedKind.AUTOMATIC)
