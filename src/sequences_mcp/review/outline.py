"""A plan in a glance: its steps on a line of time, and in one sentence what a yes to it causes."""

from __future__ import annotations

import math
from collections.abc import Sequence as Items
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sequences_mcp.domain.blueprint import Channel, Step, Temporality
from sequences_mcp.domain.plan import OPEN, OUTBOX, Plan, PlanStatus
from sequences_mcp.domain.record import PlanTally
from sequences_mcp.domain.sequence import StepState
from sequences_mcp.flows.timetable import Slot

WORDS = {
    Channel.EMAIL: ("e-mail", "e-mails"),
    Channel.LINKEDIN: ("LinkedIn task", "LinkedIn tasks"),
    Channel.WHATSAPP: ("WhatsApp task", "WhatsApp tasks"),
    Channel.SMS: ("SMS task", "SMS tasks"),
}
WIDTH, MARGIN, LEAST_GAP = 720, 40, 70


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One step on the line: where it lies in the picture, what comes before it, and how many people it reaches.

    ``told`` says the same in words: of a plan that was decided, what became of the step.
    """

    step: Step
    number: int
    x: float
    wait: str
    when: str
    held: bool
    reaches: int
    told: str


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


def stops(plan: Plan, steps: Items[Step], slots: Items[Slot], *, tally: PlanTally) -> tuple[Stop, ...]:
    """Return the steps of a plan as stops on a line: whom each would reach, or once decided, whom it has."""
    places = _places([slot.at for slot in slots]) if slots else []
    undecided = plan.status in (*OPEN, PlanStatus.DRAFTING)
    reached = [_reached(place, tally, undecided=undecided) for place in range(len(steps))]
    return tuple(
        Stop(
            step=step,
            number=number,
            x=place,
            wait=wait_words(step),
            when=slot.words,
            held=slot.held,
            reaches=count,
            told=people_words(count) if undecided else _became(plan, tally, place=number - 1),
        )
        for number, (step, slot, place, count) in enumerate(zip(steps, slots, places, reached, strict=True), 1)
    )


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
    told = [f"{states[state]:,} {word}" for state, word in words.items() if states.get(state)]
    if rest := sum(count for state, count in states.items() if state not in words):
        told.append(f"{rest:,} to come")
    return ", ".join(told) or "nobody"


def wait_words(step: Step) -> str:
    """Return what has to pass before a step, in words."""
    if step.temporality_type is Temporality.AFTER_INVITATION_SETTLED:
        return "once the invitation is settled"
    if step.temporality_type is Temporality.DELAYED and step.delay:
        unit = f"{step.delay.unit.value}{'' if step.delay.value == 1 else 's'}"
        return f"{step.delay.value} {unit} later"
    return "at once"


def consequence(plan: Plan, *, tally: PlanTally, steps: Items[Step], first: Slot | None) -> str:
    """Return in one sentence, with numbers, what approving a plan causes."""
    if not tally.concerned:
        return "Nobody of it waits: approving it starts nothing."
    people = people_words(tally.waiting)
    if plan.header.is_at_vendor:
        title = plan.header.terms.sender_name
        return f"Approving this enrols {people} at {title}, which then contacts them by itself."
    counts = dict.fromkeys(WORDS, 0)
    for step, count in zip(steps, tally.messages, strict=False):
        counts[step.type] += count
    told = [f"{count:,} {WORDS[channel][count != 1]}" for channel, count in counts.items() if count]
    when = f", the first about {first.local}" if first else ""
    begins = f"starts {people}" if tally.waiting else ""
    goes_on = f"lets {people_words(tally.live)} already under way go on" if tally.live else ""
    does = " and ".join(filter(None, (begins, goes_on)))
    return f"Approving this {does}: up to {_listed(told)}{when}{_mail_words(plan, counts)}."


def _mail_words(plan: Plan, counts: dict[Channel, int]) -> str:
    terms, mails = plan.header.terms, counts[Channel.EMAIL]
    if not mails:
        return "; nothing leaves by itself"
    if terms.delivery == OUTBOX:
        return "; e-mails become files in the outbox folder and reach nobody"
    days = math.ceil(mails / terms.daily_cap)
    pace = f"at most {terms.daily_cap:,} e-mails a day"
    return f"; e-mails leave through {terms.delivery}, {pace}{f', over {days:,} days or more' if days > 1 else ''}"


def _listed(parts: list[str]) -> str:
    if len(parts) < 2:
        return "".join(parts) or "nothing"
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _places(moments: Items[datetime]) -> list[float]:
    """Return places along the line: further apart the longer the wait, never so near that labels touch."""
    gaps = [(after - before).total_seconds() / 86400 for before, after in pairwise(moments)]
    weights = [1 + math.log1p(max(gap, 0)) for gap in gaps]
    room = WIDTH - 2 * MARGIN
    least = min(LEAST_GAP, room / max(len(gaps), 1))
    spare = room - least * len(gaps)
    places = [float(MARGIN)]
    for weight in weights:
        places.append(places[-1] + least + spare * weight / sum(weights))
    return [round(place, 1) for place in places]
