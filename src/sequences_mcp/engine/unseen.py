"""What left without this database knowing: its run or operation is unknown until a person settles it.

The store finds it out (``store.lineage``); here it becomes the same as a program that ended between the hand-over
and the answer, so that everything that is known about unknown outcomes holds for it too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sequences_mcp.domain.blueprint import Channel, Temporality
from sequences_mcp.domain.plan import PlanStatus
from sequences_mcp.domain.sequence import IN_FLIGHT, Sequence, SequenceStatus, StepRun, StepState
from sequences_mcp.engine import at_vendor, timing
from sequences_mcp.engine.approvals import decide, voided
from sequences_mcp.engine.change import change, keep
from sequences_mcp.engine.events import HandedOver, Lost, Tick
from sequences_mcp.engine.steps import with_run
from sequences_mcp.engine.store import attempts, lineage, plans, sequences
from sequences_mcp.engine.store import vendor_operations as operations
from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.instants import from_micros
from sequences_mcp.providers.enrolment_port import Fate
from sequences_mcp.providers.port import Call
from sequences_mcp.providers.vendor_port import Write

ACTOR = "engine"
COPIED = "this database is a copy, and the original may have sent it before the copy was taken over"
COPIED_PLAN = (
    "this database is a copy, and the original may have handed these people over; approve it again if not"
)
START = "start_sequence"
_NOTHING = b"\0" * 32


def take_in(store: Store, *, now: datetime) -> int:
    """Make unknown what left unseen and is the present step of its run; return how many. Can be repeated.

    What is not due yet, or paused, is made unknown when its turn comes (``claim.take``).
    """
    done = 0
    if not lineage.unseen(store):
        return done
    with store.transaction():
        for row in lineage.unseen(store):
            facts = json.loads(row["facts"])
            if row["kind"] == "vendor":
                _begun_operation(store, facts, why=row["why"], now=now)
                lineage.told(store, row["key"])
                continue
            for sequence, run in sequences.of_keys(store, [row["key"]]):
                done += _left(store, sequence, run, facts=facts, why=row["why"], now=now)
    return done


def as_left(store: Store, sequence: Sequence, key: str, *, lease: int, why: str, now: datetime) -> None:
    """Make a claimed e-mail unknown, inside the caller's transaction: it may have left before."""
    change(store, sequence, HandedOver(lease, now), now=now, actor=ACTOR)
    [present] = sequences.by_ids(store, [sequence.id])
    change(store, present, Lost(lease, why), now=now, actor=ACTOR)
    lineage.told(store, key)


def take_over(store: Store, *, now: datetime, actor: str, nothing_left: bool) -> int:
    """Let the database belong where it is now, because a person said so; return how many e-mails are doubted.

    Unless that person also says that nothing left elsewhere, all a copy may have sent by now is unknown.
    """
    with store.transaction():
        kinds = {one.kind for one in lineage.go_on(store, now=now, actor=actor)}
        take_in(store, now=now)
        return 0 if nothing_left or kinds <= {"begun_anew"} else doubt_due(store, now=now)


def doubt_due(store: Store, *, now: datetime) -> int:
    """Note every e-mail that another copy of this database may have sent by now; return how many those are.

    Plans whose people a vendor was to be given are void: what the other copy handed over is not known here.
    """
    with store.transaction():
        keys: dict[str, str | None] = {}
        for sequence_id in [row["id"] for row in store.rows("lineage.going")]:
            [sequence] = sequences.by_ids(store, [sequence_id])
            keys |= {run.key: run.recipient for run in _due_by(sequence, now)}
        lineage.may_have_left(store, keys, why=COPIED, now=now)
        for plan_id in plans.unsettled(store):
            plan = plans.find(store, plan_id)
            if plan is not None and plan.header.is_at_vendor and plan.status is PlanStatus.APPROVED:
                decide(store, voided(plan, COPIED_PLAN), action="void", now=now, actor=ACTOR)
        take_in(store, now=now)
        return len(keys)


def _due_by(sequence: Sequence, now: datetime) -> Iterator[StepRun]:
    """Yield the e-mails of a run that could have left by now, had everything gone on as fast as it can."""
    run = sequence.current
    if run is None:
        return
    at = timing.due_at(replace(sequence, paused_since=None, paused_until=None), run)
    for one in sequence.steps[sequence.steps.index(run) :]:
        if one is not run and one.step.temporality_type is Temporality.DELAYED and one.step.delay:
            at += one.step.delay.duration()
        if at > now:
            return
        if one.step.type is Channel.EMAIL and not one.is_over and one.state is not StepState.UNKNOWN:
            yield one


def _left(
    store: Store, sequence: Sequence, run: StepRun, *, facts: Mapping[str, Any], why: str, now: datetime
) -> int:
    present = sequence.current
    stands = sequence.status is SequenceStatus.ACTIVE and present is not None and present.key == run.key
    if not stands or run.state in IN_FLIGHT or run.content is None or run.recipient is None:
        return 0
    lease = attempts.next_lease(store)
    after, effects = _ticked(sequence, lease, now)
    if not effects:
        return 0
    message_id = str(facts.get("message_id", ""))
    claimed = with_run(
        after, replace(next(one for one in after.steps if one.key == run.key), message_id=message_id)
    )
    keep(store, sequence, claimed, action="sequence.tick", now=now, actor=ACTOR)
    attempt = attempts.Attempt(
        lease=lease,
        key=run.key,
        generation=run.generation,
        sender=str(facts.get("sender", "")),
        message_id=message_id,
        message_digest=_NOTHING,
        claimed_at=from_micros(int(facts["at"])) if "at" in facts else now,
    )
    attempts.insert(store, attempt)
    [kept] = sequences.by_ids(store, [sequence.id])
    as_left(store, kept, run.key, lease=lease, why=why, now=now)
    return 1


def _ticked(sequence: Sequence, lease: int, now: datetime) -> tuple[Sequence, tuple[object, ...]]:
    from sequences_mcp.engine.machine import advance

    return advance(sequence, Tick(lease=lease, lease_expires_at=now), now)


def _begun_operation(store: Store, facts: Mapping[str, Any], *, why: str, now: datetime) -> None:
    """Write down a write to a vendor as one whose process died: check_operation finds out what became of it."""
    people = [one for one in sequences.by_ids(store, facts["sequences"]) if one.waits_for_plan]
    if facts["tool"] == START and not people:
        return
    if any(one.tool == facts["tool"] for one in operations.open_on(store, facts["subject"], now=now)):
        return
    write = Write(
        call=Call(facts["tool"], None, facts["fingerprint"]),
        provider=facts["provider"],
        subject=facts["subject"],
        arguments=facts["arguments"],
    )
    operations.insert(store, facts["id"], write, actor=ACTOR, now=now, lease=now)
    for one in people:
        taken = at_vendor.taken(one, operation_id=facts["id"], now=now)
        keep(store, one, taken, action="sequence.taken", now=now, actor=ACTOR)
        lost = Fate(sequence_id=one.id, outcome="unknown", why=why)
        keep(store, taken, at_vendor.fated(taken, lost, now=now), action="sequence.unknown", now=now, actor=ACTOR)
