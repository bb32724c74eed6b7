"""Double braces with nothing in them."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.double_braces import doubled
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text


def check(text: Text) -> Iterator[Hit]:
    """Return every empty pair."""
    for found in doubled(text):
        if found.inner is not None and not found.inner.strip():
            yield Hit(*found.view.span(found.start, found.end))


RULE = Rule(
    id="variables.empty",
    severity=Severity.ERROR,
    message="There is no variable between these braces.",
    accept=("Hi {{firstname}},",),
    reject=("Hi {{}},", "Hi {{ }},"),
    source='Kalent, "Create sequence blueprint": any variable outside the nine is a validation_error',
    check=check,
)
