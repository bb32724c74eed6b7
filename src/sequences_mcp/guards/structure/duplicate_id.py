"""Two steps with one id, or a step with a blank one."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Rule, StepHit


def check_steps(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every step whose id an earlier one has, or that has none to speak of."""
    seen: set[str] = set()
    for step in steps:
        if not step.id.strip():
            yield StepHit(step, "id", message="A step needs an id.")
        elif step.id in seen:
            yield StepHit(step, "id")
        seen.add(step.id)


RULE = Rule(
    id="structure.duplicate_id",
    severity=Severity.ERROR,
    message="Another step has this id already.",
    accept=('[{"id": "a"}, {"id": "b"}]',),
    reject=(
        '[{"id": "a"}, {"id": "a"}]',
        '[{"id": " "}]',
    ),
    source="Kalent, step format: unique within the blueprint",
    example="steps",
    check_steps=check_steps,
)
