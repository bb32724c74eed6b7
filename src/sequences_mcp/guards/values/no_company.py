"""What people enter as their company when they have none."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.facts import Fact, Value
from sequences_mcp.guards.names import is_no_company
from sequences_mcp.guards.rule import Rule


def check_value(value: Value) -> bool:
    """Say whether a company is none."""
    return is_no_company(value)


RULE = Rule(
    id="values.no_company",
    severity=Severity.WARNING,
    message="This says that there is no company.",
    accept=("Acme", "Freelancer.com"),
    reject=("Self-employed", "Freelance", "Stealth Startup"),
    source="ours",
    example="value",
    check_value=check_value,
    facts=frozenset({Fact.COMPANY}),
)
