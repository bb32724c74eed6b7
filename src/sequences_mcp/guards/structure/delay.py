"""A delay belongs to DELAYED steps: a positive number of days, minutes or seconds, a year at most."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.blueprint import DelayUnit, Step, Temporality
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Rule, StepHit

_YEAR = {DelayUnit.DAY: 366, DelayUnit.MINUTE: 366 * 24 * 60, DelayUnit.SECOND: 366 * 24 * 60 * 60}


def check_steps(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every delay that is missing, out of place, not positive, or longer than a year."""
    for step in steps:
        if step.temporality_type is Temporality.DELAYED and step.delay is None:
            yield StepHit(step, "delay", message="A DELAYED step needs a delay.")
        elif step.temporality_type is not Temporality.DELAYED and step.delay is not None:
            yield StepHit(step, "delay")
        elif step.delay and not 1 <= step.delay.value <= _YEAR[step.delay.unit]:
            yield StepHit(step, "delay.value", message="A delay must be positive, and a year at most.")


RULE = Rule(
    id="structure.delay",
    severity=Severity.ERROR,
    message="Only a DELAYED step has a delay.",
    accept=(
        '[{"temporalityType": "DELAYED", "delay": {"value": 366, "unit": "day"}}]',
        '[{"temporalityType": "ASAP"}]',
    ),
    reject=(
        '[{"temporalityType": "DELAYED"}]',
        '[{"temporalityType": "DELAYED", "delay": {"value": 0, "unit": "day"}}]',
        '[{"temporalityType": "ASAP", "delay": {"value": 1, "unit": "day"}}]',
        '[{"temporalityType": "DELAYED", "delay": {"value": 367, "unit": "day"}}]',
    ),
    source="Kalent, step format: required when DELAYED, positive; a year at most is ours",
    example="steps",
    check_steps=check_steps,
)
