"""A subject belongs to e-mail and InMail, and to each of them."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.blueprint import Channel, LinkedInType, Step
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Rule, StepHit


def check_steps(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every e-mail or InMail without a subject and every other step with one."""
    for step in steps:
        takes_one = step.type is Channel.EMAIL or step.linked_in_type is LinkedInType.INMAIL
        if takes_one and step.subject is None:
            yield StepHit(step, "subject", message="An e-mail or InMail needs a subject.")
        elif not takes_one and step.subject is not None:
            yield StepHit(step, "subject")


RULE = Rule(
    id="structure.subject",
    severity=Severity.ERROR,
    message="Only e-mail and InMail have a subject.",
    accept=(
        '[{"type": "EMAIL", "subject": "Rust"}]',
        '[{"type": "SMS"}]',
    ),
    reject=(
        '[{"type": "EMAIL"}]',
        '[{"type": "SMS", "subject": "Rust"}]',
    ),
    source="Kalent, step format: for e-mail, and for InMail",
    example="steps",
    check_steps=check_steps,
)
