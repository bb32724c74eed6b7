"""A step that is not in the form of a step: a field missing, unknown or of the wrong type. ``form`` applies it."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Rule

RULE = Rule(
    id="structure.form",
    severity=Severity.ERROR,
    message="This is not in the form of a step.",
    accept=('[{"id": "a", "name": "First", "type": "SMS", "content": "Hi", "temporalityType": "ASAP"}]', "[]"),
    reject=(
        '[{"type": "FAX"}]',
        '[{"subjekt": "Rust"}]',
        '[{"content": null}]',
        '[{"delay": {"value": 1, "unit": "month"}}]',
        '[{"delay": {"value": true, "unit": "day"}}]',
        "[7]",
        "{}",
    ),
    source="Kalent, step format",
    example="steps",
)
