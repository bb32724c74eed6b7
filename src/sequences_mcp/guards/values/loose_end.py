"""A comma, a dash or another sign at the end of a value."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.facts import SHORT, Value
from sequences_mcp.guards.names import has_loose_end
from sequences_mcp.guards.rule import Rule


def check_value(value: Value) -> bool:
    """Say whether a sign is left at an end."""
    return has_loose_end(value)


RULE = Rule(
    id="values.loose_end",
    severity=Severity.WARNING,
    message='This begins or ends with a sign that would be doubled: "Hi Maria,,".',
    accept=("Jane", "J.R.", "King Jr."),
    reject=("Maria,", "Maria.", "Maria -", ", Maria"),
    source="ours",
    example="value",
    check_value=check_value,
    facts=SHORT,
    mends=True,
)
