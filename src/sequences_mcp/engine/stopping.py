"""Never contact again: what the list covers, and what ends when it grows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.plan import PlanStatus
from sequences_mcp.domain.sequence import Sequence, SequenceStatus
from sequences_mcp.engine.change import change
from sequences_mcp.engine.events import Event, OptedOut
from sequences_mcp.engine.store import audit, contacts, plans, schedule, sequences, suppressions
from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.texts import recounted


def suppress(
    store: Store, mark: suppressions.Mark, *, reason: str, now: datetime, actor: str
) -> tuple[list[Sequence], bool]:
    """Put a kind and normalised value on the list and end all it covers; return those runs and if it was new."""
    with store.transaction():
        new = suppressions.add(store, mark, reason=reason, actor=actor, now=now)
        if new:
            subject, detail = ":".join(mark), {"reason": reason}
            audit.append(
                store,
                [audit.Entry(at=now, actor=actor, action="suppression.added", subject=subject, detail=detail)],
            )
        going = sequences.by_ids(store, schedule.going_of(store, covered(store, mark)))
        event = OptedOut(f"suppressed: {reason}")
        return end_all(store, going, event, now=now, actor=actor), new


def end_all(store: Store, going: Iterable[Sequence], event: Event, *, now: datetime, actor: str) -> list[Sequence]:
    """End these runs, the texts of those who only waited for an approval no longer counting; return them."""
    ended, touched = [], set()
    with store.transaction():
        for one in going:
            ended.append(change(store, one, event, now=now, actor=actor)[0])
            if one.status is SequenceStatus.FOUND:
                touched.add(one.plan_id)
        for plan_id in touched:
            plan = plans.find(store, plan_id)
            if plan is not None and plan.status in {PlanStatus.WAITING, PlanStatus.VOID}:
                plans.update(store, recounted(store, plan))
    return ended


def suppressed(
    store: Store, people: Iterable[Contact], *, recipients: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return contact id → reason for those on the list, by themselves, by an address they
    have or had, or by their company's domain.

    ``recipients`` are addresses about to be written to, by contact id, where they may be older than the contact.
    """
    to = recipients or {}
    found = list(people)
    former = contacts.former_addresses(store, (one.id for one in found))
    marks = {
        one.id: [
            *suppressions.marks_of(one.id, one, recipient=to.get(one.id)),
            *(("address", key) for key in former.get(one.id, ())),
        ]
        for one in found
    }
    old = {one.id: list(suppressions.old_marks_of(one, recipient=to.get(one.id))) for one in found}
    listed = suppressions.matching(
        store,
        (mark for own in marks.values() for mark in own),
        old=(mark for own in old.values() for mark in own),
    )
    reasons = {}
    for contact_id, own in marks.items():
        reason = next((listed[mark] for mark in (*own, *old[contact_id]) if mark in listed), None)
        if reason is not None:
            reasons[contact_id] = reason
    return reasons


def covered(store: Store, mark: suppressions.Mark) -> list[str]:
    """Return the ids of everybody here whom a mark is about."""
    kind, value = mark
    if kind == "contact":
        return [value]
    if kind == "domain":
        return contacts.at_domain(store, value)
    return contacts.at_address(store, value)
