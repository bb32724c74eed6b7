"""Square brackets whose shape does not decide: a tag by intent, a placeholder by shape."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.squares import Meaning, squares
from sequences_mcp.guards.text import Text


def check(text: Text) -> Iterator[Hit]:
    """Return every pair that only a person can judge."""
    for square in squares(text, Meaning.DOUBT):
        yield Hit(*square.span)


RULE = Rule(
    id="placeholders.ambiguous",
    severity=Severity.WARNING,
    message="This may be meant, or be a blank that was never filled in: a person has to say.",
    accept=("Entwickler (m/w/d)", "See [1] and [2]."),
    reject=("[Remote] Backend Engineer", "Entwickler [m/w/d]", "[12 mois]", "[...] and so on"),
    source="ours",
    check=check,
    signs=frozenset("[［"),
)
