"""The doors of the guards: steps, a template text, the final text, and the values that fill it in.

Nothing here raises, whatever it is given: what is wrong with the input is a finding like any other. The rules are
loaded at the first check, so that a server that checks nothing starts without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, cast

from sequences_mcp.domain.blueprint import Channel, LinkedInType, Step
from sequences_mcp.domain.finding import Finding, errors_in
from sequences_mcp.guards.policy import DEFAULT, GuardPolicy

if TYPE_CHECKING:
    from sequences_mcp.guards.text import Text

_NO_VALUES: Mapping[str, str | None] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found, and the steps, None when the form of one is wrong; ``well_formed`` are the others."""

    findings: tuple[Finding, ...]
    steps: tuple[Step, ...] | None
    well_formed: tuple[Step, ...] = ()


def check_steps(steps: object, *, policy: GuardPolicy = DEFAULT) -> Report:
    """Check the steps of a blueprint, as JSON-like data or as Step values, by every rule."""
    from sequences_mcp.guards.form import read
    from sequences_mcp.guards.inspect import of_steps, of_text

    form = read(steps, policy)
    findings = [*form.findings, *of_steps(form.steps, policy)]
    for text in [*_texts(form.steps, policy), *form.loose]:
        findings += of_text(text)
    return Report(findings=tuple(findings), steps=form.steps if form.is_whole else None, well_formed=form.steps)


def check_text(
    text: object,
    *,
    field: Literal["content", "subject"],
    channel: Channel | None = None,
    linked_in_type: LinkedInType | None = None,
    step_id: str | None = None,
    policy: GuardPolicy = DEFAULT,
) -> tuple[Finding, ...]:
    """Check one template text, in which the nine variables are allowed."""
    from sequences_mcp.guards.inspect import of_text
    from sequences_mcp.guards.text import Text

    return tuple(
        of_text(
            Text(
                original=cast(str, text),  # what is not a text is a finding
                field=field,
                channel=channel,
                linked_in_type=linked_in_type,
                step_id=step_id,
                policy=policy,
            )
        )
    )


def check_rendered(
    *,
    step: Step,
    subject: str | None,
    content: str | None,
    values: Mapping[str, str | None] = _NO_VALUES,
    is_follow_up: bool = False,
    policy: GuardPolicy = DEFAULT,
) -> tuple[Finding, ...]:
    """Check the final text of one step for one contact: no variable may be left, and the values are data.

    ``is_follow_up`` says that an e-mail went out before, so that a subject may begin with "Re:". A finding inside
    a filled-in value says which value it is.
    """
    from sequences_mcp.guards.inspect import of_text
    from sequences_mcp.guards.rendered import from_value, texts_of, unusual

    findings = list(unusual(step, values, policy))
    told = {(finding.variable, finding.rule) for finding in findings}
    refused = frozenset(finding.variable for finding in errors_in(findings) if finding.variable)
    for text in texts_of(step, subject, content, is_follow_up=is_follow_up, policy=policy):
        inside = (from_value(one, text.original, values, refused=refused) for one in of_text(text))
        findings += (one for one in inside if (one.variable, one.rule) not in told)
    return tuple(findings)


def check_filled(
    step: Step, values: Mapping[str, str | None], *, policy: GuardPolicy = DEFAULT
) -> tuple[Finding, ...]:
    """Check the values that fill in a step, as ``check_rendered`` does, and not the text that they make."""
    from sequences_mcp.guards.rendered import unusual

    return tuple(unusual(step, values, policy))


def check_values(values: Mapping[str, str | None], *, policy: GuardPolicy = DEFAULT) -> tuple[Finding, ...]:
    """Check values before they fill in a template: nothing found means that each is plain enough for any text."""
    from sequences_mcp.guards.inspect import of_value

    return tuple(finding for name, value in values.items() for finding in of_value(name, value, policy))


def check_value(name: str, value: str | None, *, policy: GuardPolicy = DEFAULT) -> tuple[Finding, ...]:
    """Check one value that can end in a message: a variable, a fact about a person, a note, at any provider.

    ``name`` is the variable's or the fact's ("firstname", "first_name", "job_title", "notes", or a name of the
    caller's own) and decides which rules apply. Errors: a placeholder in any disguise, a token of a template, tags
    and entities, what cannot be seen, a value that is blank. Warnings: what is doubtful, with the likely value as
    the fix where there is one. ``field`` and ``variable`` of each finding name the value.
    """
    from sequences_mcp.guards.inspect import of_value

    return of_value(name, value, policy)


def apply_fixes(steps: Iterable[Step], findings: Iterable[Finding]) -> tuple[Step, ...]:
    """Return the steps with the mechanical fixes of errors applied; a warning is a person's business."""
    from sequences_mcp.guards.fixes import fixed

    return fixed(tuple(steps), tuple(findings))


def _texts(steps: tuple[Step, ...], policy: GuardPolicy) -> Iterator[Text]:
    from sequences_mcp.guards.text import Text

    mailed = False
    for step in steps:
        text = Text(
            original=step.content,
            channel=step.type,
            linked_in_type=step.linked_in_type,
            step_id=step.id,
            is_follow_up=mailed,
            policy=policy,
        )
        if step.subject is not None:
            yield replace(text, original=step.subject, field="subject")
        if step.linked_in_type is LinkedInType.INVITATION:
            continue  # its content is not sent
        if step.content.strip() or not step.is_written_per_contact:
            yield text
        mailed = mailed or step.type is Channel.EMAIL
