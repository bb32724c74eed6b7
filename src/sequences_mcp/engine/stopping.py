"""Suppression: what an entry covers, and the runs that end when one is added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.erasure import erased_keys
from sequences_mcp.domain.plan import OPEN, PlanStatus
from sequences_mcp.domain.run import Run
from sequences_mcp.domain.suppressions import SuppressionKey, former_keys_of, suppression_keys_of
from sequences_mcp.engine.approvals import decide, recounted
from sequences_mcp.engine.context import apply_event, apply_to_all
from sequences_mcp.engine.events import Event, OptedOut, PlanRejected
from sequences_mcp.store.unit_of_work import Repositories, UnitOfWork

NOBODY = "nobody is left in it"


def end_suppressed(
    work: UnitOfWork, key: SuppressionKey, *, reason: str, now: datetime, actor: Actor
) -> tuple[list[Run], bool]:
    """Put a kind and normalised value on the list and end all it covers; return those runs and if it was new."""
    new = work.suppressions.add(key, reason=reason, actor=actor, now=now)
    if new:
        subject, detail = ":".join(key), {"reason": reason}
        work.audit.record(at=now, actor=actor, action="suppression.added", subject=subject, detail=detail)
    going = work.runs.by_ids(work.runs.going_of(covered(work, key)))
    event = OptedOut(f"suppressed: {reason}")
    return end_all(work, going, event, now=now, actor=actor), new


def end_all(work: UnitOfWork, going: Iterable[Run], event: Event, *, now: datetime, actor: Actor) -> list[Run]:
    """End these runs and take them out of the plans that wait for a person; return them."""
    ended = apply_to_all(work, going, event, now=now, actor=actor)
    thin_out(work, {run.plan_id for run in ended}, now=now, actor=actor)
    return ended


def drop_elsewhere(
    work: UnitOfWork, begun: Mapping[str, str], *, plan_id: str, now: datetime, actor: Actor
) -> list[Run]:
    """Take people whose run has begun (contact id to run id) out of every other plan that waits; return them."""
    dropped = [
        apply_event(work, run, _busy(begun[run.contact_id]), now=now, actor=actor)[0]
        for run in work.runs.found_elsewhere(begun, plan_id=plan_id)
    ]
    thin_out(work, {run.plan_id for run in dropped}, now=now, actor=actor)
    return dropped


def thin_out(work: UnitOfWork, plan_ids: Iterable[str], *, now: datetime, actor: Actor) -> None:
    """Count undecided plans again after people have left them; close those with nobody left."""
    for plan_id in plan_ids:
        plan = work.plans.find(plan_id)
        if plan is None or plan.status not in OPEN:
            continue
        left = recounted(work, plan)
        if left.people:
            work.plans.update(left)
        else:
            over = replace(left, status=PlanStatus.CLOSED, reason=NOBODY)
            decide(work, over, action="closed", now=now, actor=actor)


def _busy(sequence_id: str) -> PlanRejected:
    return PlanRejected(f"another sequence is under way: {sequence_id}")


def is_suppressed(
    store: Repositories, people: Iterable[Contact], *, recipients: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return contact id → reason for those on the list, by themselves, by an address they
    have or had, or by their company's domain.

    ``recipients`` are addresses about to be written to, by contact id, where they may be older than the contact.
    """
    if not store.suppressions.has_any():
        return {}
    to = recipients or {}
    results = list(people)
    former = store.contacts.former_addresses(result.id for result in results)
    keys_of = {
        result.id: [
            *suppression_keys_of(result.id, result, recipient=to.get(result.id)),
            *erased_keys(result),
            *(("address", key) for key in former.get(result.id, ())),
        ]
        for result in results
    }
    old = {result.id: list(former_keys_of(result, recipient=to.get(result.id))) for result in results}
    listed = store.suppressions.matching(
        (key for keys in keys_of.values() for key in keys),
        old=(key for keys in old.values() for key in keys),
    )
    reasons = {}
    for contact_id, keys in keys_of.items():
        reason = next((listed[key] for key in (*keys, *old[contact_id]) if key in listed), None)
        if reason is not None:
            reasons[contact_id] = reason
    return reasons


def covered(store: Repositories, key: SuppressionKey) -> list[str]:
    """Return the ids of everybody here whom a suppression is about."""
    kind, value = key
    if kind == "contact":
        return [value]
    if kind == "domain":
        return store.contacts.at_domain(value)
    return store.contacts.at_address(value)
