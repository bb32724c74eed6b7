"""Numbers about all work in a database, for a program that watches it."""

from __future__ import annotations

from datetime import datetime

from sequences_mcp.domain.records import WorkMetrics
from sequences_mcp.engine.machine import APPROVAL
from sequences_mcp.engine.supervisor import at_work
from sequences_mcp.store.unit_of_work import Store


def measure(store: Store, *, now: datetime) -> WorkMetrics:
    """Return the numbers as they are now; StoreError.

    Every step of every run is read: this is for a thread and a connection of its own, not for the event loop.
    """
    with store.snapshot():
        due = store.upkeep.overdue(before=now)
        waiting = store.waiting.counts(now=now, not_because=APPROVAL)
        return WorkMetrics(
            steps=store.upkeep.steps(),
            replies=store.upkeep.replies(),
            due=due.number,
            lag=(now - due.since).total_seconds() if due.since else 0.0,
            waiting={
                "plans": waiting.plans.number,
                "texts": waiting.texts.number,
                "tasks": waiting.tasks.number,
                "changes": waiting.changes.number,
            },
            workers=len(at_work(store, now=now)),
        )
