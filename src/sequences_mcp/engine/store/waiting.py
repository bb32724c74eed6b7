"""What waits for a person, in numbers, and what the operator was last told about it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sequences_mcp.domain.record import Queue, Waiting
from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.instants import from_micros, to_micros
from sequences_mcp.providers.record_port import CHANGE_LASTS

MOST = 1_000


@dataclass(frozen=True, slots=True)
class Marks:
    """Which things wait: plans as ``number:status``, and when the newest text, task or change began."""

    plans: frozenset[str]
    newest: int

    def has_news(self, told: Marks) -> bool:
        """Say whether something waits that was not told of."""
        return not self.plans <= told.plans or self.newest > told.newest


@dataclass(frozen=True, slots=True)
class Told:
    """What was last written down about telling the operator."""

    at: datetime
    marks: Marks


NOTHING = Marks(frozenset(), 0)


def waiting(store: Store, *, now: datetime, not_because: str, others: tuple[str, ...] = ()) -> Waiting:
    """Return what waits; texts that wait for a reason that begins with ``not_because`` wait with their plan.

    ``others`` are the ids of plans that are approved and wait all the same.
    """
    with store.snapshot():
        rows = _rows(store, now=now, not_because=not_because, others=others)
    return Waiting(**{name: Queue(row["number"], from_micros(row["since"])) for name, row in rows.items()})


def marks(store: Store, *, now: datetime, not_because: str) -> Marks:
    """Return which things wait."""
    with store.snapshot():
        plans = store.rows("waiting.plan_states", now=to_micros(now), most=MOST)
        rows = _rows(store, now=now, not_because=not_because)
    newest = max(rows[name]["newest"] or 0 for name in ("texts", "tasks", "changes"))
    return Marks(frozenset(f"{row['no']}:{row['status']}" for row in plans), newest)


def changes(store: Store, *, now: datetime) -> Queue:
    """Return how many changes at vendors wait, and since when."""
    [row] = store.rows("waiting.changes", since=to_micros(now - CHANGE_LASTS))
    return Queue(row["number"], from_micros(row["since"]))


def changes_after(store: Store, told: Marks, *, now: datetime) -> list[str]:
    """Return the ids of the changes that wait and that were asked for since ``told``, the oldest first."""
    since = max(to_micros(now - CHANGE_LASTS), told.newest)
    return [row["id"] for row in store.rows("changes.waiting", since=since, skip=0, size=MOST)]


def last_told(store: Store, subject: str) -> Told | None:
    """Return what was last written down about telling the operator, or None."""
    row = store.row("waiting.last_notice", subject=subject)
    if row is None:
        return None
    detail = json.loads(row["detail"])
    return Told(from_micros(row["at"]), Marks(frozenset(detail["plans"]), detail["newest"]))


def _rows(store: Store, *, now: datetime, not_because: str, others: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "plans": store.rows("waiting.plans", now=to_micros(now), others=json.dumps(others))[0],
        "texts": store.rows("waiting.texts", plan_reason=f"{not_because}%")[0],
        "tasks": store.rows("waiting.tasks", now=to_micros(now))[0],
        "changes": store.rows("waiting.changes", since=to_micros(now - CHANGE_LASTS))[0],
    }
