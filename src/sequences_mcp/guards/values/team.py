"""A team, a department or a mailbox where a person's name is due."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.facts import PERSON, Value
from sequences_mcp.guards.names import is_team
from sequences_mcp.guards.rule import Rule


def check_value(value: Value) -> bool:
    """Say whether a name is nobody's."""
    return is_team(value)


RULE = Rule(
    id="values.team",
    severity=Severity.WARNING,
    message="This is a team or a mailbox, not a person.",
    accept=("Jane", "An", "Job", "Dev"),
    reject=("Sales Team", "HR", "info", "Recruiting", "Équipe RH"),
    source="ours",
    example="value",
    check_value=check_value,
    facts=PERSON,
)
