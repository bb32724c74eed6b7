"""Applies the rules to one text, to steps and to values, and makes findings of their hits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.findings import Finding, Severity, errors_in
from sequences_mcp.domain.invisible import draw
from sequences_mcp.domain.markdown import template_letter
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.domain.variables import is_blank
from sequences_mcp.guards.catalogue import RULES
from sequences_mcp.guards.names import is_heading, is_plain, likely
from sequences_mcp.guards.policy import MAX_BYTES, GuardPolicy
from sequences_mcp.guards.rule import PERSON, Fact, Rule, Value, fact_of
from sequences_mcp.guards.rules import channel_markup
from sequences_mcp.guards.rules.placeholders import INSTRUCTION, is_instruction, is_unwritten
from sequences_mcp.guards.rules.structure import CROWDED, KIND, LENGTH, too_many
from sequences_mcp.guards.rules.values import MARKS, MISSING
from sequences_mcp.guards.rules.variables import UNKNOWN
from sequences_mcp.guards.squares import BLANK
from sequences_mcp.guards.text import GuardedText, Hit
from sequences_mcp.guards.vocabulary import is_unheard_of
from sequences_mcp.guards.words import has_field, means_nothing
from sequences_mcp.remembering import VALUES

_AROUND = 24
_MOST = 80
_ON_ONE_LINE = str.maketrans({"\n": "⏎", "\t": " "})


def excerpt(text: str, start: int, end: int) -> str:
    """Return the span between ⟦ and ⟧ with some text around it, on one line, invisible characters drawn."""
    inside = text[start:end] if end - start <= _MOST else f"{text[start : start + _MOST]}…"
    before = ("…" if start > _AROUND else "") + text[max(0, start - _AROUND) : start]
    after = text[end : end + _AROUND] + ("…" if len(text) > end + _AROUND else "")
    return show_excerpt(before) + "⟦" + show_excerpt(inside) + "⟧" + show_excerpt(after)


def show_excerpt(text: str) -> str:
    """Return a text on one line, with invisible characters drawn."""
    return draw(text.replace("\r\n", "\n"), keep="\n\t").translate(_ON_ONE_LINE)


_MOST_HITS = 20
"""The most findings of one rule in one text."""

Span = tuple[int, int]
Check = tuple[Rule, Callable[[GuardedText], Iterable[Hit]]]
_CHECKS: tuple[Check, ...] = tuple((rule, rule.check) for rule in RULES if rule.check)
_OF_CONTENTS = tuple((rule, check) for rule, check in _CHECKS if rule.example != "subject")
# The rules about texts that apply to a value too. Those about the form of a whole message or draft do not.
_LAYERS_OF_VALUES = ("variables", "placeholders", "foreign")
_MARKDOWN = "channel.markdown"
NOT_FILLED_IN = "This is a variable of a template that was never filled in: put the real value."
_OF_CHANNELS = frozenset({"channel.active_content", "channel.homograph", "channel.markup", _MARKDOWN})
_OF_MESSAGES = frozenset(
    {
        *("placeholders.bare_word", "placeholders.example_host", "placeholders.gap", "foreign.missing_name"),
        *("foreign.doubled", "foreign.strange_date", "foreign.sample_name"),
    }
)
_OF_DRAFTS = frozenset(
    f"foreign.{name}"
    for name in (
        "subject_line",
        "preamble",
        "work_note",
        "draft_label",
        "variants",
        "doubled",
        "strange_date",
        "sample_name",
    )
)
_BY_SHAPE = frozenset({"placeholders.square"})
_BY_SHAPE_OF_COMPANIES = _BY_SHAPE | {"placeholders.angle", "foreign.single_brace"}  # <kes>, {code}
_OF_VALUES = tuple(
    (rule, check)
    for rule, check in _CHECKS
    if (rule.layer in _LAYERS_OF_VALUES and rule.id not in _OF_MESSAGES) or rule.id in _OF_CHANNELS
)
_NAMES = ("Nil", "Nan", "Na")
_OF_WRITING = frozenset(
    f"values.{name}"
    for name in (
        *("nothing", "heading", "sample", "lost_letter", "team", "no_company", "address", "quoted", "picture"),
        *("initial", "salutation", "more", "headline", "loose_end", "digits", "casing", "spacing"),
    )
)
_OF_NOTES = tuple((rule, check) for rule, check in _OF_VALUES if rule.id not in _OF_DRAFTS)


def of_text(text: GuardedText, *, rules: Iterable[Check] | None = None) -> Iterator[Finding]:
    """Yield the findings of all rules about texts, or of the given ones."""
    if not isinstance(text.original, str):
        yield _finding(KIND, Hit(0, 0), "", text=text)
    elif _is_long(text.original):
        yield _finding(LENGTH, Hit(0, len(text.original)), "", text=text)
    elif sign := too_many(text.original):
        yield _finding(
            CROWDED,
            Hit(0, len(text.original), message=f"There are more {sign!r} here than a person would write."),
            "",
            text=text,
        )
    elif text.is_markdown:
        yield from _of_markdown(text)
    else:
        yield from _of_written(text, rules or (_CHECKS if text.is_subject else _OF_CONTENTS))


def _of_written(text: GuardedText, checks: Iterable[Check]) -> Iterator[Finding]:
    for rule, hit in _hits(text, checks):
        yield _finding(rule, hit, excerpt(text.original, hit.start, hit.end), text=text)


_OF_MARKDOWN = tuple((rule, check) for rule, check in _CHECKS if rule is channel_markup.MARKDOWN_FORM)
_OF_LINKS = tuple((rule, check) for rule, check in _CHECKS if rule is channel_markup.LINK_MISMATCH)
_NO_BRACKETS = str.maketrans("", "", "[]\n")
_OF_SOURCES = tuple((rule, check) for rule, check in _OF_CONTENTS if rule.id != _MARKDOWN)


def _of_markdown(text: GuardedText) -> Iterator[Finding]:
    """Yield what is found in a text in Markdown: in its form, in what is read of it, and in where its links lead.

    A template is looked at as it is written too, so that a finding has its place there. Of a final text the places
    are those in what is read.
    """
    findings = list(_of_written(text, _OF_MARKDOWN if text.rendered else _OF_SOURCES))
    yield from findings
    reported = {finding.rule for finding in findings}
    letter = template_letter(text.original)
    read = replace(text, original=letter.plain, is_markdown=False)
    links = [f"[{link.words.translate(_NO_BRACKETS)}]({link.address})" for link in letter.links if link.is_fit]
    written = (replace(read, original=link) for link in links)
    of_reader = [
        *_of_written(read, _OF_CONTENTS),
        *(hit for link in written for hit in _of_written(link, _OF_LINKS)),
    ]
    for finding in of_reader:
        if finding.rule in reported:
            continue
        if text.rendered and finding.rule != channel_markup.LINK_MISMATCH.id:
            yield finding
        else:
            yield replace(finding, start=0, end=len(text.original), fix=None)


def _is_long(text: str) -> bool:
    if len(text) * 4 <= MAX_BYTES:
        return False
    return len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES


def _hits(text: GuardedText, checks: Iterable[Check]) -> Iterator[tuple[Rule, Hit]]:
    """Apply the rules in order; a span that an error covers is not reported again, in another view either."""
    reported: list[Span] = []
    letters = text.letters
    for rule, check in checks:
        if rule.signs and letters.isdisjoint(rule.signs):
            continue
        hits = iter(check(text))
        first = next(hits, None)  # most rules find nothing
        if first is not None:
            for hit in _new(chain((first,), hits), rule, reported):
                yield rule, hit


def _new(hits: Iterable[Hit], rule: Rule, reported: list[Span]) -> Iterator[Hit]:
    """Yield the hits of a rule at spans not reported yet, and add its errors to ``reported``.

    Warnings never hide an error, so they are counted apart. A rule whose severity is WARNING raises a hit to an
    error only when it is its only hit, so once it has ``_MOST_HITS`` warnings the rest cannot matter.
    """
    may_refuse = rule.severity is Severity.ERROR
    errors: list[Span] = []
    warnings: list[Span] = []
    for hit in hits:
        span = (hit.start, hit.end)
        is_error = (hit.severity or rule.severity) is Severity.ERROR
        mine = errors if is_error else warnings
        if (is_error or len(warnings) < _MOST_HITS) and not any(
            _overlap(span, other) for other in [*reported, *mine]
        ):
            mine.append(span)
            yield hit
        if len(errors) == _MOST_HITS or (len(warnings) == _MOST_HITS and not may_refuse):
            break
    reported += errors


def _overlap(item: Span, other: Span) -> bool:
    return (item[0] < other[1] and other[0] < item[1]) or item == other


def _finding(rule: Rule, hit: Hit, shown: str, *, text: GuardedText) -> Finding:
    return Finding(
        rule=rule.id,
        severity=text.policy.severity.get(rule.id, hit.severity or rule.severity),
        message=hit.message or rule.message,
        step_id=text.step_id,
        field=text.place,
        start=hit.start,
        end=hit.end,
        excerpt=shown,
        fix=hit.fix,
    )


def of_steps(steps: tuple[Step, ...], policy: GuardPolicy) -> Iterator[Finding]:
    """Yield the findings of the rules about steps."""
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


def of_value(name: str, value: str | None, policy: GuardPolicy) -> tuple[Finding, ...]:
    """Return the findings about one value; ``field`` and ``variable`` are its name."""
    findings = _of_fact(fact_of(name), value, policy)
    return tuple([_named(name, finding) for finding in findings]) if findings else findings


@VALUES.up_to(32_768)
def _of_fact(fact: Fact, value: str | None, policy: GuardPolicy) -> tuple[Finding, ...]:
    """Return the same without the name. Cached: a plan checks each value of its people several times."""
    return tuple(_looked_at(fact, value, policy))


def _looked_at(fact: Fact, value: str | None, policy: GuardPolicy) -> Iterator[Finding]:
    given = Value(value or "", fact)
    if value and is_plain(given):  # and so not blank
        return
    if is_blank(value):
        yield _finding_at(MISSING, given, policy)
    else:
        markup = []
        if not is_unheard_of(given.text, policy):
            markup = list(_as_text(given, policy)) or list(_as_greeted(given, policy))
        is_refused = bool(errors_in(markup))  # and then nothing tells what it should be
        for finding in [*markup, *_as_value(given, policy)]:
            if not (markup and finding.rule == MARKS.id):
                yield replace(finding, fix=None) if is_refused else finding


def _named(name: str, finding: Finding) -> Finding:
    return replace(finding, message=f"{{{{{name}}}}}: {finding.message}", field=name, variable=name)


def _as_text(value: Value, policy: GuardPolicy) -> Iterator[Finding]:
    """Yield what the rules about texts find in a value: placeholders, tokens, markup."""
    text = GuardedText(original=value.text, rendered=True, policy=policy)
    is_note = value.fact is Fact.NOTE
    for finding in of_text(text, rules=_OF_NOTES if is_note else _OF_VALUES):
        if finding.severity is Severity.ERROR:
            if finding.rule == UNKNOWN.id:
                finding = replace(finding, message=NOT_FILLED_IN)
            by_shape = _BY_SHAPE_OF_COMPANIES if value.fact is Fact.COMPANY else _BY_SHAPE
            if finding.rule not in by_shape or _names_a_blank(value.text[finding.start : finding.end]):
                yield replace(finding, fix=None)
            elif not is_note:
                yield replace(finding, severity=Severity.WARNING, fix=None)
        elif finding.rule == _MARKDOWN and value.fact not in PERSON:
            yield finding
    if value.fact in (Fact.OTHER, Fact.NOTE) and is_unwritten(value.text):
        yield _finding_at(INSTRUCTION, value, policy)


_OF_JAVASCRIPT = LazyPattern(r"(?i)object (?:object|null|undefined|array|promise|function|string)")


def _names_a_blank(bracketed: str) -> bool:
    """Say whether the words in brackets name a placeholder: "[company]", "[insert note]", not "[x]cube Labs"."""
    inner = bracketed.strip("[]［］<>{} ")
    if not inner or _OF_JAVASCRIPT.fullmatch(inner):
        return True
    return has_field(inner) or is_instruction(inner) or bool(BLANK.fullmatch(inner))


def _as_greeted(value: Value, policy: GuardPolicy) -> Iterator[Finding]:
    """Yield errors about a first name that only the context of a greeting shows: a failed render, a tag's name."""
    if value.fact is Fact.FIRST and (is_heading(value) or means_nothing(value.text)) and value.text not in _NAMES:
        text = GuardedText(original=f"Hi {value.text.strip()},", rendered=True, policy=policy)
        for finding in of_text(text, rules=_OF_VALUES):
            if finding.severity is Severity.ERROR:
                yield replace(finding, start=0, end=len(value.text), fix=None)


def _as_value(value: Value, policy: GuardPolicy) -> Iterator[Finding]:
    """Yield the findings of the rules about values; of those in ``_OF_WRITING``, only the first."""
    is_reported = False
    for rule in RULES:
        if rule.check_value is None or value.fact not in rule.facts or (is_reported and rule.id in _OF_WRITING):
            continue
        if rule.check_value(value):
            is_reported = is_reported or rule.id in _OF_WRITING
            yield _finding_at(rule, value, policy)


def _finding_at(rule: Rule, value: Value, policy: GuardPolicy) -> Finding:
    return Finding(
        rule=rule.id,
        severity=policy.severity.get(rule.id, rule.severity),
        message=rule.message,
        end=len(value.text),
        excerpt=excerpt(value.text, 0, len(value.text)),
        fix=likely(value) if rule.mends else None,
    )
