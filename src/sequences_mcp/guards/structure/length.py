"""A text longer than anything a person would read. ``check`` applies it, before any other rule looks."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Rule

RULE = Rule(
    id="structure.length",
    severity=Severity.ERROR,
    message="This text is longer than 100 kB and was not looked at.",
    accept=("a" * 100_000,),
    reject=("a" * 100_001, "é" * 50_001),
    source="ours",
)
