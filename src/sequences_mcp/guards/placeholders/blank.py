"""Underscores or dots where a word is due."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_LINE = Lazy(r"(?:^|(?<=[\s(«\"'“]))(?:_{3,}|(?:…[ ]?){2,}|\.{5,})(?=[\s,;:!?.)»\"'”]|$)", 8)


def check(text: Text) -> Iterator[Hit]:
    """Return every blank that does not fill its line, which would make it a divider."""
    for hit in text.hits(_LINE):
        start = text.original.rfind("\n", 0, hit.start) + 1
        line = text.original[start:].split("\n", 1)[0]
        if any(letter.isalnum() for letter in line):
            yield hit


RULE = Rule(
    id="placeholders.blank",
    severity=Severity.ERROR,
    message="This is a blank that was never filled in.",
    accept=("¯\\_(ツ)_/¯", "Well... yes", "Regards\n______\nJane"),
    reject=("Hi ____, a word.", "Bonjour ……… , je"),
    source="ours",
    check=check,
)
