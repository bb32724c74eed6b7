"""A blueprint invites once, whatever the kind of invitation."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.guards.rule import Rule, StepHit


def check_steps(steps: tuple[Step, ...], policy: GuardPolicy) -> Iterator[StepHit]:
    """Return every invitation after the first."""
    for step in [step for step in steps if step.is_invitation][1:]:
        yield StepHit(step, "linkedInType")


RULE = Rule(
    id="structure.one_invitation",
    severity=Severity.ERROR,
    message="A blueprint has one invitation at most, with or without a note.",
    accept=('[{"type": "LINKEDIN", "linkedInType": "LINKEDIN_INVITATION", "content": ""}]',),
    reject=(
        '[{"id": "a", "type": "LINKEDIN", "linkedInType": "LINKEDIN_INVITATION", "content": ""}, {"id": "b", "type": "LINKEDIN", "linkedInType": "LINKEDIN_INVITATION_WITH_MESSAGE"}]',
    ),
    source="Kalent, blueprint tools: only one invite step per blueprint",
    looks_at="steps",
    check_steps=check_steps,
)
