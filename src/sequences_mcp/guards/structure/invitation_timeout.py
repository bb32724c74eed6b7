"""inviteTimeoutDays is a positive number of days."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.guards.rule import Rule, StepHit


def check_steps(steps: tuple[Step, ...], policy: GuardPolicy) -> Iterator[StepHit]:
    """Return every timeout that is not between a day and a year."""
    for step in steps:
        days = step.policy.invite_timeout_days
        if days is not None and not 1 <= days <= 366:
            yield StepHit(step, "policy.inviteTimeoutDays")


RULE = Rule(
    id="structure.invitation_timeout",
    severity=Severity.ERROR,
    message="inviteTimeoutDays must be from 1 to 366.",
    accept=('[{"policy": {"inviteTimeoutDays": 7}}]',),
    reject=('[{"policy": {"inviteTimeoutDays": 0}}]', '[{"policy": {"inviteTimeoutDays": 367}}]'),
    source="Kalent, step format: positive; a year at most is ours",
    looks_at="steps",
    check_steps=check_steps,
)
