"""Underscores, dots or the letters of a format where a word or a number is due."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.blanks import blanks
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text


def check(text: Text) -> Iterator[Hit]:
    """Return every blank; one that fills its line would be a divider."""
    for view in text.views:
        for found in blanks(view):
            yield Hit(*view.span(found.start, found.end), severity=found.severity)


RULE = Rule(
    id="placeholders.blank",
    severity=Severity.ERROR,
    message="This is a blank that was never filled in.",
    accept=("¯\\_(ツ)_/¯", "Well... yes", "Regards\n______\nJane", "Size XXL, XXe siècle"),
    reject=(
        "Hi ____, a word.",
        "Bonjour ……… , je",
        "Hi ...,",
        "XX years of experience",
        "salary XXXX",
        "on DD/MM/YYYY",
    ),
    source="ours",
    check=check,
)
