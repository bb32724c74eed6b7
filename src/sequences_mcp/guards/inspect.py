"""Rules applied to one text, to steps and to values, and their hits made findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.finding import Finding, Severity
from sequences_mcp.guards.catalogue import RULES
from sequences_mcp.guards.excerpt import excerpt
from sequences_mcp.guards.plain import is_plain
from sequences_mcp.guards.policy import MAX_BYTES, GuardPolicy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.structure.crowded import RULE as CROWDED
from sequences_mcp.guards.structure.crowded import too_many
from sequences_mcp.guards.structure.kind import RULE as KIND
from sequences_mcp.guards.structure.length import RULE as LENGTH
from sequences_mcp.guards.text import Text

_MOST_HITS = 20
"""How many places a rule tells of in one text: who mends these will look again."""

Span = tuple[int, int]
_CHECKS = tuple((rule, rule.check) for rule in RULES if rule.check)


def of_text(text: Text) -> Iterator[Finding]:
    """Return what the rules about texts find."""
    if not isinstance(text.original, str):
        yield _finding(KIND, Hit(0, 0), "", text=text)
    elif len(text.original.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        yield _finding(LENGTH, Hit(0, len(text.original)), "", text=text)
    elif sign := too_many(text.original):
        yield _finding(
            CROWDED,
            Hit(0, len(text.original), message=f"There are more {sign!r} here than a person would write."),
            "",
            text=text,
        )
    else:
        for rule, hit in _hits(text):
            yield _finding(rule, hit, excerpt(text.original, hit.start, hit.end), text=text)


def _hits(text: Text) -> Iterator[tuple[Rule, Hit]]:
    """Apply every rule. What an error has told of is not told of again, in another view or by another rule."""
    told: list[Span] = []
    for rule, check in _CHECKS:
        for hit in _new(check(text), rule, told):
            yield rule, hit


def _new(hits: Iterable[Hit], rule: Rule, told: list[Span]) -> Iterator[Hit]:
    """Return the hits at places not told of, and note the errors; a doubt never hides an error."""
    errors: list[Span] = []
    doubts: list[Span] = []
    for hit in hits:
        span = (hit.start, hit.end)
        is_error = (hit.severity or rule.severity) is Severity.ERROR
        mine = errors if is_error else doubts
        if (is_error or len(doubts) < _MOST_HITS) and not any(_overlap(span, other) for other in [*told, *mine]):
            mine.append(span)
            yield hit
        if len(errors) == _MOST_HITS:
            break
    told += errors


def _overlap(one: Span, other: Span) -> bool:
    return (one[0] < other[1] and other[0] < one[1]) or one == other


def _finding(rule: Rule, hit: Hit, shown: str, *, text: Text) -> Finding:
    return Finding(
        rule=rule.id,
        severity=text.policy.severity.get(rule.id, hit.severity or rule.severity),
        message=hit.message or rule.message,
        step_id=text.step_id,
        field=text.field,
        start=hit.start,
        end=hit.end,
        excerpt=shown,
        fix=hit.fix,
    )


def of_steps(steps: tuple[Step, ...], policy: GuardPolicy) -> Iterator[Finding]:
    """Return what the rules about steps find."""
    for rule in RULES:
        for step, field, message, hit in rule.check_steps(steps) if rule.check_steps else ():
            yield Finding(
                rule=rule.id,
                severity=policy.severity.get(rule.id, rule.severity),
                message=message or rule.message,
                step_id=step.id,
                field=field,
                start=hit.start if hit else 0,
                end=hit.end if hit else 0,
                excerpt=excerpt(step.content, hit.start, hit.end) if hit else "",
                fix=hit.fix if hit else None,
            )


def of_values(values: Mapping[str, str | None], policy: GuardPolicy) -> Iterator[Finding]:
    """Return what the rules about values find; ``field`` and ``variable`` name the value."""
    for name, value in values.items():
        if not is_plain(value):
            yield from _of_value(name, value or "", policy)


def _of_value(name: str, value: str, policy: GuardPolicy) -> Iterator[Finding]:
    for rule in RULES:
        if rule.check_value and rule.check_value(value):
            yield Finding(
                rule=rule.id,
                severity=policy.severity.get(rule.id, rule.severity),
                message=f"{{{{{name}}}}}: {rule.message}",
                field=name,
                end=len(value),
                excerpt=excerpt(value, 0, len(value)),
                variable=name,
            )
