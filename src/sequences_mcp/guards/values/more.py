"""A degree, a title, an advertisement or a second name behind a name."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.facts import PERSON, Value
from sequences_mcp.guards.names import has_more
from sequences_mcp.guards.rule import Rule


def check_value(value: Value) -> bool:
    """Say whether something stands behind the name."""
    return has_more(value)


RULE = Rule(
    id="values.more",
    severity=Severity.WARNING,
    message="This has more in it than a name.",
    accept=("Jane", "Maria José", "King, Jr."),
    reject=("Silva, MBA | Hiring!", "Silva (she/her)", "Silva - CEO", "Silva, PhD", "Silva MBA"),
    source="ours",
    example="value",
    check_value=check_value,
    facts=PERSON,
    mends=True,
)
