"""A text with nothing to read in it."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.blueprint import LinkedInType
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text


def check(text: Text) -> Iterator[Hit]:
    """Return the whole text when it is blank; one about to leave must not be."""
    is_bare = text.is_subject or text.linked_in_type is LinkedInType.INVITATION
    if not is_bare and text.is_blank:
        yield Hit(0, len(text.original), severity=Severity.ERROR if text.rendered else None)


RULE = Rule(
    id="channel.empty_content",
    severity=Severity.WARNING,
    message="There is nothing to read in this text.",
    accept=("Hi {{firstname}}",),
    reject=("", " \n\t", "\u200b\u200b"),
    source="ours",
    check=check,
)
