"""Square brackets that no shape explains: a blank still to be filled in."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.squares import Meaning, squares
from sequences_mcp.guards.text import Text


def check(text: Text) -> Iterator[Hit]:
    """Return every pair that is a placeholder."""
    for square in squares(text, Meaning.PLACEHOLDER):
        yield Hit(*square.span)


RULE = Rule(
    id="placeholders.square",
    severity=Severity.ERROR,
    message="This looks like a blank that was never filled in: put the real text, or drop that part.",
    accept=("See [the job](https://acme.com/jobs).", "args[i+1] = x", "A study [1].", "[55-65 k€]", "- [x] done"),
    reject=("your work at [company]", "[1 detail to add]", "[prénom], une question", "[com\u00adpany]", "[?]"),
    source="Kalent: unresolved bracket placeholders are a validation_error",
    check=check,
    signs=frozenset("[［"),
)
