"""How many segments an SMS takes: each is paid for, and one letter outside GSM-7 halves what fits."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.blueprint import Channel
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lengths import segments
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.views import COVER


def check(text: Text) -> Iterator[Hit]:
    """Return the whole text when it takes more than one segment: a note, or a warning beyond the limit."""
    if text.channel is not Channel.SMS or text.is_subject:
        return
    count, alphabet = segments(text.raw.text.replace(COVER, ""))
    if count > 1:
        least = "at least " if COVER in text.raw.text else ""
        message = f"This SMS takes {least}{count} segments in {alphabet}."
        severity = Severity.WARNING if count > text.policy.sms_segments else Severity.NOTE
        yield Hit(0, len(text.original), message=message, severity=severity)


RULE = Rule(
    id="channel.sms_segments",
    severity=Severity.WARNING,
    message="This SMS takes more segments than the limit.",
    accept=('[{"type": "SMS", "content": "Hi {{firstname}}, a role in Paris. Interested?"}]',),
    reject=('[{"type": "SMS", "content": "' + "word " * 100 + '"}]',),
    source="3GPP TS 23.038",
    example="steps",
    check=check,
)
