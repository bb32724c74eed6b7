"""A delay belongs to DELAYED steps, and is a positive number of days, minutes or seconds."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.blueprint import Step, Temporality
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.guards.rule import Rule, StepHit

_LONGEST = 366 * 24 * 60 * 60


def check_steps(steps: tuple[Step, ...], policy: GuardPolicy) -> Iterator[StepHit]:
    """Return every delay that is missing, out of place, not positive, or longer than a year."""
    for step in steps:
        if (step.temporality_type is Temporality.DELAYED) != (step.delay is not None):
            yield StepHit(step, "delay", message=None if step.delay else "A DELAYED step needs a delay.")
        elif step.delay and step.delay.value <= 0:
            yield StepHit(step, "delay.value", message="A delay must be positive.")
        elif step.delay and step.delay.value > _LONGEST // _SECONDS[step.delay.unit]:
            yield StepHit(step, "delay.value", message="A delay must not be longer than a year.")


_SECONDS = {"day": 24 * 60 * 60, "minute": 60, "second": 1}


RULE = Rule(
    id="structure.delay",
    severity=Severity.ERROR,
    message="Only a DELAYED step has a delay.",
    accept=(
        '[{"temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}]',
        '[{"temporalityType": "ASAP"}]',
    ),
    reject=(
        '[{"temporalityType": "DELAYED"}]',
        '[{"temporalityType": "DELAYED", "delay": {"value": 0, "unit": "day"}}]',
        '[{"temporalityType": "ASAP", "delay": {"value": 1, "unit": "day"}}]',
        '[{"temporalityType": "DELAYED", "delay": {"value": 367, "unit": "day"}}]',
    ),
    source="Kalent, step format: required when DELAYED, positive; a year at most is ours",
    looks_at="steps",
    check_steps=check_steps,
)
