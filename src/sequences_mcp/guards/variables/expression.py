"""A filter, a fallback, a path, a call or a block inside double braces: none of them is offered."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.double_braces import Kind, doubled, only_name
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text


def check(text: Text) -> Iterator[Hit]:
    """Return every expression; the fix is the variable alone, where exactly one occurs in it."""
    for found in doubled(text, Kind.EXPRESSION):
        name = only_name(found.inner)
        yield Hit(*found.span, fix=f"{{{{{name}}}}}" if name else None)


RULE = Rule(
    id="variables.expression",
    severity=Severity.ERROR,
    message="Only a bare variable is filled in: no filter, fallback, path, call or block.",
    accept=("Hi {{firstname}},", "{{firstname}} | {{sourcingJobTitle}}"),
    reject=("Hi {{firstname|there}},", "{{contact.firstname}}", "{{#if firstname}}Hi{{/if}}", "{{7*'7'}}"),
    source="Kalent: only the nine exact tokens are listed",
    check=check,
    signs=frozenset("{}"),
)
