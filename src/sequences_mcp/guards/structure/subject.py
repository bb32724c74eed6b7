"""A subject belongs to e-mail and InMail, and to each of them."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.blueprint import Channel, LinkedInType, Step
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.guards.rule import Rule, StepHit


def check_steps(steps: tuple[Step, ...], policy: GuardPolicy) -> Iterator[StepHit]:
    """Return every e-mail or InMail without a subject and every other step with one."""
    for step in steps:
        takes = step.type is Channel.EMAIL or step.linked_in_type is LinkedInType.INMAIL
        if takes != (step.subject is not None):
            yield StepHit(step, "subject", message="An e-mail or InMail needs a subject." if takes else None)


RULE = Rule(
    id="structure.subject",
    severity=Severity.ERROR,
    message="Only e-mail and InMail have a subject.",
    accept=('[{"type": "EMAIL", "subject": "Rust"}]', '[{"type": "SMS"}]'),
    reject=('[{"type": "EMAIL", "subject": null}]', '[{"type": "SMS", "subject": "Rust"}]'),
    source="Kalent, step format: email only, and InMail",
    looks_at="steps",
    check_steps=check_steps,
)
