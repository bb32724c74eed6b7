"""One of the nine variables, but not byte for byte: case, spaces, invisible letters, another name."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.double_braces import Kind, doubled, meant
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text


def check(text: Text) -> Iterator[Hit]:
    """Return every near miss with the exact token as the fix."""
    for found in doubled(text, Kind.NEAR):
        token = f"{{{{{meant(found.inner)}}}}}"
        yield Hit(*found.span, fix=token, message=f"Write {token}, exactly so.")


RULE = Rule(
    id="variables.spelling",
    severity=Severity.ERROR,
    message="A variable is written exactly as it is listed.",
    accept=("Hi {{firstname}},", "{{candidateJobTitle}} at {{candidateCompanyName}}"),
    reject=(
        "Hi {{firstName}},",
        "Hi {{ firstname }},",
        "Hi {{first_name}},",
        "at {{company}}",
        "{{f\u0456rstname}}",
    ),
    source="Kalent: names are case-sensitive, and only the nine exact tokens are listed",
    check=check,
    signs=frozenset("{}"),
)
