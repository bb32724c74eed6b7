"""A value written from right to left in a text written from left to right."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.facts import SHORT, Value
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Rule

_RIGHT_TO_LEFT = Lazy("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


def check_value(value: Value) -> bool:
    """Say whether a value has letters written from right to left."""
    return bool(_RIGHT_TO_LEFT.search(value.text))


RULE = Rule(
    id="values.direction",
    severity=Severity.WARNING,
    message="This value is written from right to left.",
    accept=("Jane", "Иван"),
    reject=("محمد", "דוד"),
    source="ours",
    example="value",
    check_value=check_value,
    facts=SHORT,
)
