"""A blueprint invites once, whatever the kind of invitation."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Rule, StepHit


def check_steps(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every invitation after the first."""
    for step in [step for step in steps if step.is_invitation][1:]:
        yield StepHit(step, "linkedInType")


_INVITATION = '"type": "LINKEDIN", "linkedInType": "LINKEDIN_INVITATION", "content": ""'

RULE = Rule(
    id="structure.one_invitation",
    severity=Severity.ERROR,
    message="A blueprint has one invitation at most, with or without a note.",
    accept=(f"[{{{_INVITATION}}}]",),
    reject=(f'[{{"id": "a", {_INVITATION}}}, {{"id": "b", {_INVITATION}}}]',),
    source="Kalent: only one invite step is allowed per blueprint",
    example="steps",
    check_steps=check_steps,
)
