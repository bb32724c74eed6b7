"""What a worker does about runs that were approved for other settings than its own.

Another sender's, or another way out's, it leaves alone. Where only the window, the limits or the sender's name
have changed since, and no worker has what was approved, the change is real: what is due is held, until a worker
with the approved settings is back or a person approves the present ones for the whole plan.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sequences_mcp.domain.plan import Terms
from sequences_mcp.domain.sequence import IN_FLIGHT, SequenceStatus, StepState
from sequences_mcp.engine.approvals import OTHER_SETTINGS
from sequences_mcp.engine.change import keep
from sequences_mcp.engine.claim import ACTOR
from sequences_mcp.engine.machine import APPROVAL
from sequences_mcp.engine.pulse import alive, served
from sequences_mcp.engine.steps import grounded, settled, with_run
from sequences_mcp.engine.store import schedule
from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.plans import OtherSettings, other_settings

BATCH = 100
HELD = f"{APPROVAL}: {OTHER_SETTINGS}"


def hold_changed(store: Store, *, terms: Terms, now: datetime) -> list[OtherSettings]:
    """Hold what is due under settings that have really changed; return whose runs are left alone."""
    found = other_settings(store, terms=terms, now=now)
    if not found:
        return []
    at_work = served(alive(store, now=now))
    changed = [one for one in found if _is_ours(one.terms, terms) and one.terms.mark not in at_work]
    for one in changed:
        why = f"{HELD}: {one.terms.difference(terms)}"
        while _hold_some(store, one.terms, why=why, now=now):
            pass
    return [one for one in found if one not in changed]


def let_go(store: Store, *, terms: Terms, now: datetime) -> None:
    """Let go on what was held for other settings and was approved for these."""
    while True:
        with store.transaction():
            people = schedule.held_because(store, HELD, terms=terms, size=BATCH)
            for one in people:
                run = one.current
                if run is not None:
                    freed = with_run(one, replace(run, until=now))
                    keep(store, one, settled(freed, now), action="sequence.let_go", now=now, actor=ACTOR)
        if len(people) < BATCH:
            return


def _is_ours(theirs: Terms, ours: Terms) -> bool:
    return (theirs.sender_address, theirs.delivery) == (ours.sender_address, ours.delivery)


def _hold_some(store: Store, terms: Terms, *, why: str, now: datetime) -> bool:
    """Hold a batch of what is due; return whether any of it was."""
    with store.transaction():
        held = 0
        for one in schedule.due_under(store, terms, now=now, size=BATCH):
            run = one.current
            if run is None or one.status is not SequenceStatus.ACTIVE or run.state in IN_FLIGHT:
                continue  # a pause or a lease that ends
            after = settled(with_run(one, grounded(run, StepState.HELD, reason=why)), now)
            keep(store, one, after, action="sequence.held", now=now, actor=ACTOR)
            held += 1
    return held > 0
