"""AFTER_INVITATION_SETTLED waits for an invitation, so there must be one before it."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.blueprint import Step, Temporality
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Rule, StepHit


def check_steps(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every such step that no invitation precedes."""
    invited = False
    for step in steps:
        if step.temporality_type is Temporality.AFTER_INVITATION_SETTLED and not invited:
            yield StepHit(step, "temporalityType")
        invited = invited or step.is_invitation


_INVITATION = '"type": "LINKEDIN", "linkedInType": "LINKEDIN_INVITATION", "content": ""'

RULE = Rule(
    id="structure.settled",
    severity=Severity.ERROR,
    message="No invitation comes before this step, so there is none to settle.",
    accept=(f'[{{"id": "a", {_INVITATION}}}, {{"id": "b", "temporalityType": "AFTER_INVITATION_SETTLED"}}]',),
    reject=('[{"temporalityType": "AFTER_INVITATION_SETTLED"}]',),
    source="Kalent, step format: temporalityType",
    example="steps",
    check_steps=check_steps,
)
