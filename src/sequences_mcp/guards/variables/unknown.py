"""A double-braced name that is not one of the nine and is close to none of them."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.domain.variables import VARIABLES
from sequences_mcp.guards.double_braces import doubled, either, meant
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.variables.expression import is_expression


def check(text: Text) -> Iterator[Hit]:
    """Return every unknown name; where two variables could be meant, the message says which."""
    for found in doubled(text):
        if found.inner and found.inner.strip() and not meant(found.inner) and not is_expression(found.inner):
            names = " or ".join(f"{{{{{name}}}}}" for name in either(found.inner))
            message = f"This is not one of the nine variables; {names} may be meant." if names else None
            yield Hit(*found.view.span(found.start, found.end), message=message)


RULE = Rule(
    id="variables.unknown",
    severity=Severity.ERROR,
    message=f"This is not one of the nine variables, which are {', '.join(VARIABLES)}.",
    accept=("Hi {{firstname}}, a word about {{sourcingJobTitle}}.", "{{firstname}}{{lastname}}"),
    reject=("Hi {{calendarLink}},", "{{icebreaker}}", "Hi {{location}},", '<img alt="{{salary}}">'),
    source='Kalent, "Create sequence blueprint": any variable outside the nine is a validation_error',
    check=check,
)
