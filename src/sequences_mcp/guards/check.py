"""The entry points of the guards: steps, a template text, the final text, and the values that fill it in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import ValidationError

from sequences_mcp.domain.blueprint import MOST_VARIANTS, Channel, LinkedInType, Step, Temporality, Variant
from sequences_mcp.domain.findings import Finding, Severity, errors_in
from sequences_mcp.domain.markdown import letter_of
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.domain.threads import is_answering
from sequences_mcp.domain.variables import used_in
from sequences_mcp.guards.inspect import of_value, show_excerpt
from sequences_mcp.guards.policy import DEFAULT, GuardPolicy
from sequences_mcp.guards.rule import Rule, Value
from sequences_mcp.guards.rules.placeholders import AMBIGUOUS
from sequences_mcp.guards.rules.structure import FORM, SIZE
from sequences_mcp.guards.rules.values import DIRECTION
from sequences_mcp.guards.rules.values import _direction as is_right_to_left
from sequences_mcp.guards.text import Field, GuardedText, variant_field
from sequences_mcp.lazy_dataclasses import dataclass, field, replace

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


_MOST_PROBLEMS = 20
_LONGEST = 80
_CHOICES: dict[str, tuple[str, ...]] = {"type": tuple(Channel), "temporalityType": tuple(Temporality)}
_WORDS = {"missing": "is missing", "extra_forbidden": "is no field of a step"}
_FORMS = {  # what a field is, where it was given as something else
    "": "an object with id, name, type, temporalityType, and content, subject or variants",
    "variants": "a list of 2 to 4 texts, each {name, subject, content}; what one leaves out is the step's own",
    "delay": "{value: a whole number, unit: day, minute or second}",
    "policy": "{skipStepIfNoContact, autoValidateAIDraft, inviteTimeoutDays}, each of which can be left out",
    "config": "{userId, newThread}, each of which can be left out",
}
_OF_TEXTS = "one text; two to four to compare stand in variants, each {name, subject, content}"
_OTHER_FORMS = frozenset(
    {"model_type", "model_attributes_type", "dict_type", "list_type", "missing", "extra_forbidden"}
)
_MEANT = {  # fields of other programs, and what they are here
    **dict.fromkeys(("body", "text", "message", "template", "html", "bodyText", "body_html"), "content"),
    **dict.fromkeys(("title", "subjectLine", "subject_line", "subjects"), "subject"),
    **dict.fromkeys(("channel", "stepType", "kind"), "type"),
    **dict.fromkeys(("wait", "delayDays", "delay_days", "waitDays", "after"), "delay"),
    **dict.fromkeys(("variant", "variations", "alternatives", "versions", "ab_test", "abTest"), "variants"),
    **dict.fromkeys(("timing", "temporality", "when"), "temporalityType"),
}


@dataclass(slots=True)
class Form:
    """Parsed steps: the valid ones, the findings about the others, and their texts with their steps' numbers."""

    steps: tuple[Step, ...] = ()
    findings: list[Finding] = field(default_factory=list)
    loose: list[tuple[int, GuardedText]] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether every step is valid."""
        return not self.findings


def read_steps_form(steps: object, policy: GuardPolicy) -> Form:
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
            step_id = show_excerpt(given["id"][:_LONGEST]) if isinstance(given.get("id"), str) else None
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            form.findings += [
                _problem(problem, number, given=given, step_id=step_id) for problem in problems[:_MOST_PROBLEMS]
            ]
            form.loose += ((number, text) for text in _texts(given, step_id, policy))


def _problem(problem: ErrorDetails, number: int, *, given: dict[str, Any], step_id: str | None) -> Finding:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part[:_LONGEST]}" for part in problem["loc"])
    name = show_excerpt("".join(parts).removeprefix("."))
    words = _WORDS.get(problem["type"], f"is wrong: {problem['msg']}")
    whole = re.split(r"[.\[]", name, maxsplit=1)[0]
    if whole == "variants" or (problem["type"] in _OTHER_FORMS and whole in _FORMS):
        words = f"is wrong: {whole or 'it'} is {_FORMS[whole]}"
    if problem["type"] == "string_type" and name in ("subject", "content"):
        words = f"is wrong: it is {_OF_TEXTS}"
    if problem["type"] == "extra_forbidden" and name in _MEANT:
        words = f"{words}; write {_MEANT[name]}"
    if problem["type"] == "missing" and name in _CHOICES:
        words = f"is missing; it is one of {', '.join(_CHOICES[name])}"
    if name == "type" and isinstance(given.get("type"), str) and given["type"] in set(LinkedInType):
        words = f"is wrong: write type LINKEDIN and linkedInType {given['type']}"
    place = name if step_id else f"steps[{number}].{name}".rstrip(".")
    return _finding(FORM, f"{name or 'A step'} {words}.", name=place, step_id=step_id)


def _texts(given: dict[str, Any], step_id: str | None, policy: GuardPolicy) -> Iterator[GuardedText]:
    if isinstance(given.get("content"), str):
        yield GuardedText(original=given["content"], step_id=step_id, policy=policy)
    if isinstance(given.get("subject"), str):
        yield GuardedText(original=given["subject"], field="subject", step_id=step_id, policy=policy)
    variants = given.get("variants")
    for number, variant in enumerate(variants[:MOST_VARIANTS] if isinstance(variants, list) else ()):
        if isinstance(variant, dict):
            for text in _texts(variant, step_id, policy):
                yield replace(text, variant=number)


def _finding(rule: Rule, message: str, *, name: str, step_id: str | None = None) -> Finding:
    return Finding(rule=rule.id, severity=rule.severity, message=message, step_id=step_id, field=name)


def fixed(steps: tuple[Step, ...], findings: tuple[Finding, ...]) -> tuple[Step, ...]:
    """Return the steps with the fix of every error applied."""
    fixes = [finding for finding in errors_in(findings) if finding.fix is not None]
    # Findings name steps by id, so steps that share an id are not changed.
    count = Counter(step.id for step in steps)
    return tuple(
        _fixed(step, [fix for fix in fixes if fix.step_id == step.id and count[step.id] == 1]) for step in steps
    )


def _fixed(step: Step, fixes: list[Finding]) -> Step:
    if not fixes:
        return step
    changes: dict[str, Any] = _mended(step, fixes, place=lambda name: name)
    if step.variants:
        changes["variants"] = tuple(
            variant.model_copy(update=_mended(variant, fixes, place=partial(variant_field, number)))
            for number, variant in enumerate(step.variants)
        )
    return step.model_copy(update=changes)


def _mended(texts: Step | Variant, fixes: list[Finding], *, place: Callable[[str], str]) -> dict[str, str]:
    return {
        name: replaced(text, [fix for fix in fixes if fix.field == place(name)])
        for name, text in (("content", texts.content), ("subject", texts.subject))
        if text is not None
    }


def replaced(text: str, fixes: Iterable[Finding]) -> str:
    """Return the text with each span replaced; of two that overlap, the first counts."""
    done = 0
    parts: list[str] = []
    for finding in sorted(fixes, key=lambda finding: (finding.start, finding.end)):
        if finding.start >= done:
            parts += [text[done : finding.start], finding.fix or ""]
            done = finding.end
    return "".join([*parts, text[done:]])


def rendered_texts(
    step: Step, subject: str | None, content: str | None, *, is_follow_up: bool, policy: GuardPolicy
) -> Iterator[GuardedText]:
    """Return the subject, if the step has one, and the content; a content that is missing is an empty one."""
    given: tuple[tuple[Field, str | None], ...] = (("subject", subject), ("content", content))
    for name, text in given:
        if text is not None or name == "content" or (step.subject or "").strip():
            yield GuardedText(
                original="" if text is None else text,
                field=name,
                channel=step.type,
                linked_in_type=step.linked_in_type,
                step_id=step.id,
                is_follow_up=is_follow_up,
                rendered=True,
                is_markdown=step.is_markdown and name == "content",
                policy=policy,
            )


def unusual(step: Step, values: Mapping[str, str | None], policy: GuardPolicy) -> Iterator[Finding]:
    """Yield findings about the values a step uses; a value's direction is none where the text has the same."""
    template = f"{step.subject or ''} {step.content}"
    used = {name: values[name] for name in used_in([template]) if name in values}
    shares = is_right_to_left(Value(template))
    for finding in (finding for name, value in used.items() for finding in of_value(name, value, policy)):
        if not (shares and finding.rule == DIRECTION.id):
            yield replace(finding, step_id=step.id)


def from_value(
    finding: Finding,
    text: str,
    values: Mapping[str, str | None],
    *,
    refused: frozenset[str],
    remarked: frozenset[str],
) -> Finding | None:
    """Return the finding; if it lies inside a filled-in value, with the variable's name and without a fix.

    An error inside a value that the check of values did not refuse becomes a warning. Otherwise the check before
    an approval, which sees values alone, and the last check of the rendered text could disagree. Of a value that
    nothing at all was said of, so does what reaches into it from the word before, "at None" of "at None More
    Studio", and a bracket is a part of the name: then there is no finding.
    """
    for name, value in values.items():
        if not value:
            continue
        is_inside = _lies_in(finding, text, value.strip())
        if is_inside and name not in remarked and finding.rule == AMBIGUOUS.id:
            return None
        if is_inside or (name not in remarked and _reaches_into(finding, text, value.strip())):
            message = f"{finding.message} It comes from {{{{{name}}}}}."
            is_uncertain = finding.severity is Severity.ERROR and name not in refused
            severity = Severity.WARNING if is_uncertain else finding.severity
            return replace(finding, severity=severity, message=message, fix=None, variable=name)
    return finding


def _lies_in(finding: Finding, text: str, value: str) -> bool:
    at = text.find(value, max(0, finding.end - len(value))) if value else -1
    return 0 <= at <= finding.start and finding.end <= at + len(value)


_WORD_BEFORE = LazyPattern(r"\w{1,12}\s")


def _reaches_into(finding: Finding, text: str, value: str) -> bool:
    """Say whether a finding is one word before the value and the first words of it, and the value goes on."""
    before = _WORD_BEFORE.match(text, finding.start)
    if before is None or not text.startswith(value, before.end()):
        return False
    return before.end() < finding.end < before.end() + len(value)


_NO_VALUES: Mapping[str, str | None] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Findings, and the steps, or None when one is invalid; ``well_formed`` are the valid ones."""

    findings: tuple[Finding, ...]
    steps: tuple[Step, ...] | None
    well_formed: tuple[Step, ...] = ()


def check_steps(steps: object, *, policy: GuardPolicy = DEFAULT) -> Report:
    """Check the steps of a blueprint, as JSON-like data or as Step values, by every rule."""
    from sequences_mcp.guards.inspect import of_steps, of_text

    form = read_steps_form(steps, policy)
    findings = [*form.findings, *of_steps(form.steps, policy)]
    for text in _check_texts(form.steps, policy):
        findings += of_text(text)
    for number, text in form.loose:
        # Of a step without an id its place is told.
        place = "" if text.step_id else f"steps[{number}]."
        findings += (replace(finding, field=f"{place}{finding.field}") for finding in of_text(text))
    return Report(findings=tuple(findings), steps=form.steps if form.is_whole else None, well_formed=form.steps)


def check_text(
    text: object,
    *,
    field: Literal["content", "subject"],
    channel: Channel | None = None,
    linked_in_type: LinkedInType | None = None,
    step_id: str | None = None,
    is_markdown: bool = False,
    policy: GuardPolicy = DEFAULT,
) -> tuple[Finding, ...]:
    """Check one template text, in which the nine variables are allowed."""
    from sequences_mcp.guards.inspect import of_text
    from sequences_mcp.guards.text import GuardedText

    return tuple(
        of_text(
            GuardedText(
                original=cast(str, text),  # what is not a text is a finding
                field=field,
                channel=channel,
                linked_in_type=linked_in_type,
                step_id=step_id,
                is_markdown=is_markdown and field == "content",
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

    findings = list(unusual(step, values, policy))
    answers = {(finding.variable, finding.rule) for finding in findings}
    refused = frozenset(finding.variable for finding in errors_in(findings) if finding.variable)
    remarked = frozenset(finding.variable for finding in findings if finding.variable)
    for text in rendered_texts(step, subject, content, is_follow_up=is_follow_up, policy=policy):
        read = letter_of(text.original).plain if text.is_markdown else text.original
        inside = (
            from_value(finding, read, values, refused=refused, remarked=remarked) for finding in of_text(text)
        )
        findings += (
            finding
            for finding in inside
            if finding is not None and (finding.variable, finding.rule) not in answers
        )
    return tuple(findings)


def check_filled(
    step: Step, values: Mapping[str, str | None], *, policy: GuardPolicy = DEFAULT
) -> tuple[Finding, ...]:
    """Check the values that fill in a step, as ``check_rendered`` does, and not the text that they make."""

    return tuple(unusual(step, values, policy))


def check_values(values: Mapping[str, str | None], *, policy: GuardPolicy = DEFAULT) -> tuple[Finding, ...]:
    """Check values before they fill in a template; no findings means that they are fit for any text."""
    return tuple(finding for name, value in values.items() for finding in of_value(name, value, policy))


def check_value(name: str, value: str | None, *, policy: GuardPolicy = DEFAULT) -> tuple[Finding, ...]:
    """Check one value that can end in a message: a variable, a fact about a person, a note, at any provider.

    ``name`` is the variable's or the fact's ("firstname", "first_name", "job_title", "notes", or a name of the
    caller's own) and decides which rules apply. Errors: a placeholder in any disguise, a token of a template, tags
    and entities, what cannot be seen, a value that is blank. Warnings: what looks wrong, with the likely value as
    the fix where there is one. ``field`` and ``variable`` of each finding name the value.
    """
    return of_value(name, value, policy)


def apply_fixes(steps: Iterable[Step], findings: Iterable[Finding]) -> tuple[Step, ...]:
    """Return the steps with the fixes of errors applied; fixes of warnings are left to a person."""

    return fixed(tuple(steps), tuple(findings))


def _check_texts(steps: tuple[Step, ...], policy: GuardPolicy) -> Iterator[GuardedText]:
    for place, step in enumerate(steps):
        text = GuardedText(
            original=step.content,
            channel=step.type,
            linked_in_type=step.linked_in_type,
            step_id=step.id,
            is_follow_up=is_answering(step, steps[:place]),
            policy=policy,
        )
        for name, original, variant in _texts_of(step):
            written = replace(text, original=original, field=name, variant=variant)
            if name == "subject":
                yield written
            elif step.linked_in_type is LinkedInType.INVITATION:
                continue  # its content is not sent
            elif original.strip() or not step.is_written_per_contact:
                yield replace(written, is_markdown=True) if step.is_markdown else written


def _texts_of(step: Step) -> Iterator[tuple[Field, str, int | None]]:
    """Yield the texts of a step that somebody gets: the field, the text, and whose it is where it is a variant's.

    A part of the step itself is left out where every variant has its own.
    """
    variants = step.variants or ()
    fields: tuple[tuple[Field, str | None], ...] = (("subject", step.subject), ("content", step.content))
    for name, shared in fields:
        given = [getattr(variant, name) for variant in variants]
        if shared is not None and (not variants or None in given) and (shared or not variants):
            yield name, shared, None
        for number, text in enumerate(given):
            if text is not None or (name == "content" and not shared):
                yield name, text or "", number
