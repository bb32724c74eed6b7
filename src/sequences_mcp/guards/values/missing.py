"""A value that is absent, empty or blank, or that shows nothing."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.domain.variables import is_blank
from sequences_mcp.guards.facts import Value
from sequences_mcp.guards.rule import Rule


def check_value(value: Value) -> bool:
    """Say whether a reader would see nothing."""
    return is_blank(value.text)


RULE = Rule(
    id="values.missing",
    severity=Severity.ERROR,
    message="There is nothing in this value.",
    accept=("Jane",),
    reject=("", "  ", "\u200b"),
    source="ours",
    example="value",
    check_value=check_value,
)
