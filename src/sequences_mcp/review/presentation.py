"""Builds what a person is shown of a plan (``domain.shown``): timetable, exact texts, differences, consequence.

Dialog, terminal, page and panel lay the same values out, each in its own form.
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping
from collections.abc import Sequence as Items
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from sequences_mcp.context import AppContext
from sequences_mcp.domain.blueprint import Channel, Sourcing, Step, Temporality, variant_letter
from sequences_mcp.domain.digests import text_digest
from sequences_mcp.domain.findings import warnings_in
from sequences_mcp.domain.markdown import letter_of, template_letter
from sequences_mcp.domain.plan import OPEN, OUTBOX, Plan, PlanStatus
from sequences_mcp.domain.records import PlanTally, VariantTally
from sequences_mcp.domain.run import Run, StepRun, StepState
from sequences_mcp.domain.shown import FieldSpan, PersonShown, PlanShown, StepShown, TextShown
from sequences_mcp.domain.variables import LABELS, OF_CONTACT, filled_parts
from sequences_mcp.planning.rendering import used_by, values_for
from sequences_mcp.planning.requirements import accounts_needed
from sequences_mcp.planning.timetable import Slot, timetable
from sequences_mcp.planning.vendor_texts import handed_facts, not_given
from sequences_mcp.planning.warnings import person_findings, person_warnings, planned_blueprint
from sequences_mcp.ports.embedded import SequenceDetail


def field_spans(
    template: str | None, text: str, *, values: Mapping[str, str | None], marked: Container[str]
) -> tuple[FieldSpan, ...]:
    """Return a text as spans; those have a label that its template takes from the ``marked`` of the values.

    One unmarked span where the text is not what the template gives: it was written or changed for one person.
    """
    parts = filled_parts(template or "", values)
    if "".join(part for part, _ in parts).rstrip() != text.rstrip():
        return (FieldSpan(text),)
    spans, left = [], text
    for part, name in parts:
        spans.append(FieldSpan(left[: len(part)], LABELS[name] if name is not None and name in marked else None))
        left = left[len(part) :]
    return tuple(span for span in (*spans, FieldSpan(left)) if span.text)


def facts_put_in(app: AppContext, detail: SequenceDetail, *, sourcing: Sourcing) -> dict[str, str]:
    """Return the values, by variable, that a person's texts take from the person rather than from everybody."""
    sequence = detail.sequence
    values = values_for(detail.contact, sourcing=sourcing, sender=app.sender, variables=sequence.variables)
    used = used_by([run.step for run in sequence.steps], values)
    return {name: value or "" for name, value in used.items() if name in OF_CONTACT or name in sequence.variables}


def pause_of(sequence: Run, *, now: datetime) -> datetime | None:
    """Return until when a person is paused whose plan is not approved yet, or None."""
    until = sequence.paused_until
    return until if sequence.waits_for_plan and until is not None and until > now else None


EDITABLE = ("planned", "held")


def present_person(app: AppContext, detail: SequenceDetail, *, sourcing: Sourcing) -> PersonShown:
    """Return one person of a plan, without their texts; ``sourcing`` is what the plan's blueprint fills."""
    return PersonShown(
        sequence=detail.sequence,
        contact=detail.contact,
        why=detail.outlook.why,
        paused=pause_of(detail.sequence, now=app.clock()),
        handed=handed_facts(detail.sequence),
        not_given=not_given(detail),
        warnings=person_warnings(app, detail, sourcing=sourcing),
        fields=tuple(
            (LABELS[name], value.strip()) for name, value in facts_put_in(app, detail, sourcing=sourcing).items()
        ),
    )


def present_texts(
    app: AppContext, detail: SequenceDetail, *, sourcing: Sourcing, checked: bool = True
) -> PersonShown:
    """Return one person with their exact texts; ``checked`` has what the guards find in each beside it."""
    person, sequence = present_person(app, detail, sourcing=sourcing), detail.sequence
    findings = person_findings(app, detail, sourcing=sourcing) if checked else ()
    start = person.paused or app.clock()
    slots = timetable(app, [run.step for run in sequence.steps], zone=sequence.time_zone, start=start)
    values = values_for(detail.contact, sourcing=sourcing, sender=app.sender, variables=sequence.variables)
    marked = facts_put_in(app, detail, sourcing=sourcing)
    texts = []
    for run, slot in zip(sequence.steps, slots, strict=True):
        source = run.content or ""
        if app.sender and run.step.type is Channel.EMAIL:
            source = app.sender.unsigned(source)
        read, body, template = run.readable or "", source, run.step.content
        if run.step.is_markdown:
            body, template = letter_of(source).plain, template_letter(template).plain
        body = body if read.startswith(body) else read
        texts.append(
            TextShown(
                run=run,
                digest=text_digest(sequence, run).hex(),
                when=", ".join(filter(None, (slot.words, _variant_words(run), run.step.sent_as))),
                subject=field_spans(run.step.subject, run.subject or "", values=values, marked=marked),
                content=field_spans(template, body, values=values, marked=marked),
                closing=read[len(body) :],
                source=source,
                findings=tuple(finding for finding in findings if finding.step_id == run.step.id),
                editable=run.state.value in EDITABLE and not sequence.is_at_vendor,
            )
        )
    return replace(person, texts=tuple(texts))


def _variant_words(run: StepRun) -> str | None:
    return f"variant {run.letter}" if run.has_variant_text else None


WORDS = {
    Channel.EMAIL: ("e-mail", "e-mails"),
    Channel.LINKEDIN: ("LinkedIn task", "LinkedIn tasks"),
    Channel.WHATSAPP: ("WhatsApp task", "WhatsApp tasks"),
    Channel.SMS: ("SMS task", "SMS tasks"),
}
WIDTH, MARGIN, LEAST_GAP = 720, 40, 70


_DONE = (StepState.SENT, StepState.DONE)
_STATES = {
    StepState.SENT: "sent",
    StepState.DONE: "done",
    StepState.UNKNOWN: "sent or not: nobody knows",
    StepState.FAILED: "failed",
    StepState.OPEN: "to do by hand now",
    StepState.HELD: "held",
    StepState.SKIPPED: "skipped",
    StepState.CANCELLED: "never reached",
}


def _steps(
    plan: Plan,
    steps: Items[Step],
    slots: Items[Slot],
    *,
    tally: PlanTally,
    variants: Items[VariantTally],
) -> tuple[StepShown, ...]:
    """Return the steps of a plan with their places on the page's timeline and the people each reaches.

    Before a decision the number is how many it would reach, afterwards how many it has reached.
    """
    places = _places([slot.at for slot in slots]) if slots else []
    undecided = plan.status in (*OPEN, PlanStatus.DRAFTING)
    reached = [_reached(place, tally, undecided=undecided) for place in range(len(steps))]
    return tuple(
        StepShown(
            step=step,
            number=number,
            x=place,
            wait=wait_words(step),
            when=slot.words,
            held=slot.held,
            reaches=count,
            reach_words=_reach_words(count, shares_words(variants, place=number - 1))
            if undecided
            else _became(plan, tally, place=number - 1),
            shares=shares_words(variants, place=number - 1),
        )
        for number, (step, slot, place, count) in enumerate(zip(steps, slots, places, reached, strict=True), 1)
    )


def _reach_words(number: int, shares: str) -> str:
    return f"{people_words(number)}: {shares}" if shares else people_words(number)


def shares_words(variants: Items[VariantTally], *, place: int) -> str:
    """Return how many people wait for each variant of a step; empty where it has none."""
    mine = [variant for variant in variants if variant.place == place]
    counts = ", ".join(f"{variant_letter(variant.number)} {variant.people:,}" for variant in mine)
    return f"variants {counts}" if mine else ""


def people_words(number: int) -> str:
    """Return a number of people in words."""
    return "1 person" if number == 1 else f"{number:,} people"


def _reached(place: int, tally: PlanTally, *, undecided: bool) -> int:
    if undecided:
        return tally.messages[place] if place < len(tally.messages) else 0
    states = tally.steps[place] if place < len(tally.steps) else {}
    return sum(states.get(state, 0) for state in _DONE)


def _became(plan: Plan, tally: PlanTally, *, place: int) -> str:
    """Return what became of one step, in words and numbers."""
    if plan.header.is_at_vendor:
        return (
            f"{plan.header.terms.sender_name} tells, run by run"
            if plan.status is PlanStatus.APPROVED
            else "nobody"
        )
    states = tally.steps[place] if place < len(tally.steps) else {}
    words = _STATES | (
        {StepState.SENT: "written to the outbox folder"} if plan.header.terms.delivery == OUTBOX else {}
    )
    parts = [f"{states[state]:,} {word}" for state, word in words.items() if states.get(state)]
    if rest := sum(count for state, count in states.items() if state not in words):
        parts.append(f"{rest:,} to come")
    return ", ".join(parts) or "nobody"


def wait_words(step: Step) -> str:
    """Return what has to pass before a step, in words."""
    if step.temporality_type is Temporality.AFTER_INVITATION_SETTLED:
        return "once the invitation is settled"
    if step.temporality_type is Temporality.DELAYED and step.delay:
        unit = f"{step.delay.unit.value}{'' if step.delay.value == 1 else 's'}"
        return f"{step.delay.value} {unit} later"
    return "at once"


def consequence(plan: Plan, *, tally: PlanTally, steps: Items[Step], first: Slot | None, day: int = 0) -> str:
    """Return in one sentence, with numbers, what approving a plan causes; ``day`` is the mailbox's, from 0 on."""
    if not tally.concerned:
        return "Nobody of it waits: approving it starts nothing."
    people = people_words(tally.waiting)
    if plan.header.is_at_vendor:
        title = plan.header.terms.sender_name
        return f"Approving this enrols {people} at {title}, which then contacts them by itself."
    counts = dict.fromkeys(WORDS, 0)
    for step, count in zip(steps, tally.messages, strict=False):
        counts[step.type] += count
    parts = [f"{count:,} {WORDS[channel][count != 1]}" for channel, count in counts.items() if count]
    when = f", the first about {first.local}" if first else ""
    begins = f"starts {people}" if tally.waiting else ""
    goes_on = f"lets {people_words(tally.live)} already under way go on" if tally.live else ""
    does = " and ".join(filter(None, (begins, goes_on)))
    return f"Approving this {does}: up to {_listed(parts)}{when}{_mail_words(plan, counts, day=day)}."


def _mail_words(plan: Plan, counts: dict[Channel, int], *, day: int) -> str:
    terms, mails = plan.header.terms, counts[Channel.EMAIL]
    if not mails:
        return "; nothing leaves by itself"
    if terms.delivery == OUTBOX:
        return "; e-mails become files in the outbox folder and reach nobody"
    days = terms.limits.days_for(mails, day=day)
    pace = f"at most {terms.limits.words}{f', over {days:,} days or more' if days > 1 else ''}"
    answers = f"; answers go to {terms.reply_to}" if terms.reply_to else ""
    answers += f"; HTML ends with the picture {terms.signature_picture}" if terms.signature_picture else ""
    return f"; e-mails leave through {terms.delivery}, {pace}{answers}"


def _listed(parts: list[str]) -> str:
    if len(parts) < 2:
        return "".join(parts) or "nothing"
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _places(moments: Items[datetime]) -> list[float]:
    """Return x coordinates in the page's timeline, from ``MARGIN`` to ``WIDTH - MARGIN``.

    Gaps grow with the logarithm of the days between steps, and are at least ``LEAST_GAP`` where the width allows.
    """
    gaps = [(after - before).total_seconds() / 86400 for before, after in pairwise(moments)]
    weights = [1 + math.log1p(max(gap, 0)) for gap in gaps]
    room = WIDTH - 2 * MARGIN
    least = min(LEAST_GAP, room / max(len(gaps), 1))
    spare = room - least * len(gaps)
    places = [float(MARGIN)]
    for weight in weights:
        places.append(places[-1] + least + spare * weight / sum(weights))
    return [round(place, 1) for place in places]


async def present_plan(app: AppContext, plan: Plan) -> PlanShown:
    """Return a plan as it stands: what is said about everybody in it."""
    tally = await app.records.tally(
        plan.id
    )  # read first: a pause that ends while the people are read then shows as a change
    report = await planned_blueprint(app, plan)
    app = app.sending_under(plan.header.terms)
    people = await app.records.list_people(plan.id, page=1, size=1)  # whoever waits comes first
    detail = people.items[0] if people.items else None
    first, steps, now = detail.sequence if detail else None, report.blueprint.steps, app.clock()
    zone, paused = (first.time_zone, pause_of(first, now=now)) if first else ("UTC", None)
    usage = await app.records.mailbox_usage(plan.header.terms)
    free = usage.opens
    slots = timetable(app, steps, zone=zone, start=paused or now, free=free)
    # The first person may be paused; the consequence names the first step of those who are not.
    begins = (
        timetable(app, steps[:1], zone=zone, start=now, free=free) if paused and tally.concerned > 1 else slots
    )
    return PlanShown(
        plan=plan,
        tally=tally,
        steps=_steps(plan, steps, slots, tally=tally, variants=await app.records.variants_in(plan.id)),
        consequence=consequence(
            plan, tally=tally, steps=steps, first=begins[0] if begins else None, day=usage.day
        ),
        findings=tuple(report.findings),
        warnings=len(warnings_in(report.findings)) + plan.warnings,
        sourcing=report.blueprint.sourcing,
        first=first,
        accounts=accounts_needed(plan.header.blueprint_id, steps),
        not_given=not_given(detail) if detail else (),
    )
