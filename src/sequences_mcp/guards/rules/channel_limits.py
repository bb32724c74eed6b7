"""What a channel must have, may be long, and what the house forbids: rules of the layer ``channel``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from sequences_mcp.domain.blueprint import Channel, LinkedInType
from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.workspace import GUARDS_FILE
from sequences_mcp.guards.rule import Rule
from sequences_mcp.guards.text import GuardedText, Hit, sms_segments, too_long
from sequences_mcp.guards.views import COVER


def _empty_subject(text: GuardedText) -> Iterator[Hit]:
    """Return the whole subject when it is blank, but for an answer, which takes that of the e-mail before."""
    is_taken_over = text.is_follow_up and not text.rendered and not text.original.strip()
    if text.is_subject and text.is_blank and not is_taken_over:
        yield Hit(0, len(text.original))


EMPTY_SUBJECT = Rule(
    id="channel.empty_subject",
    severity=Severity.ERROR,
    message="The subject is empty.",
    accept=("{{firstname}}",),
    reject=("", "   ", "\u200b"),
    source="ours",
    example="subject",
    check=_empty_subject,
)


def _empty_content(text: GuardedText) -> Iterator[Hit]:
    """Return the whole text when it is blank; one about to leave must not be."""
    is_bare = text.is_subject or text.linked_in_type is LinkedInType.INVITATION
    if not is_bare and text.is_blank:
        yield Hit(0, len(text.original), severity=Severity.ERROR if text.rendered else None)


EMPTY_CONTENT = Rule(
    id="channel.empty_content",
    severity=Severity.WARNING,
    message="There is nothing to read in this text.",
    accept=("Hi {{firstname}}",),
    reject=("", " \n\t", "\u200b\u200b"),
    source="ours",
    check=_empty_content,
)


def _note_length(text: GuardedText) -> Iterator[Hit]:
    """Return what is beyond 300 characters, or 200 where the policy says that the account is free."""
    if text.linked_in_type is LinkedInType.INVITATION_WITH_MESSAGE and not text.is_subject:
        yield from too_long(text, text.policy.invitation_note)


NOTE_LENGTH = Rule(
    id="channel.note_length",
    severity=Severity.ERROR,
    message="The note of an invitation is too long.",
    accept=('[{"type": "LINKEDIN", "linkedInType": "LINKEDIN_INVITATION_WITH_MESSAGE", "content": "Hi"}]',),
    reject=(
        '[{"type": "LINKEDIN", "linkedInType": "LINKEDIN_INVITATION_WITH_MESSAGE", "content": "'
        + "word " * 61
        + '"}]',
    ),
    source="Kalent: a note has at most 300 characters; LinkedIn: 200 on a free account",
    example="steps",
    check=_note_length,
)


_MOST = 200


def _inmail_subject(text: GuardedText) -> Iterator[Hit]:
    """Return what is beyond 200 characters."""
    if text.linked_in_type is LinkedInType.INMAIL and text.is_subject:
        yield from too_long(text, _MOST)


INMAIL_SUBJECT = Rule(
    id="channel.inmail_subject",
    severity=Severity.ERROR,
    message="The subject of an InMail is too long.",
    accept=('[{"type": "LINKEDIN", "linkedInType": "LINKEDIN_INMAIL", "subject": "A role in Paris"}]',),
    reject=('[{"type": "LINKEDIN", "linkedInType": "LINKEDIN_INMAIL", "subject": "' + "word " * 41 + '"}]',),
    source="Kalent: at most 200 characters",
    example="steps",
    check=_inmail_subject,
)


_WHATSAPP_LENGTH_MOST = 4096


def _whatsapp_length(text: GuardedText) -> Iterator[Hit]:
    """Return what is beyond 4,096 characters."""
    if text.channel is Channel.WHATSAPP:
        yield from too_long(text, _WHATSAPP_LENGTH_MOST)


WHATSAPP_LENGTH = Rule(
    id="channel.whatsapp_length",
    severity=Severity.ERROR,
    message="A WhatsApp message is too long.",
    accept=('[{"type": "WHATSAPP", "content": "Hi {{firstname}}"}]',),
    reject=('[{"type": "WHATSAPP", "content": "' + "word " * 820 + '"}]',),
    source="WhatsApp Business Platform: text body of at most 4,096 characters",
    example="steps",
    check=_whatsapp_length,
)


def _sms_segments(text: GuardedText) -> Iterator[Hit]:
    """Return the whole text when it takes more than one segment: a note, or a warning beyond the limit."""
    if text.channel is not Channel.SMS or text.is_subject:
        return
    count, alphabet = sms_segments(text.raw.text.replace(COVER, ""))
    if count > 1:
        least = "at least " if COVER in text.raw.text else ""
        message = f"This SMS takes {least}{count} segments in {alphabet}."
        severity = Severity.WARNING if count > text.policy.sms_segments else Severity.NOTE
        yield Hit(0, len(text.original), message=message, severity=severity)


SMS_SEGMENTS = Rule(
    id="channel.sms_segments",
    severity=Severity.WARNING,
    message="This SMS takes more segments than the limit.",
    accept=('[{"type": "SMS", "content": "Hi {{firstname}}, a role in Paris. Interested?"}]',),
    reject=('[{"type": "SMS", "content": "' + "word " * 100 + '"}]',),
    source="3GPP TS 23.038",
    example="steps",
    check=_sms_segments,
)


@cache
def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?i)(?<!\w)(?:{'|'.join(map(re.escape, phrases))})(?!\w)")


def _forbidden(text: GuardedText) -> Iterator[Hit]:
    """Return every forbidden phrase, in any case."""
    if text.policy.forbidden:
        for view in text.views:
            for match in _pattern(text.policy.forbidden).finditer(view.text):
                yield Hit(*view.span(*match.span()))


FORBIDDEN = Rule(
    id="channel.forbidden",
    severity=Severity.ERROR,
    message="The house policy forbids this phrase.",
    accept=("Hi {{firstname}},",),
    reject=(),
    source=GUARDS_FILE,
    check=_forbidden,
)
