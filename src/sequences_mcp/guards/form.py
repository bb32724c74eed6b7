"""JSON-like data, read as steps; what is not one is told of field by field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from sequences_mcp.domain.blueprint import Channel, LinkedInType, Step, Temporality
from sequences_mcp.domain.finding import Finding
from sequences_mcp.guards.excerpt import shown
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.guards.rule import Rule
from sequences_mcp.guards.structure.form import RULE as FORM
from sequences_mcp.guards.structure.size import RULE as SIZE
from sequences_mcp.guards.text import Text

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_MOST_PROBLEMS = 20
_LONGEST = 80
_CHOICES: dict[str, tuple[str, ...]] = {"type": tuple(Channel), "temporalityType": tuple(Temporality)}
_WORDS = {"missing": "is missing", "extra_forbidden": "is no field of a step"}


@dataclass(slots=True)
class Form:
    """The steps whose form is right, what is wrong with the others, and the texts of those."""

    steps: tuple[Step, ...] = ()
    findings: list[Finding] = field(default_factory=list)
    loose: list[Text] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether every step could be read."""
        return not self.findings


def read(steps: object, policy: GuardPolicy) -> Form:
    """Read steps from a list of mappings, or of Step values."""
    form = Form()
    if not isinstance(steps, Sequence) or isinstance(steps, str | bytes | bytearray):
        form.findings.append(_finding(FORM, "Steps are a list.", name="steps"))
        return form
    if len(steps) > policy.max_steps:
        message = f"A blueprint has at most {policy.max_steps} steps; this one has {len(steps)}."
        form.findings.append(_finding(SIZE, message, name="steps"))
    form.steps = tuple(_steps(steps[: policy.max_steps], form, policy))
    return form


def _steps(steps: Sequence[Any], form: Form, policy: GuardPolicy) -> Iterator[Step]:
    for number, raw in enumerate(steps):
        try:
            yield Step.model_validate(raw)
        except ValidationError as error:
            given = raw if isinstance(raw, dict) else {}
            step_id = shown(given["id"][:_LONGEST]) if isinstance(given.get("id"), str) else None
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            form.findings += [
                _problem(problem, number, given=given, step_id=step_id) for problem in problems[:_MOST_PROBLEMS]
            ]
            form.loose += _texts(given, step_id, policy)


def _problem(problem: ErrorDetails, number: int, *, given: dict[str, Any], step_id: str | None) -> Finding:
    name = ".".join(shown(str(part)[:_LONGEST]) for part in problem["loc"])
    words = _WORDS.get(problem["type"], f"is wrong: {problem['msg']}")
    if problem["type"] == "missing" and name in _CHOICES:
        words = f"is missing; it is one of {', '.join(_CHOICES[name])}"
    if name == "type" and isinstance(given.get("type"), str) and given["type"] in set(LinkedInType):
        words = f"is wrong: write type LINKEDIN and linkedInType {given['type']}"
    place = name if step_id else f"steps[{number}].{name}".rstrip(".")
    return _finding(FORM, f"{name or 'A step'} {words}.", name=place, step_id=step_id)


def _texts(given: dict[str, Any], step_id: str | None, policy: GuardPolicy) -> Iterator[Text]:
    if isinstance(given.get("content"), str):
        yield Text(original=given["content"], step_id=step_id, policy=policy)
    if isinstance(given.get("subject"), str):
        yield Text(original=given["subject"], field="subject", step_id=step_id, policy=policy)


def _finding(rule: Rule, message: str, *, name: str, step_id: str | None = None) -> Finding:
    return Finding(rule=rule.id, severity=rule.severity, message=message, step_id=step_id, field=name)
