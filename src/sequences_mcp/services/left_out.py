"""Who is left out of a start and why, and what helps where nobody is left."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Items

from sequences_mcp.context import AppContext
from sequences_mcp.domain.blueprint import Blueprint
from sequences_mcp.domain.contact import Contact, also_known
from sequences_mcp.domain.findings import (
    ANSWERED_BEFORE,
    COMPLETED_BEFORE,
    Counted,
    Finding,
    Severity,
    general,
    grouped,
    most_frequent,
    warnings_in,
)
from sequences_mcp.domain.records import LeftOutShown, PlanningTally
from sequences_mcp.errors import (
    RefusedByGuardsError,
)
from sequences_mcp.lazy_dataclasses import dataclass, field, replace
from sequences_mcp.planning import recipient_rows
from sequences_mcp.planning.reminders import ReminderTally
from sequences_mcp.ports.embedded import (
    PlannedPerson,
)
from sequences_mcp.services.enrolment import Enrolment
from sequences_mcp.services.sequences import busy_now

PEOPLE_KEPT, REASONS_KEPT, KINDS_KEPT = 5, 3, 5  # people left out who are named; the others are counted
_ANSWERED = Finding(
    rule=ANSWERED_BEFORE,
    severity=Severity.WARNING,
    message="They have answered an earlier sequence, or one was won or lost.",
)
_COMPLETED = Finding(
    rule=COMPLETED_BEFORE,
    severity=Severity.WARNING,
    message="They have had all of this blueprint before.",
)
BUSY = re.compile(r"already in |in a sequence at \w+ already")  # as `left_out` and the vendors say it


def left_out_because(recipient: PlannedPerson, *, suppressed: str | None, busy: str | None) -> tuple[str, ...]:
    """Return the reasons, none for whoever is in: why they are suppressed, the sequence they are busy in."""
    reasons = [f"suppressed: {suppressed}"] if suppressed else []
    reasons += [f"already in {busy}"] if busy else []
    reasons += [f"{f.step_id}: {f.message}" if f.step_id else f.message for f in recipient.refusals]
    return tuple(reasons)


async def earlier_runs(app: AppContext, contacts: Items[Contact], *, blueprint_id: str) -> Mapping[str, Finding]:
    """Return, by contact id, the warning about whoever answered, was won or lost, or had all of a blueprint."""
    ids = [contact.id for contact in contacts]
    answered, completed = await app.suppressions.earlier_among(ids, blueprint_id=blueprint_id)
    return dict.fromkeys(completed, _COMPLETED) | dict.fromkeys(answered, _ANSWERED)


def with_earlier_run(person: PlannedPerson, earlier: Mapping[str, Finding]) -> PlannedPerson:
    """Return the person of a start with the warning about what they had or answered before."""
    if (warning := earlier.get(person.contact.id)) is None:
        return person
    return replace(person, findings=(warning, *person.findings))


async def left_out_at_vendor(app: AppContext, people: Items[Enrolment]) -> list[tuple[str, ...]]:
    """Return the reasons for each person of a start at a vendor, by all that the vendor knows of them."""
    contacts = [person.person.contact for person in people]
    known = [
        (contact, *also_known(contact, ids=enrolment.ids, addresses=enrolment.addresses))
        for enrolment, contact in zip(people, contacts, strict=True)
    ]
    listed = await app.suppressions.suppressed_among([way for ways in known for way in ways])
    busy = await busy_now(app, [contact.id for contact in contacts])
    elsewhere = await app.vendor_runs.live_as([person.ways for person in people])
    return [
        left_out_because(
            enrolment.person,
            suppressed=next((listed[way.id] for way in ways if way.id in listed), None),
            busy=busy.get(contact.id) or run,
        )
        for enrolment, contact, ways, run in zip(people, contacts, known, elsewhere, strict=True)
    ]


def kinds_of(people: Iterable[Iterable[str]]) -> tuple[Counted, ...]:
    """Return each reason with how many people have it, the most frequent first; somebody may have several."""
    return grouped((reason, 1) for reasons in people for reason in dict.fromkeys(map(general, reasons)))


@dataclass(frozen=True, slots=True)
class LeftOutPerson:
    """Someone a plan does not contain, and why."""

    contact: Contact
    reasons: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Tally:
    """What is learnt about the people while a plan is filled."""

    warnings: dict[Finding, None]
    left_out: list[LeftOutPerson] = field(default_factory=list)
    zone_sources: Counter[str] = field(default_factory=Counter)
    saved: int = 0  # the ids of people who are new here
    unstored: frozenset[str] = frozenset()  # made-up ids of people who were erased here, and are not stored again
    reminders: ReminderTally = field(default_factory=ReminderTally)

    def take(self, recipient: PlannedPerson, reasons: tuple[str, ...]) -> bool:
        """Count a person and say whether they belong in the plan."""
        if reasons:
            self.left_out.append(LeftOutPerson(recipient.contact, reasons))
            return False
        self.zone_sources[recipient.zone_source] += 1
        self.reminders.take(recipient)
        self.warnings |= dict.fromkeys(warnings_in(recipient.findings))
        return True

    def counted(self) -> PlanningTally:
        """Return what the plan keeps of it."""
        return PlanningTally(
            left_out=len(self.left_out),
            why=most_frequent(self.kinds(), size=KINDS_KEPT),
            first=tuple(
                LeftOutShown(
                    contact_id=self.id_of(person),
                    name=person.contact.display_name,
                    email=person.contact.email,
                    reasons=person.reasons[:REASONS_KEPT],
                )
                for person in self.left_out[:PEOPLE_KEPT]
            ),
            zones=dict(self.zone_sources),
            saved=self.saved,
        )

    def id_of(self, person: LeftOutPerson) -> str | None:
        """Return the id under which somebody is stored."""
        return None if person.contact.id in self.unstored else person.contact.id

    def kinds(self) -> tuple[Counted, ...]:
        """Return every reason for which people are left out and how many have it, the most frequent first."""
        return kinds_of(person.reasons for person in self.left_out)


def stray_texts(blueprint: Blueprint, entry: recipient_rows.Recipient) -> tuple[str, ...]:
    """Return why texts for steps that the blueprint does not have leave a person out, a sentence each."""
    known = {step.id for step in blueprint.steps} if entry.texts else frozenset()
    return tuple(
        f"there is no step {step_id!r} to write a text for" for step_id in entry.texts if step_id not in known
    )


def nobody_left(tally: Tally) -> RefusedByGuardsError:
    """Return the error for a plan that nobody is left in."""
    left = tally.left_out
    # Names and reasons are other people's words: they stay in fields of their own, out of the sentence.
    return RefusedByGuardsError(
        "Nobody is left to write to; left_out_why counts the reasons, left_out shows the first people.",
        next_step=_what_helps(reason for left_out in left for reason in left_out.reasons),
        data={
            "left_out_count": len(left),
            "left_out_why": [{"count": kind.count, "reason": kind.reason} for kind in tally.kinds()],
            "left_out": [
                {
                    **({"contact_id": contact_id} if (contact_id := tally.id_of(left_out)) else {}),
                    "name": left_out.contact.display_name,
                    "reasons": left_out.reasons,
                }
                for left_out in left[:10]
            ],
            "saved": tally.saved,
            "known_before": len(left) - tally.saved - len(tally.unstored),
        },
    )


def _what_helps(reasons: Iterable[str]) -> str:
    """Return what can be done about people who were all left out: not the same for each kind of reason."""
    kinds = {
        "listed" if reason.startswith("suppressed") else "busy" if BUSY.match(reason) else "data"
        for reason in reasons
    }
    answers = {
        "data": "What is wrong with their data can be mended (save_contacts), then call again; preview_sequence "
        "shows each person.",
        "busy": "Who is in a sequence already can be started once that is over: get_sequence shows it, "
        "stop_sequence ends it.",
        "listed": "Who is on the suppression list stays left out; only a person can take somebody off it.",
    }
    return " ".join(words for kind, words in answers.items() if kind in kinds)
