"""One of the nine variables, but not byte for byte: case, spaces, invisible letters, another tool's name."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.double_braces import doubled, meant
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.variables.expression import is_expression


def check(text: Text) -> Iterator[Hit]:
    """Return every near miss with the exact token as the fix."""
    for found in doubled(text):
        if found.inner and not is_expression(found.inner) and (name := meant(found.inner)):
            token = f"{{{{{name}}}}}"
            yield Hit(*found.view.span(found.start, found.end), fix=token, message=f"Write {token}, exactly so.")


RULE = Rule(
    id="variables.spelling",
    severity=Severity.ERROR,
    message="A variable must be written exactly as it is listed, without spaces or capitals of its own.",
    accept=("Hi {{firstname}},", "{{candidateJobTitle}} at {{candidateCompanyName}}"),
    reject=(
        "Hi {{firstName}},",
        "Hi {{ firstname }},",
        "Hi {{first_name}},",
        "at {{company}}",
        "Hi {{f\u0456rstname}},",
    ),
    source='Kalent, "Create sequence blueprint": any variable outside the nine is a validation_error',
    check=check,
)
