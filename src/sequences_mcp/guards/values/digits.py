"""Digits in a name, or a title or place of digits alone."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.facts import PERSON, Fact, Value
from sequences_mcp.guards.names import has_digits
from sequences_mcp.guards.rule import Rule


def check_value(value: Value) -> bool:
    """Say whether digits stand where none belong."""
    return has_digits(value)


RULE = Rule(
    id="values.digits",
    severity=Severity.WARNING,
    message="This has digits where a name has none.",
    accept=("Jane", "John 3rd"),
    reject=("Maria2", "12345"),
    source="ours",
    example="value",
    check_value=check_value,
    facts=frozenset({*PERSON, Fact.TITLE, Fact.PLACE}),
    mends=True,
)
