"""An e-mail address or the handle of an account where a name is due."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.facts import SHORT, Value
from sequences_mcp.guards.names import has_email
from sequences_mcp.guards.rule import Rule


def check_value(value: Value) -> bool:
    """Say whether a value has one."""
    return has_email(value)


RULE = Rule(
    id="values.address",
    severity=Severity.WARNING,
    message="This is an e-mail address or a handle, not a name.",
    accept=("Jane", "Booking.com", "CTO @ Acme"),
    reject=("maria.silva@globex.example", "@maria"),
    source="ours",
    example="value",
    check_value=check_value,
    facts=SHORT,
    mends=True,
)
