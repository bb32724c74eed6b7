"""A value in quotes, parentheses or marks of emphasis."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.facts import SHORT, Value
from sequences_mcp.guards.names import is_quoted
from sequences_mcp.guards.rule import Rule


def check_value(value: Value) -> bool:
    """Say whether marks stand around the whole value."""
    return is_quoted(value)


RULE = Rule(
    id="values.quoted",
    severity=Severity.WARNING,
    message="This stands in quotes or other marks.",
    accept=("Jane", "O'Brien", "'t Hooft"),
    reject=('"Maria"', "(Maria)", "*Maria*", "«Maria»"),
    source="ours",
    example="value",
    check_value=check_value,
    facts=SHORT,
    mends=True,
)
