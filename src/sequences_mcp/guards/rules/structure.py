"""The form of steps: rules of the layer ``structure``."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain import invisible
from sequences_mcp.domain.blueprint import (
    FEWEST_VARIANTS,
    MOST_VARIANTS,
    Channel,
    DelayUnit,
    LinkedInType,
    Step,
    Temporality,
    TextKind,
    Variant,
)
from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.threads import is_answering
from sequences_mcp.guards.rule import Rule, StepHit
from sequences_mcp.guards.text import Hit, variant_field

FORM = Rule(
    id="structure.form",
    severity=Severity.ERROR,
    message="This is not in the form of a step.",
    accept=('[{"id": "a", "name": "First", "type": "SMS", "content": "Hi", "temporalityType": "ASAP"}]', "[]"),
    reject=(
        '[{"type": "FAX"}]',
        '[{"subjekt": "Rust"}]',
        '[{"content": null}]',
        '[{"delay": {"value": 1, "unit": "month"}}]',
        '[{"delay": {"value": true, "unit": "day"}}]',
        "[7]",
        "{}",
    ),
    source="Kalent, step format",
    example="steps",
)


KIND = Rule(
    id="structure.kind",
    severity=Severity.ERROR,
    message="This is not a text.",
    accept=("Hi",),
    reject=(),
    source="ours",
)


LENGTH = Rule(
    id="structure.length",
    severity=Severity.ERROR,
    message="This text is longer than 100 kB and was not looked at.",
    accept=("é" * 50_000,),
    reject=("é" * 50_001,),
    source="ours",
)


_FEW = "[]{}|［］｛｝【】"
_MORE = "<>&%$#@^~=_*\\\"'`()«»…\ufdd0\u00ad\u200b\u200c\u200d\u2060\ufeff"
_LINES = 5_000
LIMITS = {**dict.fromkeys(_FEW, 300), **dict.fromkeys(_MORE, 2_000), "\n": _LINES, "\t": _LINES}
"""How often a text may have each of these."""


def too_many(text: str) -> str | None:
    """Return the first sign that a text has more often than a person would write it, or None."""
    length = len(text)
    for sign, most in LIMITS.items():  # the lowest limits come first
        if length <= most:
            return None
        if text.count(sign) > most:
            return sign
    return None


CROWDED = Rule(
    id="structure.crowded",
    severity=Severity.ERROR,
    message="This text has one sign more often than a person would write it, and was not looked at.",
    accept=("[1] " * 300,),
    reject=("[1] " * 301, "{" * 301, "<p>" * 2_001),
    source="ours",
)


_TOO_MANY = ", ".join(f'{{"id": "{number}"}}' for number in range(51))

SIZE = Rule(
    id="structure.size",
    severity=Severity.ERROR,
    message="A blueprint has more steps than the limit.",
    accept=('[{"id": "a"}, {"id": "b"}]',),
    reject=(f"[{_TOO_MANY}]",),
    source="ours",
    example="steps",
)


LONGEST_NAME = 200


def _name(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every name and id that is not one line of a moderate length, or hides something.

    They stand among what a person reads before an approval: after a line break they could pass for a text.
    """
    for step in steps:
        names = [
            (variant_field(number, "name"), text.name or "") for number, text in enumerate(step.variants or ())
        ]
        for field, text in (("id", step.id), ("name", step.name), *names):
            if message := _no_name(field, text):
                yield StepHit(step, field, message=message)


def _no_name(field: str, text: str) -> str | None:
    if run := next(invisible.hidden_spans(text), None):
        hidden = invisible.names_of(text, run)
        return f"This {field} has characters in it that cannot be seen: {hidden}."
    if len(text) > LONGEST_NAME:
        return f"This {field} is longer than {LONGEST_NAME} characters."
    return f"This {field} has a line break in it." if invisible.breaks_line(text) else None


NAME = Rule(
    id="structure.name",
    severity=Severity.ERROR,
    message="A name or an id is one line, of up to 200 characters that can be seen.",
    accept=('[{"name": "Follow-up ❤️"}]',),
    reject=(
        '[{"name": "Follow-up\\nSubject: Rust"}]',
        '[{"id": "a\\u2028b"}]',
        '[{"name": "Follow\\u200b-up"}]',
        '[{"id": "s\\ufe01\\ufe02"}]',
    ),
    source="Unicode TR 36, 3",
    example="steps",
    check_steps=_name,
)


def _duplicate_id(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every step whose id an earlier one has, or that has none to speak of."""
    seen: set[str] = set()
    for step in steps:
        if not step.id.strip():
            yield StepHit(step, "id", message="A step needs an id.")
        elif step.id in seen:
            yield StepHit(step, "id")
        seen.add(step.id)


DUPLICATE_ID = Rule(
    id="structure.duplicate_id",
    severity=Severity.ERROR,
    message="Another step has this id already.",
    accept=('[{"id": "a"}, {"id": "b"}]',),
    reject=(
        '[{"id": "a"}, {"id": "a"}]',
        '[{"id": " "}]',
    ),
    source="Kalent, step format: unique within the blueprint",
    example="steps",
    check_steps=_duplicate_id,
)


def _linked_in_type(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every LinkedIn step without the type and every other step with it."""
    for step in steps:
        if step.type is Channel.LINKEDIN and step.linked_in_type is None:
            yield StepHit(step, "linkedInType", message="A LinkedIn step needs a linkedInType.")
        elif step.type is not Channel.LINKEDIN and step.linked_in_type is not None:
            yield StepHit(step, "linkedInType")


LINKED_IN_TYPE = Rule(
    id="structure.linked_in_type",
    severity=Severity.ERROR,
    message="linkedInType is for LinkedIn steps only.",
    accept=(
        '[{"type": "LINKEDIN", "linkedInType": "LINKEDIN_MESSAGE"}]',
        '[{"type": "SMS"}]',
    ),
    reject=(
        '[{"type": "LINKEDIN"}]',
        '[{"type": "SMS", "linkedInType": "LINKEDIN_MESSAGE"}]',
    ),
    source="Kalent, step format: required for LINKEDIN, forbidden elsewhere",
    example="steps",
    check_steps=_linked_in_type,
)


def _subject(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every e-mail or InMail without a subject and every other step with one.

    Where the text is written per contact, its subject may be written with it; an answer may take over that of the
    e-mail before.
    """
    for place, step in enumerate(steps):
        needs_none = step.is_written_per_contact or is_answering(step, steps[:place])
        if not step.takes_subject and step.subject is not None:
            yield StepHit(step, "subject")
            continue
        for number, text in enumerate(step.alternatives):
            field = variant_field(number, "subject") if step.variants else "subject"
            if step.takes_subject and text.subject is None and not needs_none:
                yield StepHit(step, field, message="An e-mail or InMail needs a subject.")
            elif not step.takes_subject and text.subject is not None:
                yield StepHit(step, field)


SUBJECT = Rule(
    id="structure.subject",
    severity=Severity.ERROR,
    message="Only e-mail and InMail have a subject.",
    accept=(
        '[{"type": "EMAIL", "subject": "Rust"}]',
        '[{"type": "SMS"}]',
        '[{"type": "EMAIL", "contentSource": "suggestedByKalent"}]',
        '[{"type": "EMAIL", "subject": "Rust"}, {"type": "EMAIL"}]',
    ),
    reject=(
        '[{"type": "EMAIL"}]',
        '[{"type": "EMAIL", "subject": "Rust"}, {"type": "EMAIL", "config": {"newThread": true}}]',
        '[{"type": "SMS", "subject": "Rust"}]',
    ),
    source="Kalent, step format: for e-mail, and for InMail",
    example="steps",
    check_steps=_subject,
)


def _variants(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every step whose variants are too few or too many, cannot be sent, or leave nothing to compare."""
    for step in steps:
        if step.variants:
            if message := _no_variants(step, len(step.variants)):
                yield StepHit(step, "variants", message=message)
            else:
                yield from _useless_variants(step, step.variants)


def _no_variants(step: Step, number: int) -> str | None:
    if step.is_written_per_contact:
        return "Each contact gets a text of their own in this step. Leave either variants or contentSource out."
    if step.linked_in_type is LinkedInType.INVITATION:
        return "A plain invitation carries no text, so that there is nothing to compare. Leave variants out."
    if FEWEST_VARIANTS <= number <= MOST_VARIANTS:
        return None
    what = "Write both texts in variants" if number < FEWEST_VARIANTS else "Leave some of them out"
    return f"A step has {FEWEST_VARIANTS} to {MOST_VARIANTS} variants, or none; this one has {number}. {what}."


def _useless_variants(step: Step, variants: tuple[Variant, ...]) -> Iterator[StepHit]:
    first: dict[tuple[str, str], int] = {}
    for number, text in enumerate(step.alternatives):
        seen = ((text.subject or "").strip(), text.content.strip())  # blanks around it make no other text
        same = first.setdefault(seen, number)
        if same != number:
            message = f"This is the same text as {variant_field(same)}. Change one of the two, or leave it out."
            yield StepHit(step, variant_field(number), message=message)
    for field, shared in (("subject", step.subject), ("content", step.content)):
        given = [getattr(variant, field) for variant in variants]
        if shared and None not in given and shared not in given:
            message = f"Every variant has a {field} of its own, so that nobody would get this one."
            yield StepHit(step, field, message=f"{message} Make it a variant too, or leave it out.")


_TWO_SUBJECTS = '"variants": [{"subject": "Rust"}, {"subject": "A question"}]'

VARIANTS = Rule(
    id="structure.variants",
    severity=Severity.ERROR,
    message="These variants cannot be compared.",
    accept=(
        f'[{{"type": "EMAIL", "content": "Hi", {_TWO_SUBJECTS}}}]',
        '[{"type": "SMS", "content": "", "variants": [{"content": "Hi"}, {"content": "Hello", "name": "B"}]}]',
        '[{"type": "SMS", "content": "Hi", "variants": [{}, {"content": "Hello"}]}]',
    ),
    reject=(
        '[{"type": "SMS", "content": "Hi", "variants": [{"content": "Hello"}]}]',
        '[{"type": "SMS", "content": "", "variants": [{"content": "Hi"}, {"content": "Hi"}]}]',
        '[{"type": "SMS", "content": "Hi", "variants": [{"content": "Hello"}, {"content": "Good day"}]}]',
        f'[{{"type": "EMAIL", "contentSource": "suggestedByKalent", {_TWO_SUBJECTS}}}]',
        '[{"type": "LINKEDIN", "linkedInType": "LINKEDIN_INVITATION", "content": "", "variants": [{}, {}]}]',
    ),
    source="ours",
    example="steps",
    check_steps=_variants,
)


def _format(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every step in Markdown that is no e-mail."""
    for step in steps:
        if step.format is TextKind.MARKDOWN and step.type is not Channel.EMAIL:
            yield StepHit(step, "format")


FORMAT = Rule(
    id="structure.format",
    severity=Severity.ERROR,
    message="Only an e-mail is written in Markdown; what every other channel shows is text. Leave format out.",
    accept=('[{"type": "EMAIL", "subject": "Rust", "format": "markdown"}]', '[{"type": "SMS", "format": "text"}]'),
    reject=('[{"type": "SMS", "format": "markdown"}]', '[{"type": "WHATSAPP", "format": "markdown"}]'),
    source="ours",
    example="steps",
    check_steps=_format,
)


_YEAR = {DelayUnit.DAY: 366, DelayUnit.MINUTE: 366 * 24 * 60, DelayUnit.SECOND: 366 * 24 * 60 * 60}


def _delay(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every delay that is missing, out of place, not positive, or longer than a year."""
    for step in steps:
        if step.temporality_type is Temporality.DELAYED and step.delay is None:
            yield StepHit(step, "delay", message="A DELAYED step needs a delay.")
        elif step.temporality_type is not Temporality.DELAYED and step.delay is not None:
            yield StepHit(step, "delay")
        elif step.delay and not 1 <= step.delay.value <= _YEAR[step.delay.unit]:
            yield StepHit(step, "delay.value", message="A delay must be positive, and a year at most.")


DELAY = Rule(
    id="structure.delay",
    severity=Severity.ERROR,
    message="Only a DELAYED step has a delay.",
    accept=(
        '[{"temporalityType": "DELAYED", "delay": {"value": 366, "unit": "day"}}]',
        '[{"temporalityType": "ASAP"}]',
    ),
    reject=(
        '[{"temporalityType": "DELAYED"}]',
        '[{"temporalityType": "DELAYED", "delay": {"value": 0, "unit": "day"}}]',
        '[{"temporalityType": "ASAP", "delay": {"value": 1, "unit": "day"}}]',
        '[{"temporalityType": "DELAYED", "delay": {"value": 367, "unit": "day"}}]',
    ),
    source="Kalent, step format: required when DELAYED, positive; a year at most is ours",
    example="steps",
    check_steps=_delay,
)


def _one_invitation(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every invitation after the first."""
    for step in [step for step in steps if step.is_invitation][1:]:
        yield StepHit(step, "linkedInType")


_INVITATION = '"type": "LINKEDIN", "linkedInType": "LINKEDIN_INVITATION", "content": ""'

ONE_INVITATION = Rule(
    id="structure.one_invitation",
    severity=Severity.ERROR,
    message="A blueprint has one invitation at most, with or without a note.",
    accept=(f"[{{{_INVITATION}}}]",),
    reject=(f'[{{"id": "a", {_INVITATION}}}, {{"id": "b", {_INVITATION}}}]',),
    source="Kalent: only one invite step is allowed per blueprint",
    example="steps",
    check_steps=_one_invitation,
)


def _settled(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every such step that no invitation precedes."""
    invited = False
    for step in steps:
        if step.temporality_type is Temporality.AFTER_INVITATION_SETTLED and not invited:
            yield StepHit(step, "temporalityType")
        invited = invited or step.is_invitation


_SETTLED_INVITATION = '"type": "LINKEDIN", "linkedInType": "LINKEDIN_INVITATION", "content": ""'

SETTLED = Rule(
    id="structure.settled",
    severity=Severity.ERROR,
    message="No invitation comes before this step, so there is none to settle.",
    accept=(
        f'[{{"id": "a", {_SETTLED_INVITATION}}}, {{"id": "b", "temporalityType": "AFTER_INVITATION_SETTLED"}}]',
    ),
    reject=('[{"temporalityType": "AFTER_INVITATION_SETTLED"}]',),
    source="Kalent, step format: temporalityType",
    example="steps",
    check_steps=_settled,
)


_INVITATION_TIMEOUT_YEAR = 366


def _invitation_timeout(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every timeout that is not between a day and a year."""
    for step in steps:
        days = step.policy.invite_timeout_days
        if days is not None and not 1 <= days <= _INVITATION_TIMEOUT_YEAR:
            yield StepHit(step, "policy.inviteTimeoutDays")


INVITATION_TIMEOUT = Rule(
    id="structure.invitation_timeout",
    severity=Severity.ERROR,
    message="inviteTimeoutDays must be from 1 to 366.",
    accept=(
        '[{"policy": {"inviteTimeoutDays": 1}}]',
        '[{"policy": {"inviteTimeoutDays": 366}}]',
    ),
    reject=(
        '[{"policy": {"inviteTimeoutDays": 0}}]',
        '[{"policy": {"inviteTimeoutDays": 367}}]',
    ),
    source="Kalent, step format: positive; a year at most is ours",
    example="steps",
    check_steps=_invitation_timeout,
)


def _invitation_text(steps: tuple[Step, ...]) -> Iterator[StepHit]:
    """Return every plain invitation with a text; the fix is to drop the text."""
    for step in steps:
        if step.linked_in_type is LinkedInType.INVITATION and step.content:
            yield StepHit(step, "content", hit=Hit(0, len(step.content), fix=""))


INVITATION_TEXT = Rule(
    id="structure.invitation_text",
    severity=Severity.NOTE,
    message="A plain invitation carries no text: this one is stored empty and not sent. "
    "LINKEDIN_INVITATION_WITH_MESSAGE carries one.",
    accept=('[{"type": "LINKEDIN", "linkedInType": "LINKEDIN_INVITATION", "content": ""}]',),
    reject=('[{"type": "LINKEDIN", "linkedInType": "LINKEDIN_INVITATION", "content": "Hi"}]',),
    source="Kalent, step format: content of LINKEDIN_INVITATION is stored empty",
    example="steps",
    check_steps=_invitation_text,
)
