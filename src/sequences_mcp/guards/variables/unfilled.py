"""A variable in a text that is about to leave: it was never filled in, or a value brought it along."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.domain.variables import TOKEN
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text


def check(text: Text) -> Iterator[Hit]:
    """Return every variable of a final text."""
    for match in TOKEN.finditer(text.original) if text.rendered else ():
        yield Hit(*match.span())


RULE = Rule(
    id="variables.unfilled",
    severity=Severity.ERROR,
    message="This variable was not filled in.",
    accept=("Hi Jane,",),
    reject=("Hi {{firstname}},",),
    source="ours",
    example="rendered",
    check=check,
    signs=frozenset("{"),
)
