"""A WhatsApp message that is longer than one can be."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.blueprint import Channel
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lengths import too_long
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_MOST = 4096


def check(text: Text) -> Iterator[Hit]:
    """Return what is beyond 4,096 characters."""
    if text.channel is Channel.WHATSAPP:
        yield from too_long(text, _MOST)


RULE = Rule(
    id="channel.whatsapp_length",
    severity=Severity.ERROR,
    message="A WhatsApp message is too long.",
    accept=('[{"type": "WHATSAPP", "content": "Hi {{firstname}}"}]',),
    reject=('[{"type": "WHATSAPP", "content": "' + "word " * 820 + '"}]',),
    source="WhatsApp Business Platform: text body of at most 4,096 characters",
    example="steps",
    check=check,
)
