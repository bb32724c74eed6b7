"""An emoji or a decoration in a value, or letters drawn in a style."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.facts import SHORT, Value
from sequences_mcp.guards.names import has_picture
from sequences_mcp.guards.rule import Rule


def check_value(value: Value) -> bool:
    """Say whether a value has such signs."""
    return has_picture(value)


RULE = Rule(
    id="values.picture",
    severity=Severity.WARNING,
    message="This has an emoji, a decoration or letters of a style in it.",
    accept=("Jane", "Zoë", "李小龍", "Σ"),
    reject=("Maria 🚀", "★ Maria ★", "𝓜𝓪𝓻𝓲𝓪"),
    source="ours",
    example="value",
    check_value=check_value,
    facts=SHORT,
    mends=True,
)
