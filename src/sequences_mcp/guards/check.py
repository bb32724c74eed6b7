"""The doors of the guards: steps, a template text, the final text, and the values that fill it in.

Nothing here raises, whatever it is given: what is wrong with the input is a finding like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal

from sequences_mcp.domain.blueprint import Channel, LinkedInType, Step
from sequences_mcp.domain.finding import Finding, Severity
from sequences_mcp.guards.policy import DEFAULT, MAX_BYTES, GuardPolicy

if TYPE_CHECKING:
    from sequences_mcp.guards.rule import Hit, Rule
    from sequences_mcp.guards.text import Text

Field = Literal["content", "subject"]
_MOST_HITS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found, and the steps, which are None when their form is wrong."""

    findings: tuple[Finding, ...]
    steps: tuple[Step, ...] | None


def check_steps(steps: object, *, policy: GuardPolicy = DEFAULT) -> Report:
    """Check the steps of a blueprint, as JSON-like data or as Step values, by every rule."""
    from sequences_mcp.guards.form import read

    form = read(steps, policy)
    findings = list(form.findings)
    findings += _structure(form.steps, policy)
    for step in form.steps:
        findings += _of_step(step, form.steps, policy)
    for text in form.loose:
        findings += check_text(text.value, field=text.field, step_id=text.step_id, policy=policy)
    return Report(findings=tuple(findings), steps=form.steps if form.is_whole else None)


def check_text(
    text: object,
    *,
    field: Field,
    channel: Channel | None = None,
    linked_in_type: LinkedInType | None = None,
    step_id: str | None = None,
    policy: GuardPolicy = DEFAULT,
) -> tuple[Finding, ...]:
    """Check one template text, in which the nine variables are allowed."""
    return _check(
        text, field=field, channel=channel, linked_in_type=linked_in_type, step_id=step_id, policy=policy
    )


def check_rendered(
    *,
    step: Step,
    subject: str | None,
    content: str | None,
    values: Mapping[str, str | None] | None = None,
    policy: GuardPolicy = DEFAULT,
) -> tuple[Finding, ...]:
    """Check the final text of one step for one contact: no variable may be left, and the values are data."""
    findings = list(check_values(values or {}, policy=policy))
    texts: list[tuple[Field, str | None]] = [("subject", subject), ("content", content)]
    for field, text in texts:
        if text is not None or field == "content":
            found = _check(
                text,
                field=field,
                channel=step.type,
                linked_in_type=step.linked_in_type,
                step_id=step.id,
                policy=policy,
                rendered=True,
            )
            findings += [_with_origin(finding, text or "", values or {}) for finding in found]
    return tuple(findings)


def check_values(values: Mapping[str, str | None], *, policy: GuardPolicy = DEFAULT) -> tuple[Finding, ...]:
    """Check the values that fill in a template: empty means that each is plain enough for any text."""
    from sequences_mcp.guards.values.plain import suspicions

    return tuple(finding for name, value in values.items() for finding in suspicions(name, value))


def apply_fixes(steps: Iterable[Step], findings: Iterable[Finding]) -> tuple[Step, ...]:
    """Return the steps with the mechanical fixes of errors applied; warnings are a person's business."""
    from sequences_mcp.guards.fixes import fixed

    return fixed(tuple(steps), tuple(findings))


def _structure(steps: tuple[Step, ...], policy: GuardPolicy) -> Iterator[Finding]:
    from sequences_mcp.guards.catalogue import RULES

    for rule in RULES:
        if rule.check_steps:
            for step, field, message, hit in rule.check_steps(steps, policy):
                text = getattr(step, field, None) if hit else None
                yield _finding(rule, hit, text or "", step_id=step.id, field=field, message=message, policy=policy)


def _of_step(step: Step, steps: tuple[Step, ...], policy: GuardPolicy) -> Iterator[Finding]:
    texts: list[tuple[Field, str | None]] = [("subject", step.subject), ("content", step.content)]
    for field, text in texts:
        if text is not None:
            yield from check_text(
                text,
                field=field,
                channel=step.type,
                linked_in_type=step.linked_in_type,
                step_id=step.id,
                policy=policy,
            )


def _check(
    text: object,
    *,
    field: Field,
    channel: Channel | None,
    linked_in_type: LinkedInType | None,
    step_id: str | None,
    policy: GuardPolicy,
    rendered: bool = False,
) -> tuple[Finding, ...]:
    from sequences_mcp.guards.structure import length
    from sequences_mcp.guards.structure import text as form
    from sequences_mcp.guards.text import Text

    if not isinstance(text, str):
        return (_finding(form.RULE, None, "", step_id=step_id, field=field, policy=policy),)
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return (_finding(length.RULE, None, "", step_id=step_id, field=field, policy=policy),)
    seen = Text(
        original=text,
        field=field,
        channel=channel,
        linked_in_type=linked_in_type,
        policy=policy,
        rendered=rendered,
    )
    return tuple(
        _finding(rule, hit, text, step_id=step_id, field=field, policy=policy) for rule, hit in _hits(seen)
    )


def _hits(text: Text) -> Iterator[tuple[Rule, Hit]]:
    """Run every rule on a text. A place that an error has told of is not told of again."""
    from sequences_mcp.guards.catalogue import RULES

    told: list[tuple[int, int]] = []
    for rule in RULES:
        if not rule.check:
            continue
        mine: list[tuple[int, int]] = []
        for hit in islice(rule.check(text), _MOST_HITS):
            span = (hit.start, hit.end)
            if any(_overlap(span, other) for other in mine) or any(_overlap(span, other) for other in told):
                continue
            mine.append(span)
            yield rule, hit
        if rule.severity is Severity.ERROR:
            told += mine


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return (one[0] < other[1] and other[0] < one[1]) or one == other


def _finding(
    rule: Rule,
    hit: Hit | None,
    text: str,
    *,
    step_id: str | None,
    field: str,
    policy: GuardPolicy,
    message: str | None = None,
) -> Finding:
    from sequences_mcp.guards.excerpt import excerpt

    own = (hit.severity if hit else None) or rule.severity
    return Finding(
        rule=rule.id,
        severity=policy.severity.get(rule.id, own),
        message=message or (hit.message if hit else None) or rule.message,
        step_id=step_id,
        field=field,
        start=hit.start if hit else 0,
        end=hit.end if hit else 0,
        excerpt=excerpt(text, hit.start, hit.end) if hit else "",
        fix=hit.fix if hit else None,
    )


def _with_origin(finding: Finding, text: str, values: Mapping[str, str | None]) -> Finding:
    from dataclasses import replace

    for name, value in values.items():
        if value and _lies_in(finding, text, value.strip()):
            message = f"{finding.message} It comes from the value of {{{{{name}}}}}."
            return replace(finding, message=message, fix=None, variable=name)
    return finding


def _lies_in(finding: Finding, text: str, value: str) -> bool:
    at = text.find(value) if value else -1
    while at >= 0:
        if at <= finding.start and finding.end <= at + len(value):
            return True
        at = text.find(value, at + 1)
    return False
