"""From a plan's decision to its people: a few hundred a transaction, finished later if a crash comes between."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.domain.sequence import Sequence, SequenceStatus, StopReason
from sequences_mcp.engine.approvals import decide, moved_because, voided
from sequences_mcp.engine.change import change
from sequences_mcp.engine.events import Approved, Event, Refused, Stopped
from sequences_mcp.engine.stopping import drop_elsewhere, suppressed, thin_out
from sequences_mcp.engine.store import contacts, plans, schedule
from sequences_mcp.engine.store.database import Store

BATCH = 200  # about 60 ms
ABANDONED = timedelta(hours=1)
TOO_LATE = "nobody approved it in time"
NEVER_FINISHED = "it was never finished"


def carry_out(store: Store, plan: Plan, *, now: datetime) -> None:
    """Tell everybody in a decided plan. Can be repeated; stops where the plan is decided anew meanwhile."""
    for _ in carrying_out(store, plan, now=now):
        pass


def carrying_out(store: Store, plan: Plan, *, now: datetime) -> Iterator[None]:
    """Do the same a batch at a time: what comes out between two transactions is a chance to do something else.

    A yes to a start at a vendor is told by whoever hands its people over, request by request.
    """
    if plan.header.is_at_vendor and plan.status is PlanStatus.APPROVED:
        return
    actor, after = plan.decided_by or "engine", -1
    while True:
        with store.transaction():
            if plans.find(store, plan.id) != plan:
                return
            people = schedule.found_in(store, plan.id, after=after, size=BATCH)
            people += schedule.live_in(store, plan.id, after=after, size=BATCH)
            people = sorted(people, key=lambda one: one.ordinal)[:BATCH]
            _tell(store, plan, people, now=now, actor=actor)
            if len(people) < BATCH:
                plans.mark_settled(store, plan.id)
                return
        after = people[-1].ordinal
        yield


def catch_up(store: Store, *, now: datetime) -> None:
    """Expire plans nobody approved in time, and finish what a crash left of decided ones."""
    for _ in catching_up(store, now=now):
        pass


def catching_up(store: Store, *, now: datetime) -> Iterator[None]:
    """Do the same a batch at a time."""
    for plan_id in plans.overdue(store, now=now, abandoned=now - ABANDONED):
        with store.transaction():
            plan = plans.find(store, plan_id)
            if plan is not None and is_overdue(plan, now=now):
                expire(store, plan, now=now)
    if left := plans.emptied(store):  # what an older program has left so
        with store.transaction():
            thin_out(store, left, now=now, actor="engine")
    for plan_id in plans.unsettled(store):
        plan = plans.find(store, plan_id)
        if plan is not None:
            yield from carrying_out(store, plan, now=now)


async def politely(store: Store, work: Iterator[None]) -> None:
    """Do some work a batch at a time, letting everything else in the loop run in between.

    Inside a transaction of the caller's it is done in one go: nobody else may write into that.
    """
    for _ in work:
        if not store.in_transaction:
            await asyncio.sleep(0)


def is_overdue(plan: Plan, *, now: datetime) -> bool:
    """Say whether a plan waited too long, or was begun and never finished."""
    waited = plan.status is PlanStatus.WAITING and now >= plan.header.expires_at
    return waited or (plan.status is PlanStatus.DRAFTING and now >= plan.created_at + ABANDONED)


def expire(store: Store, plan: Plan, *, now: datetime) -> Plan:
    """End a plan that is overdue; one that already has people under way is void again instead."""
    if schedule.live_in(store, plan.id, after=-1, size=1):
        return decide(store, voided(plan, TOO_LATE), action="void", now=now, actor="engine")
    reason = TOO_LATE if plan.status is PlanStatus.WAITING else NEVER_FINISHED
    over = replace(plan, status=PlanStatus.EXPIRED, reason=reason)
    return decide(store, over, action="expired", now=now, actor="engine")


def _tell(store: Store, plan: Plan, people: list[Sequence], *, now: datetime, actor: str) -> None:
    fates = _Fates.of(store, people) if plan.status is PlanStatus.APPROVED else None
    for one in people:
        event = fates.of_one(one) if fates else _ending(plan, one)
        change(store, one, event, now=now, actor=actor)
    if fates:
        drop_elsewhere(store, fates.begun, plan_id=plan.id, now=now, actor=actor)


def _ending(plan: Plan, one: Sequence) -> Event:
    if one.status is SequenceStatus.FOUND:
        return Refused(plan.reason or plan.status.value)
    return Stopped(StopReason.LOSE)  # it was under way, and a person said no to going on


@dataclass(frozen=True, slots=True)
class _Fates:
    """What the world says about the people of an approved plan at the moment of starting them."""

    store: Store
    people: Mapping[str, Contact]
    suppressed: Mapping[str, str]
    busy: dict[str, str]
    begun: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, store: Store, sequences: list[Sequence]) -> _Fates:
        found = {one.id: one for one in contacts.by_ids(store, [one.contact_id for one in sequences])}
        return cls(store, found, suppressed(store, found.values()), schedule.live_of(store, found))

    def of_one(self, one: Sequence) -> Event:
        if one.status is not SequenceStatus.FOUND:
            return Approved()
        reason = self._obstacle(one)
        if reason is None:
            self.busy[one.contact_id] = self.begun[one.contact_id] = one.id
        return Approved() if reason is None else Refused(reason)

    def _obstacle(self, one: Sequence) -> str | None:
        if one.contact_id in self.suppressed:
            return f"suppressed: {self.suppressed[one.contact_id]}"
        busy = self.busy.get(one.contact_id) or schedule.live_at_address(self.store, one)
        if busy:
            return f"another sequence is under way: {busy}"
        moved = (moved_because(run, self.people[one.contact_id]) for run in one.steps)
        return next(filter(None, moved), None)
