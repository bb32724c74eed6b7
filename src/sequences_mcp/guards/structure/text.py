"""A content or subject that is not a text."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Rule

RULE = Rule(
    id="structure.text",
    severity=Severity.ERROR,
    message="This is not a text.",
    accept=('[{"content": "Hi"}]',),
    reject=('[{"content": 7}]',),
    source="ours",
    looks_at="steps",
)
