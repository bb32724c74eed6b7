"""A value with a web address in it."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.facts import SHORT, Value
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Rule

_LINK = Lazy(r"(?i)://|\bwww\.")


def check_value(value: Value) -> bool:
    """Say whether a value has a web address."""
    return bool(_LINK.search(value.text))


RULE = Rule(
    id="values.link",
    severity=Severity.WARNING,
    message="This value has a web address in it.",
    accept=("Booking.com", "Node.js developer"),
    reject=("https://evil.test", "www.evil.test"),
    source="ours",
    example="value",
    check_value=check_value,
    facts=SHORT,
)
