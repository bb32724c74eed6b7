"""A subject with nothing to read in it."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text


def check(text: Text) -> Iterator[Hit]:
    """Return the whole subject when it is blank."""
    if text.is_subject and text.is_blank:
        yield Hit(0, len(text.original))


RULE = Rule(
    id="channel.empty_subject",
    severity=Severity.ERROR,
    message="The subject is empty.",
    accept=("{{firstname}}",),
    reject=("", "   ", "\u200b"),
    source="ours",
    example="subject",
    check=check,
)
