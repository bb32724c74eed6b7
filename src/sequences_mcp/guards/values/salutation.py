"""A form of address or a degree before a name: Dr., Frau, Mme."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.facts import PERSON, Value
from sequences_mcp.guards.names import has_salutation
from sequences_mcp.guards.rule import Rule


def check_value(value: Value) -> bool:
    """Say whether a name has one, or is one."""
    return has_salutation(value)


RULE = Rule(
    id="values.salutation",
    severity=Severity.WARNING,
    message="This has a form of address in it, which a greeting would double.",
    accept=("Jane", "Don", "Martin"),
    reject=("Dr.", "Dr. Maria", "Frau Müller", "Mme Dupont", "田中様"),
    source="ours",
    example="value",
    check_value=check_value,
    facts=PERSON,
    mends=True,
)
