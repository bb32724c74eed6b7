"""What waits for a person, in numbers, and what the operator was last told about it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sequences_mcp.domain.records import QueueTally, WaitingTally
from sequences_mcp.ports.embedded import CHANGE_LASTS
from sequences_mcp.store.database import Store
from sequences_mcp.store.statements import from_micros, to_micros

MOST = 1_000


@dataclass(frozen=True, slots=True)
class WaitingMarks:
    """Which things wait: plans as ``number:status``, and when the newest text, task or change began."""

    plans: frozenset[str]
    newest: int

    def has_news(self, last_notice: WaitingMarks) -> bool:
        """Say whether something waits that was not told of."""
        return not self.plans <= last_notice.plans or self.newest > last_notice.newest


@dataclass(frozen=True, slots=True)
class NoticeState:
    """What was last written down about telling the operator."""

    at: datetime
    marks: WaitingMarks


NOTHING = WaitingMarks(frozenset(), 0)


def waiting_counts(store: Store, *, now: datetime, not_because: str, others: tuple[str, ...] = ()) -> WaitingTally:
    """Return what waits; texts that wait for a reason that begins with ``not_because`` wait with their plan.

    ``others`` are the ids of plans that are approved and wait all the same.
    """
    with store.snapshot():
        rows = _rows(store, now=now, not_because=not_because, others=others)
    return WaitingTally(
        **{name: QueueTally(row["number"], from_micros(row["since"])) for name, row in rows.items()}
    )


def waiting_marks(store: Store, *, now: datetime, not_because: str) -> WaitingMarks:
    """Return which plans, texts, tasks and changes wait for a person."""
    with store.snapshot():
        plans = store.rows("waiting.plan_states", now=to_micros(now), most=MOST)
        rows = _rows(store, now=now, not_because=not_because)
    newest = max(rows[name]["newest"] or 0 for name in ("texts", "tasks", "changes"))
    return WaitingMarks(frozenset(f"{row['no']}:{row['status']}" for row in plans), newest)


def count_changes(store: Store, *, now: datetime) -> QueueTally:
    """Return how many changes at vendors wait, and since when."""
    [row] = store.rows("waiting.changes", since=to_micros(now - CHANGE_LASTS))
    return QueueTally(row["number"], from_micros(row["since"]))


def changes_after(store: Store, last_notice: WaitingMarks, *, now: datetime) -> list[str]:
    """Return the ids of the changes that wait and that were asked for since ``last_notice``, the oldest first."""
    since = max(to_micros(now - CHANGE_LASTS), last_notice.newest)
    return [row["id"] for row in store.rows("changes.waiting", since=since, skip=0, size=MOST)]


def last_told(store: Store, subject: str) -> NoticeState | None:
    """Return what was last written down about telling the operator, or None."""
    row = store.row("waiting.last_notice", subject=subject)
    if row is None:
        return None
    detail = json.loads(row["detail"])
    return NoticeState(from_micros(row["at"]), WaitingMarks(frozenset(detail["plans"]), detail["newest"]))


def _rows(store: Store, *, now: datetime, not_because: str, others: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "plans": store.rows("waiting.plans", now=to_micros(now), others=json.dumps(others))[0],
        "texts": store.rows("waiting.texts", plan_reason=f"{not_because}%")[0],
        "tasks": store.rows("waiting.tasks", now=to_micros(now))[0],
        "changes": store.rows("waiting.changes", since=to_micros(now - CHANGE_LASTS))[0],
    }
