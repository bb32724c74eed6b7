"""JSON-like data, read as steps; what is not one is told of field by field."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import ValidationError

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.finding import Finding
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.guards.structure.form import RULE
from sequences_mcp.guards.structure.size import RULE as SIZE


@dataclass(frozen=True, slots=True)
class Loose:
    """A text of something that is not a step; it is checked all the same."""

    value: str
    field: Literal["content", "subject"]
    step_id: str | None


@dataclass(slots=True)
class Form:
    """The steps whose form is right, and what is wrong with the others."""

    steps: tuple[Step, ...] = ()
    findings: list[Finding] = field(default_factory=list)
    loose: list[Loose] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether every step could be read."""
        return not self.findings


def read(steps: object, policy: GuardPolicy) -> Form:
    """Read steps from a list of mappings, or of Step values."""
    form = Form()
    if not isinstance(steps, Sequence) or isinstance(steps, str | bytes | bytearray):
        form.findings.append(_finding("Steps must be a list of steps.", step_id=None, name="steps"))
        return form
    if len(steps) > policy.max_steps:
        message = f"A blueprint has at most {policy.max_steps} steps, this one {len(steps)}."
        form.findings.append(_finding(message, step_id=None, name="steps", rule=SIZE.id))
    form.steps = tuple(_read_all(list(steps[: policy.max_steps]), form))
    return form


def _read_all(steps: list[Any], form: Form) -> Iterable[Step]:
    for number, raw in enumerate(steps):
        try:
            yield raw if isinstance(raw, Step) else Step.model_validate(raw)
        except ValidationError as error:
            own = raw.get("id") if isinstance(raw, dict) else None
            step_id = own if isinstance(own, str) else None
            form.findings += [_problem(problem, number, step_id) for problem in error.errors(include_url=False)]
            form.loose += _loose(raw, step_id)


def _problem(problem: Any, number: int, step_id: str | None) -> Finding:
    name = ".".join(map(str, problem["loc"])) or "step"
    words = {"missing": "is missing", "extra_forbidden": "is no field of a step"}.get(problem["type"])
    message = f"{name} {words}." if words else f"{name}: {problem['msg']}."
    return _finding(message, step_id=step_id, name=name if step_id else f"steps[{number}].{name}")


def _loose(raw: object, step_id: str | None) -> Iterable[Loose]:
    if not isinstance(raw, dict):
        return []
    content, subject = raw.get("content"), raw.get("subject")
    texts = [Loose(content, "content", step_id)] if isinstance(content, str) else []
    return texts + ([Loose(subject, "subject", step_id)] if isinstance(subject, str) else [])


def _finding(message: str, *, step_id: str | None, name: str, rule: str = RULE.id) -> Finding:
    return Finding(rule=rule, severity=RULE.severity, message=message, step_id=step_id, field=name)
