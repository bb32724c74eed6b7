"""Double braces with nothing in them."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.double_braces import Kind, doubled
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text


def check(text: Text) -> Iterator[Hit]:
    """Return every empty pair."""
    for found in doubled(text, Kind.EMPTY):
        yield Hit(*found.span)


RULE = Rule(
    id="variables.empty",
    severity=Severity.ERROR,
    message="There is no variable between these braces.",
    accept=("Hi {{firstname}},",),
    reject=("Hi {{}},", "Hi {{ }},", "Hi {{\u200b}},"),
    source="Kalent: only the nine exact tokens are listed",
    check=check,
    signs=frozenset("{}"),
)
