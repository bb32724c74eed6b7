"""What an assistant says to the writer, left in the text for the reader."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.assistants import said
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text


def check(text: Text) -> Iterator[Hit]:
    """Return every preamble and every offer to change the text."""
    for view in text.views:
        for found in said(view):
            yield Hit(*view.span(found.start, found.end), severity=found.severity)


RULE = Rule(
    id="foreign.preamble",
    severity=Severity.ERROR,
    message="An assistant said this to the writer: the reader must not get it.",
    accept=("Here is what we build: a database.", "Feel free to reply."),
    reject=(
        "Here is a personalized version:\n\nHi",
        "Voici un brouillon de message :",
        "As an AI model,",
        "Word count: 95",
        "Would you like me to shorten it?",
    ),
    source="ours",
    check=check,
)
