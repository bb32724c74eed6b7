"""What one person would get: values, addresses, final texts, and the one check of a text as it would leave."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import replace
from datetime import datetime
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Literal, NamedTuple

from sequences_mcp.context import AppContext, Zone
from sequences_mcp.domain.blueprint import Blueprint, Channel, ContentSource, Sourcing, Step, Temporality
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.findings import Finding, Severity, errors_in
from sequences_mcp.domain.markdown import filled, letter_of, template_letter
from sequences_mcp.domain.run import Leaving, StepRun
from sequences_mcp.domain.sender import Sender
from sequences_mcp.domain.threads import (
    Earlier,
    answer_subject,
    is_answering,
    takes_thread_subject,
    thread_left,
    thread_subject,
)
from sequences_mcp.domain.variables import VARIABLES, fill_in, is_blank, missing_in, used_in
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.guards import lookalikes
from sequences_mcp.guards.check import check_filled, check_rendered, check_text, check_value
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.guards.samples import is_sample_person
from sequences_mcp.guards.senders import check_sender
from sequences_mcp.guards.vocabulary import is_unheard_of
from sequences_mcp.ports.embedded import PlannedPerson, StepText
from sequences_mcp.remembering import VALUES

# Words of letters and digits joined by single blanks, hyphens and apostrophes, or by " & ".
_ORDINARY = re.compile(r"[^\W_]+(?:(?:[ '’-]| & )[^\W_]+)*")
_DIGIT = re.compile(r"\d")
_FILLER = "Quovadrin"
NO_VARIANTS: Mapping[str, int] = MappingProxyType({})
_ROUNDED = 8


def values_for(
    contact: Contact, *, sourcing: Sourcing, sender: Sender | None, variables: Mapping[str, str]
) -> dict[str, str | None]:
    """Return the value of each of the nine variables for this person; ``variables`` override."""
    values = {
        "firstname": contact.first_name,
        "lastname": contact.last_name,
        "candidateJobTitle": contact.job_title,
        "candidateCompanyName": contact.company,
        "candidateLocation": contact.location,
        "sourcingJobTitle": sourcing.job_title,
        "sourcingLocation": sourcing.location,
        "recruiterFirstname": sender.first_name if sender else None,
        "recruiterLastname": sender.last_name if sender else None,
    }
    return {**values, **variables}


def final_findings(
    step: Step,
    *,
    subject: str | None,
    content: str,
    values: Mapping[str, str | None],
    earlier: Items[Step],
    policy: GuardPolicy,
    answers: str | None = None,
) -> tuple[Finding, ...]:
    """Return what the guards find in a text about to leave.

    ``answers`` is the subject of the conversation that an e-mail continues: what it takes over from there was
    looked at there.
    Only values that stand in the text count: a text written for one person need not use them all. What lies in a
    person's own data is an error only where that value would be refused if it were given; else it is a warning.
    """
    text = f"{subject or ''}\n{letter_of(content).plain if step.is_markdown else content}"
    if answers is not None and takes_thread_subject(step, earlier) and subject == answer_subject(answers):
        subject = None
    return check_rendered(
        step=step,
        subject=subject,
        content=content,
        values={name: value for name, value in used_by([step], values).items() if (value or "").strip() in text},
        is_follow_up=is_answering(step, earlier),
        policy=policy,
    )


def quick_findings(
    step: Step, *, values: Mapping[str, str | None], earlier: Items[Step], policy: GuardPolicy
) -> tuple[Finding, ...] | None:
    """Return what ``final_findings`` of a checked template filled with these values adds to the template's own.

    None where only the whole check can tell. The text adds nothing where no rule knows a word of the values, or
    each is plain by itself, as a name in a greeting, alone on a line and in a sentence, and the template filled
    with plain words at least as long has no finding either; what is left is what is said of each value. Ten
    thousand people share a few templates and many values, so all these answers are remembered.
    """
    if step.is_markdown and _fills_links(step.content):
        return None
    lengths = []
    needs_check = False
    for name, stands_apart in _places(step.subject, step.content):
        value = values[name]
        if value is None or is_blank(value):
            continue
        seen = _seen(name, value, policy, stands_apart=stands_apart)
        if seen is None:
            return None
        lengths.append((name, seen.size))
        needs_check = needs_check or seen.needs_check
    if not _fits(step, tuple(lengths), policy, is_follow_up=is_answering(step, earlier)):
        return None
    return check_filled(step, used_by([step], values), policy=policy) if needs_check else ()


def pre_send_check(text: Leaving, *, sender: Sender, policy: GuardPolicy) -> str | None:
    """Return why a text about to leave needs a person first, or None.

    An error holds every text, also one that was approved by itself. A warning about the contact's own data passes
    where whoever approved the plan, or this text, was shown it. A subject of its own that says "Re:" does not
    where the e-mail it would answer has not left: whoever approved the plan took it for an answer.
    """
    sequence, run = text.sequence, text.run
    before, earlier = sequence.steps_before(run.step.id), sequence.before(run.step.id)
    is_alone = not thread_left(run, sequence.steps) and not takes_thread_subject(run.step, earlier)
    if is_alone:
        earlier = tuple(step for step in earlier if step.type is not Channel.EMAIL)
    values = values_for(text.contact, sourcing=text.sourcing, sender=sender, variables=sequence.variables)
    for final_finding in final_findings(
        run.step,
        subject=run.subject,
        content=sender.unsigned(run.content or ""),
        values=values,
        earlier=earlier,
        policy=policy,
        answers=thread_subject((step.step, step.subject) for step in before),
    ):
        is_about_values = final_finding.variable is not None and not sequence.warnings
        is_about_answer = is_alone and bool(before) and final_finding.rule == "channel.reply_prefix"
        unseen = (is_about_values or is_about_answer) and not text.is_approved
        if final_finding.severity is Severity.ERROR or (unseen and final_finding.severity is Severity.WARNING):
            return f"{final_finding.rule}: {final_finding.message}"
    return None


def sender_findings(run: StepRun, *, sender: Sender, policy: GuardPolicy) -> tuple[Finding, ...]:
    """Return what the guards refuse in what an e-mail says of its sender.

    A signature that is in the text from before is a part of it; the name that a variable of another channel puts
    into a text is looked at there.
    """
    if run.step.type is not Channel.EMAIL:
        return ()
    return check_sender(sender, policy, signs=sender.has_signed(run.content or ""))


def used_by(steps: Iterable[Step], values: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return the values, none of them blank, of the variables that these templates use."""
    texts = [part for step in steps for part in (step.subject, step.content) if part]
    return {name: values[name] for name in used_in(texts) if not is_blank(values[name])}


@lru_cache(maxsize=256)
def _fills_links(content: str) -> bool:
    """Say whether a variable stands in the words of a link, where its value may name another host."""
    return any(used_in([link.words]) for link in template_letter(content).links)


class _Seen(NamedTuple):
    """A value that no text makes worse: its length in eights, and whether anything is said of it alone."""

    size: int
    needs_check: bool


@VALUES.up_to(65_536)
def _seen(name: str, text: str, policy: GuardPolicy, *, stands_apart: bool) -> _Seen | None:
    """Look at a value by itself; None where only the text that it stands in can tell."""
    value = text.strip()
    shown = _DIGIT.sub("7", value)
    if is_unheard_of(shown, policy):
        return _Seen(-(-len(value) // _ROUNDED), bool(check_value(name, text, policy=policy)))
    if _is_quiet(name, shown, policy, stands_apart=stands_apart):
        # What the digits are counts for the value itself: a company called 0 is a warning, one called 7 is none.
        is_warned_of = _DIGIT.search(value) is not None and bool(check_value(name, text, policy=policy))
        return _Seen(-(-len(value) // _ROUNDED), needs_check=is_warned_of)
    return None


@VALUES.up_to(65_536)
def _is_quiet(name: str, value: str, policy: GuardPolicy, *, stands_apart: bool) -> bool:
    """Say whether no rule has anything against a value wherever it may stand, whatever its digits are.

    ``stands_apart``: it may be a whole text, or stand in a subject.
    """
    if _ORDINARY.fullmatch(value) is None or check_value(name, value, policy=policy):
        return False
    among = f"Hi {value},\n\n{value}\n\nWhat you do at {value} is close to it."
    if not stands_apart:
        return not check_rendered(step=_probe(Channel.SMS), subject=None, content=among, policy=policy)
    return not any(
        check_rendered(step=_probe(Channel.EMAIL), subject=subject, content=content, policy=policy)
        for subject, content in ((value, value), (f"About {value} and you", among))
    )


@lru_cache(maxsize=256)
def _places(subject: str | None, content: str) -> tuple[tuple[str, bool], ...]:
    """Return the variables of a template, and whether each is in its subject or is the whole of its text."""
    used = used_in([part for part in (subject, content) if part])
    return tuple(
        (name, f"{{{{{name}}}}}" in (subject or "") or content.strip() == f"{{{{{name}}}}}") for name in used
    )


@lru_cache(maxsize=4_096)
def _fits(step: Step, lengths: tuple[tuple[str, int], ...], policy: GuardPolicy, *, is_follow_up: bool) -> bool:
    """Say whether a template filled with plain words, of these lengths in eights, is without a finding."""
    values: dict[str, str | None] = {name: (_FILLER * size)[: _ROUNDED * size] for name, size in lengths}
    subject = None if step.subject is None else fill_in(step.subject, values)
    content = filled(step.content, values) if step.is_markdown else fill_in(step.content, values)
    findings = check_rendered(
        step=step, subject=subject, content=content, values=values, is_follow_up=is_follow_up, policy=policy
    )
    return not any(f.variable is not None or f.severity is Severity.ERROR for f in findings)


@cache
def _probe(channel: Channel) -> Step:
    """Return a step to try a value in; only its channel matters: an SMS has no subject to look at."""
    subject = "" if channel is Channel.EMAIL else None
    return Step(
        id="probe", name="probe", type=channel, subject=subject, content="", temporality_type=Temporality.ASAP
    )


ADDRESS_WORD = {
    Channel.EMAIL: "e-mail address",
    Channel.LINKEDIN: "LinkedIn URL",
    Channel.WHATSAPP: "phone number",
    Channel.SMS: "phone number",
}

SEEMING_MAILBOX = "What stands before the @ of this address is in letters that only look like Latin ones."
SEEMING_HOST = "The domain of this address is in letters that only look like Latin ones."


def address_for(step: Step, contact: Contact) -> str | None:
    """Return where a step's channel reaches this person, or None."""
    if step.type is Channel.EMAIL:
        return contact.email
    return contact.linkedin_url if step.type is Channel.LINKEDIN else contact.phone


def render_recipient(
    app: AppContext,
    blueprint: Blueprint,
    contact: Contact,
    *,
    variables: Mapping[str, str],
    texts: Mapping[str, StepText],
    variants: Mapping[str, int] = NO_VARIANTS,
) -> PlannedPerson:
    """Return what this contact would get from this blueprint; ``variants`` are theirs, by step id."""
    values = values_for(contact, sourcing=blueprint.sourcing, sender=app.sender, variables=variables)
    zone = app.zone_of(contact)
    results = [*warnings_about(contact), *_never_open(app, blueprint.steps, zone)]
    steps: list[StepRun] = []
    earlier = Earlier()
    for step, key in zip(blueprint.steps, app.plans.new_keys(len(blueprint.steps)), strict=True):
        variant = variants.get(step.id)
        given = step.given(variant)
        planned = planned_text(app, given, contact, values=values, text=texts.get(step.id), earlier=earlier)
        earlier = earlier.followed_by(given, planned.subject)
        steps.append(planned.of(given, key=key, variant=variant))
        results.extend(planned.findings)
    return PlannedPerson(
        contact=contact,
        variables=variables,
        time_zone=zone.names,
        zone_source=zone.source,
        steps=tuple(steps),
        findings=tuple(dict.fromkeys(results)),
    )


def warnings_about(contact: Contact) -> list[Finding]:
    """Return what looks wrong about a person's facts together, which no fact shows by itself, and the address."""
    findings = []
    first, last = (contact.first_name or "").strip(), (contact.last_name or "").strip()
    if first and first.casefold() == last.casefold():
        message = "First and last name are the same; one of the two is probably wrong."
        findings.append(
            _person_warning("person.same_names", field="first_name", message=message, excerpt=f"{first} {last}")
        )
    elif _has_last_name(first, last):
        message = "The first name has the last name in it, which a greeting would say too."
        findings.append(_person_warning("person.whole_name", field="first_name", message=message, excerpt=first))
    if first and last and is_sample_person(f"{first} {last}"):
        message = "This is a name from examples and tests: make sure that it is a person's."
        findings.append(
            _person_warning("person.sample_name", field="last_name", message=message, excerpt=f"{first} {last}")
        )
    email = contact.email or ""
    if not email.isascii() or "xn--" in email:
        for homograph in lookalikes.find_homographs(email):
            message = SEEMING_HOST if homograph.wire else SEEMING_MAILBOX
            findings.append(
                _person_warning("person.lookalike_address", field="email", message=message, excerpt=email)
            )
    return findings


def _has_last_name(first: str, last: str) -> bool:
    """Say whether a first name ends, or begins, with the words of the last name and has others besides."""
    words, known = first.casefold().replace(",", " ").split(), last.casefold().split()
    if not known or len(words) <= len(known):
        return False
    return words[-len(known) :] == known or words[: len(known)] == known


def _person_warning(rule: str, *, field: str, message: str, excerpt: str) -> Finding:
    return Finding(rule=rule, severity=Severity.WARNING, field=field, message=message, excerpt=excerpt)


class PlannedText(NamedTuple):
    """The final text of one step for one person, where it goes, and what was found in it."""

    recipient: str | None
    subject: str | None
    content: str | None
    findings: list[Finding]

    def of(self, step: Step, *, key: str, variant: int | None = None) -> StepRun:
        """Return the step of a run that has this text."""
        return StepRun(
            key=key,
            step=step,
            recipient=self.recipient,
            subject=self.subject,
            content=self.content,
            variant=variant,
        )


def planned_text(
    app: AppContext,
    step: Step,
    contact: Contact,
    *,
    values: Mapping[str, str | None],
    text: StepText | None,
    earlier: Earlier,
    rewritten: bool = False,
) -> PlannedText:
    """Return the final text of one step, which follows the ``earlier`` ones, and what was found.

    ``step`` is the blueprint's own, by which the text is checked again at the send; ``text`` stands for its
    template where one is given for this person, which ``rewritten`` allows for every step. A subject that
    such a text keeps was filled in before, and is not a second time. A step without a subject takes over that
    of the conversation which the earlier e-mails end in.
    """
    to = address_for(step, contact)
    subject, content = _source(step, text, rewritten=rewritten)
    takes_over = not (subject or "").strip() and takes_thread_subject(step, earlier.steps)
    if takes_over:
        subject = None if earlier.subject is None else answer_subject(earlier.subject)
    unreachable = _no_address(step, contact)
    findings = [*unreachable, *([] if rewritten else _unwanted_text(step, text))]
    if content is None:
        return PlannedText(to, subject, None, findings)
    if text is not None and app.sender is not None:
        text, content = replace(text, content=app.sender.unsigned(text.content)), app.sender.unsigned(content)
    if text is not None:
        findings.extend(_written(app, step, text))
        findings.extend([] if text.keeps_subject or takes_over else _no_subject(step, subject))
    stays = takes_over or (text is not None and text.keeps_subject)
    templates = (content,) if stays else (subject, content)
    empty = missing_in(filter(None, templates), values)
    findings.extend(_empty_value(step, name) for name in empty)
    if not empty and not any(f.severity is Severity.ERROR for f in findings[len(unreachable) :]):
        if subject is not None and not stays:
            subject = fill_in(subject, values)
        content = filled(content, values) if step.is_markdown else fill_in(content, values)
        judged = _without_subject(step) if takes_over else step
        final = None if text else quick_findings(judged, values=values, earlier=earlier.steps, policy=app.policy)
        if final is None:
            final = final_findings(
                step,
                subject=subject,
                content=content,
                values=values,
                earlier=earlier.steps,
                policy=app.policy,
                answers=earlier.subject,
            )
        # The template's own warnings have been told with the blueprint.
        findings.extend(f for f in final if text or f.variable or f.severity is Severity.ERROR)
    if app.sender is not None and step.type is Channel.EMAIL:
        content = _signed(app, app.sender, content, contact=contact, is_markdown=step.is_markdown)
    return PlannedText(to, subject, content, findings)


def _signed(app: AppContext, sender: Sender, content: str, *, contact: Contact, is_markdown: bool) -> str:
    """Return a text with what the mailbox puts below it: its line on how to say no in the person's language."""
    if not sender.opt_out_lines:
        return sender.signed(content, is_markdown=is_markdown)
    from sequences_mcp.guards.law import present_in

    law = app.law()
    country = law.table.countries.get(contact.country or "")
    languages = [(contact.language or "").partition("-")[0].casefold(), *(country.languages if country else ())]
    unsigned = sender.unsigned(content)
    says_no = "opt_out" in present_in(letter_of(unsigned).plain if is_markdown else unsigned, law)
    return sender.signed(content, languages=languages, says_no=says_no, is_markdown=is_markdown)


@lru_cache(maxsize=256)
def _without_subject(step: Step) -> Step:
    """Return a step whose subject is looked at elsewhere."""
    return step.model_copy(update={"subject": None})


def _source(step: Step, text: StepText | None, *, rewritten: bool) -> tuple[str | None, str | None]:
    if not (step.is_written_per_contact or rewritten):
        return step.subject, step.content
    if text is None:
        return step.subject, None if step.is_written_per_contact else step.content
    keeps = text.keeps_subject or text.subject is not None
    return (text.subject if keeps else step.subject), text.content


def _written(app: AppContext, step: Step, text: StepText) -> Iterator[Finding]:
    """Yield what refuses a text as it was written; its warnings are told once, of the final text."""
    parts: list[tuple[Literal["subject", "content"], str | None]] = [
        ("subject", None if text.keeps_subject else text.subject),
        ("content", text.content),
    ]
    for field, part in parts:
        if part is not None:
            findings = check_text(
                part,
                field=field,
                channel=step.type,
                linked_in_type=step.linked_in_type,
                step_id=step.id,
                is_markdown=step.is_markdown,
                policy=app.policy,
            )
            yield from errors_in(findings)


def _never_open(app: AppContext, steps: Iterable[Step], zone: Zone) -> list[Finding]:
    if "," not in zone.names or all(step.type is not Channel.EMAIL for step in steps):
        return []  # one zone alone is open every week
    midnight = app.clock().replace(hour=0, minute=0, second=0, microsecond=0)
    why = _complaint(app.next_open, zone.names, midnight)
    return [Finding(rule="person.never_open", severity=Severity.ERROR, message=why)] if why else []


@lru_cache(maxsize=256)
def _complaint(next_open: Callable[[str, datetime], datetime | None], zones: str, at: datetime) -> str:
    """Return why no e-mail could ever leave for these zones, or nothing; a plan asks for thousands of people."""
    try:
        next_open(zones, at)
    except InvalidArgumentsError as error:
        return str(error)
    return ""


def _no_address(step: Step, contact: Contact) -> list[Finding]:
    if address_for(step, contact) or step.policy.skip_step_if_no_contact:
        return []
    word = ADDRESS_WORD[step.type]
    return [
        Finding(
            rule="person.no_address",
            severity=Severity.ERROR,
            step_id=step.id,
            message=f"No {word} is known for this person; save one, or set policy.skipStepIfNoContact.",
        )
    ]


def _no_subject(step: Step, subject: str | None) -> list[Finding]:
    if subject is not None or not step.takes_subject:
        return []
    return [
        Finding(
            rule="person.no_subject",
            severity=Severity.ERROR,
            step_id=step.id,
            field="subject",
            message="Neither this text nor its step has a subject; give the text as {subject, content}.",
        )
    ]


def _unwanted_text(step: Step, text: StepText | None) -> list[Finding]:
    if text is None or step.is_written_per_contact:
        return []
    return [
        Finding(
            rule="person.unwanted_text",
            severity=Severity.ERROR,
            step_id=step.id,
            message=f"This step has one text for all; contentSource {ContentSource.SUGGESTED} gives each their "
            "own.",
        )
    ]


def _empty_value(step: Step, name: str) -> Finding:
    return Finding(
        rule="person.empty_value",
        severity=Severity.ERROR,
        step_id=step.id,
        excerpt=f"⟦{{{{{name}}}}}⟧",
        message=f"{{{{{name}}}}} would be blank: {VARIABLES[name]} is not known; save or override it.",
    )
