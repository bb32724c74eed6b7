"""Two steps with one id."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.guards.rule import Rule, StepHit


def check_steps(steps: tuple[Step, ...], policy: GuardPolicy) -> Iterator[StepHit]:
    """Return every step whose id an earlier one has."""
    seen: set[str] = set()
    for step in steps:
        if step.id in seen or not step.id.strip():
            yield StepHit(step, "id", message=None if step.id.strip() else "A step needs an id.")
        seen.add(step.id)


RULE = Rule(
    id="structure.duplicate_id",
    severity=Severity.ERROR,
    message="Another step has this id already.",
    accept=('[{"id": "a"}, {"id": "b"}]',),
    reject=('[{"id": "a"}, {"id": "a"}]', '[{"id": " "}]'),
    source="Kalent, step format: unique within the blueprint",
    looks_at="steps",
    check_steps=check_steps,
)
