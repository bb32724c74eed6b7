"""A single initial where a name is due, or one behind a first name."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.facts import PERSON, Value
from sequences_mcp.guards.names import is_initial
from sequences_mcp.guards.rule import Rule


def check_value(value: Value) -> bool:
    """Say whether a name is one letter, or ends in one."""
    return is_initial(value)


RULE = Rule(
    id="values.initial",
    severity=Severity.WARNING,
    message="This is an initial, not a name.",
    accept=("Jane", "J.R.", "Bo", "李", "Jean-Luc"),
    reject=("M.", "M", "Maria S."),
    source="ours",
    example="value",
    check_value=check_value,
    facts=PERSON,
    mends=True,
)
