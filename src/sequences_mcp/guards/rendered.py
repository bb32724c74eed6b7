"""The final text about to leave, and which of its findings come from a contact's own data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.finding import Finding, Severity
from sequences_mcp.domain.variables import used_in
from sequences_mcp.guards.facts import Value
from sequences_mcp.guards.inspect import of_value
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.guards.rule import Field
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.values.direction import RULE as DIRECTION
from sequences_mcp.guards.values.direction import check_value as is_right_to_left


def texts_of(
    step: Step, subject: str | None, content: str | None, *, is_follow_up: bool, policy: GuardPolicy
) -> Iterator[Text]:
    """Return the subject, if the step has one, and the content; a content that is missing is an empty one."""
    given: tuple[tuple[Field, str | None], ...] = (("subject", subject), ("content", content))
    for field, text in given:
        if text is not None or field == "content" or step.subject is not None:
            yield Text(
                original="" if text is None else text,
                field=field,
                channel=step.type,
                linked_in_type=step.linked_in_type,
                step_id=step.id,
                is_follow_up=is_follow_up,
                rendered=True,
                policy=policy,
            )


def unusual(step: Step, values: Mapping[str, str | None], policy: GuardPolicy) -> Iterator[Finding]:
    """Return what is odd about the values the step uses; direction is not, in a text that shares it."""
    template = f"{step.subject or ''} {step.content}"
    used = {name: values[name] for name in used_in([template]) if name in values}
    shares = is_right_to_left(Value(template))
    for finding in (one for name, value in used.items() for one in of_value(name, value, policy)):
        if not (shares and finding.rule == DIRECTION.id):
            yield replace(finding, step_id=step.id)


def from_value(
    finding: Finding, text: str, values: Mapping[str, str | None], *, refused: frozenset[str]
) -> Finding:
    """Return the finding, saying which value it lies in, if any; a value is never mended, so it has no fix.

    A value is judged by what it is alone: what is found in one that was not ``refused`` is a doubt, so that the
    check of values, which is made before anybody is asked, and the last check of the text say the same.
    """
    for name, value in values.items():
        if value and _lies_in(finding, text, value.strip()):
            message = f"{finding.message} It comes from {{{{{name}}}}}."
            is_doubt = finding.severity is Severity.ERROR and name not in refused
            severity = Severity.WARNING if is_doubt else finding.severity
            return replace(finding, severity=severity, message=message, fix=None, variable=name)
    return finding


def _lies_in(finding: Finding, text: str, value: str) -> bool:
    at = text.find(value, max(0, finding.end - len(value))) if value else -1
    return 0 <= at <= finding.start and finding.end <= at + len(value)
