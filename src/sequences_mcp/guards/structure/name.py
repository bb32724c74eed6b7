"""A name or an id of a step that hides something: it is shown to whoever says yes, and kept in the records."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain import invisible
from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.rule import Rule, StepHit


def check_steps(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every name and id with characters in it that cannot be seen and that no script of it needs."""
    for step in steps:
        for field, text in (("id", step.id), ("name", step.name)):
            if run := next(invisible.find(text), None):
                names = invisible.names_of(text, run)
                message = f"This {field} has characters in it that cannot be seen: {names}."
                yield StepHit(step, field, message=message)


RULE = Rule(
    id="structure.name",
    severity=Severity.ERROR,
    message="A name or an id has no characters that cannot be seen.",
    accept=('[{"name": "Follow-up ❤️"}]',),
    reject=('[{"name": "Follow\\u200b-up"}]', '[{"id": "s\\ufe01\\ufe02"}]'),
    source="Unicode TR 36, 3",
    example="steps",
    check_steps=check_steps,
)
