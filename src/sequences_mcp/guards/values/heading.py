"""A value that is the heading of the column it should have come from: Prénom, First Name, Company."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.facts import PERSON, Fact, Value
from sequences_mcp.guards.names import is_heading
from sequences_mcp.guards.rule import Rule


def check_value(value: Value) -> bool:
    """Say whether a value is such a heading, in the language of any recruiter."""
    return is_heading(value)


RULE = Rule(
    id="values.heading",
    severity=Severity.WARNING,
    message="This is the heading of a column, not a value.",
    accept=("Jane", "Nomie"),
    reject=("Prénom", "First Name", "VORNAME", "Candidate", "お名前"),
    source="ours",
    example="value",
    check_value=check_value,
    facts=frozenset({*PERSON, Fact.COMPANY, Fact.TITLE, Fact.PLACE}),
)
