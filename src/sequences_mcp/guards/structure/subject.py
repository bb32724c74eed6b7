"""A subject belongs to e-mail and InMail, and to each of them whose text is not written per contact."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Rule, StepHit


def check_steps(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every e-mail or InMail without a subject and every other step with one.

    Where the text is written per contact, its subject may be written with it.
    """
    for step in steps:
        if step.takes_subject and step.subject is None and not step.is_written_per_contact:
            yield StepHit(step, "subject", message="An e-mail or InMail needs a subject.")
        elif not step.takes_subject and step.subject is not None:
            yield StepHit(step, "subject")


RULE = Rule(
    id="structure.subject",
    severity=Severity.ERROR,
    message="Only e-mail and InMail have a subject.",
    accept=(
        '[{"type": "EMAIL", "subject": "Rust"}]',
        '[{"type": "SMS"}]',
        '[{"type": "EMAIL", "contentSource": "suggestedByKalent"}]',
    ),
    reject=(
        '[{"type": "EMAIL"}]',
        '[{"type": "SMS", "subject": "Rust"}]',
    ),
    source="Kalent, step format: for e-mail, and for InMail",
    example="steps",
    check_steps=check_steps,
)
