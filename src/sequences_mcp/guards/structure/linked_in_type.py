"""linkedInType belongs to LinkedIn steps, and to each of them."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.blueprint import Channel, Step
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Rule, StepHit


def check_steps(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every LinkedIn step without the type and every other step with it."""
    for step in steps:
        if step.type is Channel.LINKEDIN and step.linked_in_type is None:
            yield StepHit(step, "linkedInType", message="A LinkedIn step needs a linkedInType.")
        elif step.type is not Channel.LINKEDIN and step.linked_in_type is not None:
            yield StepHit(step, "linkedInType")


RULE = Rule(
    id="structure.linked_in_type",
    severity=Severity.ERROR,
    message="linkedInType is for LinkedIn steps only.",
    accept=(
        '[{"type": "LINKEDIN", "linkedInType": "LINKEDIN_MESSAGE"}]',
        '[{"type": "SMS"}]',
    ),
    reject=(
        '[{"type": "LINKEDIN"}]',
        '[{"type": "SMS", "linkedInType": "LINKEDIN_MESSAGE"}]',
    ),
    source="Kalent, step format: required for LINKEDIN, forbidden elsewhere",
    example="steps",
    check_steps=check_steps,
)
