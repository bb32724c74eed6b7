"""A content or a subject that is not a text. ``check`` applies it, before any other rule looks."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Rule

RULE = Rule(
    id="structure.kind",
    severity=Severity.ERROR,
    message="This is not a text.",
    accept=("Hi",),
    reject=(),
    source="ours",
)
