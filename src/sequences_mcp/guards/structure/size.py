"""More steps than a sequence can have. ``form`` applies it, so that ten thousand steps cost nothing."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Rule

_TOO_MANY = ", ".join(f'{{"id": "{number}"}}' for number in range(51))

RULE = Rule(
    id="structure.size",
    severity=Severity.ERROR,
    message="A blueprint has more steps than the limit.",
    accept=('[{"id": "a"}, {"id": "b"}]',),
    reject=(f"[{_TOO_MANY}]",),
    source="ours",
    example="steps",
)
