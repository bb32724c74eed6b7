"""inviteTimeoutDays is a positive number of days."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Rule, StepHit

_YEAR = 366


def check_steps(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every timeout that is not between a day and a year."""
    for step in steps:
        days = step.policy.invite_timeout_days
        if days is not None and not 1 <= days <= _YEAR:
            yield StepHit(step, "policy.inviteTimeoutDays")


RULE = Rule(
    id="structure.invitation_timeout",
    severity=Severity.ERROR,
    message="inviteTimeoutDays must be from 1 to 366.",
    accept=(
        '[{"policy": {"inviteTimeoutDays": 1}}]',
        '[{"policy": {"inviteTimeoutDays": 366}}]',
    ),
    reject=(
        '[{"policy": {"inviteTimeoutDays": 0}}]',
        '[{"policy": {"inviteTimeoutDays": 367}}]',
    ),
    source="Kalent, step format: positive; a year at most is ours",
    example="steps",
    check_steps=check_steps,
)
