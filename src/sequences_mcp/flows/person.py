"""What one person would get: values for the variables, an address for each step, the final texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from sequences_mcp.domain.blueprint import Blueprint, Channel, Step
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.finding import Finding, Severity, errors_in, warnings_in
from sequences_mcp.domain.variables import VARIABLES, missing, render
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.flows.desk import Desk, Zone
from sequences_mcp.flows.last_check import final_findings, quick_findings, values_for
from sequences_mcp.guards import homographs
from sequences_mcp.guards.check import check_text
from sequences_mcp.providers.port import PlannedPerson, PlannedStep, Text

ADDRESS_WORD = {
    Channel.EMAIL: "e-mail address",
    Channel.LINKEDIN: "LinkedIn URL",
    Channel.WHATSAPP: "phone number",
    Channel.SMS: "phone number",
}

SEEMING_MAILBOX = "What stands before the @ of this address is in letters that only look like Latin ones."
SEEMING_HOST = "The domain of this address is in letters that only look like Latin ones."


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person's texts with all that was found about them; ``missing_texts`` are step ids."""

    contact: Contact
    variables: Mapping[str, str]
    time_zone: str
    zone_source: str
    steps: tuple[PlannedStep, ...]
    findings: tuple[Finding, ...]

    @property
    def refusals(self) -> tuple[Finding, ...]:
        """Why this person cannot be in a plan."""
        return tuple(f for f in self.findings if f.severity is Severity.ERROR)

    @property
    def missing_texts(self) -> tuple[str, ...]:
        """The steps whose text is still to be written for this person."""
        return tuple(planned.step.id for planned in self.steps if planned.content is None)

    def planned(self) -> PlannedPerson:
        """Return the person as a plan stores them."""
        return PlannedPerson(
            contact_id=self.contact.id,
            variables=self.variables,
            time_zone=self.time_zone,
            steps=self.steps,
            findings=warnings_in(self.findings),
        )


def address_for(step: Step, contact: Contact) -> str | None:
    """Return where a step's channel reaches this person, or None."""
    if step.type is Channel.EMAIL:
        return contact.email
    return contact.linkedin_url if step.type is Channel.LINKEDIN else contact.phone


def person(
    desk: Desk, blueprint: Blueprint, contact: Contact, *, variables: Mapping[str, str], texts: Mapping[str, Text]
) -> Person:
    """Return what this contact would get from this blueprint."""
    values = values_for(contact, sourcing=blueprint.sourcing, sender=desk.sender, variables=variables)
    zone = desk.zone_of(contact)
    found = [*doubts_about(contact), *_never_open(desk, blueprint.steps, zone)]
    steps = []
    for place, step in enumerate(blueprint.steps):
        planned, findings = planned_step(
            desk,
            step,
            contact,
            values=values,
            text=texts.get(step.id),
            earlier=blueprint.steps[:place],
        )
        steps.append(planned)
        found.extend(findings)
    return Person(
        contact=contact,
        variables=variables,
        time_zone=zone.names,
        zone_source=zone.source,
        steps=tuple(steps),
        findings=tuple(dict.fromkeys(found)),
    )


def doubts_about(contact: Contact) -> list[Finding]:
    """Return what is doubtful about a person's facts together, which no fact shows by itself, and the address."""
    found = []
    first, last = (contact.first_name or "").strip(), (contact.last_name or "").strip()
    if first and first.casefold() == last.casefold():
        message = "First and last name are the same; one of the two is probably wrong."
        found.append(_doubt("person.same_names", field="first_name", message=message, excerpt=f"{first} {last}"))
    email = contact.email or ""
    if not email.isascii() or "xn--" in email:
        for one in homographs.find(email):
            message = SEEMING_HOST if one.wire else SEEMING_MAILBOX
            found.append(_doubt("person.lookalike_address", field="email", message=message, excerpt=email))
    return found


def _doubt(rule: str, *, field: str, message: str, excerpt: str) -> Finding:
    return Finding(rule=rule, severity=Severity.WARNING, field=field, message=message, excerpt=excerpt)


def planned_step(
    desk: Desk,
    step: Step,
    contact: Contact,
    *,
    values: Mapping[str, str | None],
    text: Text | None,
    earlier: Items[Step],
    rewritten: bool = False,
) -> tuple[PlannedStep, list[Finding]]:
    """Return one step, which follows the ``earlier`` ones, with its final text, and what was found.

    ``step`` is the blueprint's own, by which the text is checked again at the send; ``text`` stands for its
    template where one is given for this person, which ``rewritten`` allows for every step. A subject that
    such a text keeps was filled in before, and is not a second time.
    """
    to = address_for(step, contact)
    subject, content = _source(step, text, rewritten=rewritten)
    found = [*_no_address(step, contact), *([] if rewritten else _unwanted_text(step, text))]
    if content is None:
        return PlannedStep(step=step, recipient=to, subject=subject, content=None), found
    if text is not None:
        found.extend(_written(desk, step, text))
        found.extend([] if text.keeps_subject else _no_subject(step, subject))
    stays = text is not None and text.keeps_subject
    templates = (content,) if stays else (subject, content)
    empty = {name for part in templates if part for name in missing(part, values)}
    found.extend(_empty_value(step, name) for name in VARIABLES if name in empty)
    if not empty and not any(f.severity is Severity.ERROR for f in found):
        if subject is not None and not stays:
            subject = render(subject, values)
        content = render(content, values)
        final = None if text else quick_findings(step, values=values, earlier=earlier, policy=desk.policy)
        if final is None:
            final = final_findings(
                step, subject=subject, content=content, values=values, earlier=earlier, policy=desk.policy
            )
        # The template's own warnings have been told with the blueprint.
        found.extend(f for f in final if text or f.variable or f.severity is Severity.ERROR)
    return PlannedStep(step=step, recipient=to, subject=subject, content=content), found


def _source(step: Step, text: Text | None, *, rewritten: bool) -> tuple[str | None, str | None]:
    if not (step.is_written_per_contact or rewritten):
        return step.subject, step.content
    if text is None:
        return step.subject, None if step.is_written_per_contact else step.content
    keeps = text.keeps_subject or text.subject is not None
    return (text.subject if keeps else step.subject), text.content


def _written(desk: Desk, step: Step, text: Text) -> Iterator[Finding]:
    """Yield what refuses a text as it was written; its warnings are told once, of the final text."""
    parts: list[tuple[Literal["subject", "content"], str | None]] = [
        ("subject", None if text.keeps_subject else text.subject),
        ("content", text.content),
    ]
    for field, part in parts:
        if part is not None:
            found = check_text(
                part,
                field=field,
                channel=step.type,
                linked_in_type=step.linked_in_type,
                step_id=step.id,
                policy=desk.policy,
            )
            yield from errors_in(found)


def _never_open(desk: Desk, steps: Iterable[Step], zone: Zone) -> list[Finding]:
    if "," not in zone.names or all(step.type is not Channel.EMAIL for step in steps):
        return []  # one zone alone is open every week
    midnight = desk.clock().replace(hour=0, minute=0, second=0, microsecond=0)
    why = _complaint(desk.next_open, zone.names, midnight)
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


def _unwanted_text(step: Step, text: Text | None) -> list[Finding]:
    if text is None or step.is_written_per_contact:
        return []
    return [
        Finding(
            rule="person.unwanted_text",
            severity=Severity.ERROR,
            step_id=step.id,
            message="This step has one text for all; contentSource suggestedByKalent gives each their own.",
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
