"""A plain invitation carries no text: whatever is given is stored empty, as Kalent does, and not sent."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.blueprint import LinkedInType, Step
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Hit, Rule, StepHit


def check_steps(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every plain invitation with a text; the fix is to drop the text."""
    for step in steps:
        if step.linked_in_type is LinkedInType.INVITATION and step.content:
            yield StepHit(step, "content", hit=Hit(0, len(step.content), fix=""))


RULE = Rule(
    id="structure.invitation_text",
    severity=Severity.NOTE,
    message="A plain invitation carries no text: this one is stored empty and not sent. "
    "LINKEDIN_INVITATION_WITH_MESSAGE carries one.",
    accept=('[{"type": "LINKEDIN", "linkedInType": "LINKEDIN_INVITATION", "content": ""}]',),
    reject=('[{"type": "LINKEDIN", "linkedInType": "LINKEDIN_INVITATION", "content": "Hi"}]',),
    source="Kalent, step format: content of LINKEDIN_INVITATION is stored empty",
    example="steps",
    check_steps=check_steps,
)
