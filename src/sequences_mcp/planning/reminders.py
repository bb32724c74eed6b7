"""What first messages lack by law: of a blueprint before anybody is named, of each person, and of a whole plan.

A plan tells each of them once, with the number of its people, in the warnings of its header: an approval covers
the sentence as it was shown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Items
from datetime import UTC
from types import MappingProxyType

from sequences_mcp.context import AppContext
from sequences_mcp.domain.blueprint import TEXTED, Channel, Step
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.findings import Finding, Severity, Waiver, errors_in, waived, warnings_in
from sequences_mcp.domain.markdown import template_letter
from sequences_mcp.domain.plan import PlanHeader
from sequences_mcp.domain.run import BEGUN, Leaving, Run, StepRun
from sequences_mcp.domain.sender import Sender
from sequences_mcp.guards.catalogue import RULES
from sequences_mcp.guards.law import OFFERED, FirstMessage, Law, PersonFacts, findings_about
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.guards.senders import MENDED
from sequences_mcp.guards.text import variant_field
from sequences_mcp.lazy_dataclasses import dataclass, field, replace
from sequences_mcp.planning.rendering import pre_send_check, sender_findings
from sequences_mcp.ports.embedded import PlannedPerson

LAYER = "law."
CONSENT = "law.consent"
SOURCE = "law.source"
EVERY_STEP = "all steps"
_OF_PEOPLE = frozenset({CONSENT, "law.consent_record", "law.country"})
RULES_ABOUT_PEOPLE = frozenset(rule.id for rule in RULES if rule.layer == LAYER.rstrip("."))
_RECORDED = " Recorded: "
_RECORDS_SHOWN = 3
_LONGEST_RECORD = 80
_ENTRY = re.compile(rf"(?P<step>.*?): (?P<rule>{re.escape(LAYER)}\w+): (?P<message>.*)", re.DOTALL)


def reminders_of_steps(app: AppContext, steps: Items[Step]) -> tuple[Finding, ...]:
    """Return what the first messages of a blueprint lack in the countries the workspace names, or anywhere."""
    law = app.law()
    below = app.sending(steps).mailbox.below if law.setting is not None else ""
    return reminders_for(law, steps, policy=app.policy, below=below)


def reminders_for(law: Law, steps: Items[Step], *, policy: GuardPolicy, below: str = "") -> tuple[Finding, ...]:
    """Return the same for whoever has the law alone; nothing where the workspace says nothing of itself."""
    if law.setting is None:
        return ()
    person = PersonFacts(countries=law.setting.countries)
    findings = (
        _of_variant(finding, steps, number)
        for number in range(max((len(step.alternatives) for step in steps), default=1))
        for finding in findings_about(
            law, person, _first_messages([*_with_variant(steps, number)], below=below), policy=policy
        )
    )
    return tuple(dict.fromkeys(finding for finding in findings if finding.rule not in _OF_PEOPLE))


def _with_variant(steps: Items[Step], number: int) -> Iterator[Step]:
    """Yield the steps as somebody gets them who has this variant of each, or the last of those that have fewer."""
    return (step.alternatives[min(number, len(step.alternatives) - 1)] for step in steps)


def _of_variant(finding: Finding, steps: Items[Step], number: int) -> Finding:
    """Return a finding about a text with the name of the variant that it is about, where the step has several."""
    step = next((step for step in steps if step.id == finding.step_id), None)
    if step is None or not step.variants or finding.field != "content":
        return finding
    number = min(number, len(step.variants) - 1)
    is_shared = step.variants[number].content is None
    return finding if is_shared else replace(finding, field=variant_field(number, "content"))


def without_reminders(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings but those of this layer: a start tells what is so for the people in it."""
    return tuple(finding for finding in findings if not finding.rule.startswith(LAYER))


def with_reminders(
    app: AppContext,
    person: PlannedPerson,
    waivers: Iterable[Waiver] = (),
    *,
    below: str | None = None,
    rewritten: frozenset[str] = frozenset(),
) -> PlannedPerson:
    """Return a person of a start with what refuses them among the findings, and the rest as ``reminders``.

    Without ``[law]`` in settings.toml only consent is asked for, of those whose own country needs it. ``below`` is
    what stands below each text, where that is not the mailbox's; ``rewritten`` are the steps whose text stands
    for their template.
    """
    law, contact = app.law(), person.contact
    if law.setting is None and (contact.country is None or contact.country not in law.needs_consent):
        return person
    steps = [planned.step for planned in person.steps]
    if steps and not any(step.type is Channel.EMAIL or step.type in TEXTED for step in steps):
        return person
    texts = {
        planned.step.id: planned.content or ""
        for planned in person.steps
        if planned.step.is_written_per_contact or planned.step.id in rewritten
    }
    waivers = tuple(waivers)
    findings = findings_about(
        law,
        _facts(app, contact, only_own=law.setting is None),
        _first_messages(steps, texts, below=app.mailbox.below if below is None else below),
        policy=app.policy,
        waived=next((_waived_words(waiver) for waiver in waivers if waiver.rule == CONSENT), None),
    )
    results = waived(findings, waivers)
    return replace(person, findings=(*person.findings, *errors_in(results)), reminders=warnings_in(results))


def refusals_of_text(
    app: AppContext, sequence: Run, contact: Contact, *, waivers: Iterable[Waiver], text: StepRun
) -> tuple[Finding, ...]:
    """Return what refuses the new ``text`` of a step of one person by law, as a start would leave them out."""
    steps = tuple(text if run.key == text.key else run for run in sequence.steps)
    person = PlannedPerson(
        contact=contact, variables=sequence.variables, time_zone=sequence.time_zone, steps=steps
    )
    held = with_reminders(app, person, waivers, rewritten=frozenset({text.step.id}))
    return tuple(finding for finding in held.refusals if finding.step_id == text.step.id)


def last_check(text: Leaving, *, sender: Sender, policy: GuardPolicy, law: Callable[[], Law]) -> str | None:
    """Return why a text that is about to leave waits for a person, by law or by the guards; or None."""
    return (
        unconsented(text, law=law, policy=policy)
        or _refused_sender(text, sender=sender, policy=policy)
        or pre_send_check(text, sender=sender, policy=policy)
    )


def _refused_sender(text: Leaving, *, sender: Sender, policy: GuardPolicy) -> str | None:
    """Return what the guards refuse in the sender of an e-mail since the yes, or None."""
    for error in sender_findings(text.run, sender=sender, policy=policy):
        return f"{error.rule}: {error.excerpt} in the {error.field} of {sender.address}: {error.message} {MENDED}"
    return None


def unconsented(text: Leaving, *, law: Callable[[], Law], policy: GuardPolicy) -> str | None:
    """Return why a first message waits for a person: no consent is recorded where it is needed; or None.

    It passes where the approval of the plan covers that for this country, as a waiver does. A person's country may
    have been saved only after the approval.
    """
    country, sequence = text.contact.country, text.sequence
    by_law = text.run.step.type is Channel.EMAIL or text.run.step.type in TEXTED
    if not country or not by_law or text.is_approved or any(run.state in BEGUN for run in sequence.steps):
        return None
    person = PersonFacts(countries=(country,), consent=text.contact.consent)
    missing = errors_in(findings_about(Law(table=law().table), person, (), policy=policy))
    if not missing:
        return None
    named = f"{law().table.countries[country].name}: ".casefold()
    if any(f": {CONSENT}" in warning and named in warning.casefold() for warning in text.covered):
        return None
    return f"{missing[0].rule}: {missing[0].message}"


def _facts(app: AppContext, contact: Contact, *, only_own: bool) -> PersonFacts:
    country = (contact.country,) if contact.country else ()
    return PersonFacts(
        countries=country if only_own else app.countries_of(contact),
        language=contact.language,
        source=contact.source,
        basis=contact.basis,
        consent=contact.consent,
    )


def _first_messages(
    steps: Items[Step], texts: Mapping[str, str] = MappingProxyType({}), *, below: str
) -> Iterator[FirstMessage]:
    """Yield the first e-mail, and before it the first text message; who had an e-mail has read it all there."""
    texted = False
    for step in steps:
        content = texts.get(step.id, step.content)
        if step.is_markdown:
            content = template_letter(content).plain
        if step.type is Channel.EMAIL:
            yield FirstMessage(step.id, content, below, end=len(content))
            return
        if step.type in TEXTED and not texted:
            texted = True
            yield FirstMessage(step.id, content, is_texted=True, end=len(content))


def _waived_words(waiver: Waiver) -> str:
    return f"Waived by {waiver.actor} until {waiver.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {waiver.reason}"


@dataclass(slots=True)
class _Lines:
    """Of one reminder: how many people it is about, the lines offered to them, and the records they have."""

    people: int = 0
    offered: Counter[str] = field(default_factory=Counter)
    records: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class ReminderTally:
    """Counts the reminders of a plan's people, each once for every step and country."""

    kinds: dict[tuple[str, str | None, str], _Lines] = field(default_factory=dict)

    def take(self, person: PlannedPerson) -> None:
        """Count what one person's first messages lack."""
        for finding in person.reminders:
            head, _, line = finding.message.partition(OFFERED)
            lines = self.kinds.setdefault((finding.rule, finding.step_id, head), _Lines())
            lines.people += 1
            if line:
                lines.offered[line] += 1
            if finding.excerpt and len(lines.records) <= _RECORDS_SHOWN:
                lines.records[finding.excerpt[:_LONGEST_RECORD]] = None

    def covered(self) -> tuple[str, ...]:
        """Return the warnings of a plan's header, with the line that most of the people were offered."""
        return tuple(
            f"{step_id or EVERY_STEP}: {rule}: {_people(lines.people)}. {head}{_ending(rule, lines)}"
            for (rule, step_id, head), lines in self.kinds.items()
        )


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number:,} people"


def _ending(rule: str, lines: _Lines) -> str:
    if lines.records:
        shown = "; ".join(f"“{record}”" for record in list(lines.records)[:_RECORDS_SHOWN])
        return f"{_RECORDED}{shown}{'; …' if len(lines.records) > _RECORDS_SHOWN else ''}"
    if rule == SOURCE and len(lines.offered) > 1:  # one line would be untrue for the others
        return " The line to add differs from person to person: preview_sequence shows each."
    return f"{OFFERED}{lines.offered.most_common(1)[0][0]}" if lines.offered else ""


def reminders_of_plan(header: PlanHeader, steps: Items[Step]) -> Iterator[Finding]:
    """Yield the findings that the header of a plan tells, each with its line as the fix of the step's text."""
    ends = {step.id: len(step.content) for step in steps if not step.variants}
    for entry in header.warnings:
        match = _ENTRY.fullmatch(entry)
        if match is None:
            continue
        step_id = None if match["step"] == EVERY_STEP else match["step"]
        words, _, record = match["message"].partition(_RECORDED)
        _, _, line = words.partition(OFFERED)
        end = ends.get(step_id or "", 0)
        yield Finding(
            rule=match["rule"],
            severity=Severity.WARNING,
            message=words,
            step_id=step_id,
            field="content" if step_id else None,
            start=end,
            end=end,
            excerpt=record,
            fix=f"\n\n{line}" if line and step_id in (None, *ends) else None,
        )
