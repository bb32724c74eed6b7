"""A double-braced name that is not one of the nine and is close to none of them."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.domain.variables import VARIABLES
from sequences_mcp.guards.double_braces import Kind, doubled, either
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text


def check(text: Text) -> Iterator[Hit]:
    """Return every unknown name; where two variables could be meant, the message says which."""
    for found in doubled(text, Kind.UNKNOWN):
        names = " or ".join(f"{{{{{name}}}}}" for name in either(found.inner))
        yield Hit(*found.span, message=f"There is no such variable; you may mean {names}." if names else None)


RULE = Rule(
    id="variables.unknown",
    severity=Severity.ERROR,
    message=f"There is no such variable; there are {', '.join(VARIABLES)}.",
    accept=("Hi {{firstname}}, a word about {{sourcingJobTitle}}.", "{{firstname}}{{lastname}}"),
    reject=("Hi {{calendarLink}},", "{{icebreaker}}", "Hi {{location}},", '<img alt="{{salary}}">'),
    source="Kalent: any variable outside the nine is a validation_error",
    check=check,
    signs=frozenset("{}"),
)
