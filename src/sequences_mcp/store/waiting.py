"""What waits for a person, in numbers, and what the last notice to the operator was about."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sequences_mcp.domain.entries import NoticeState, QueueTally, WaitingMarks
from sequences_mcp.domain.records import WaitingTally
from sequences_mcp.ports.embedded import CHANGE_LASTS
from sequences_mcp.store.database import Database
from sequences_mcp.store.statements import from_micros, to_micros

MOST = 1_000
ENDLESS = 2**62  # microseconds: beyond the calendar


class WaitingRepository:
    """What waits for a person, and what the last notice to the operator was about."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def counts(self, *, now: datetime, not_because: str, others: tuple[str, ...] = ()) -> WaitingTally:
        """Return what waits; texts that wait for a reason that begins with ``not_because`` wait with their plan.

        ``others`` are the ids of plans that are approved and wait all the same.
        """

        def read() -> tuple[WaitingTally, datetime, datetime]:
            rows = self._rows(now=now, not_because=not_because, others=others)
            tally = WaitingTally(
                **{name: QueueTally(row["number"], from_micros(row["since"])) for name, row in rows.items()}
            )
            return tally, now, from_micros(min(row["until"] or ENDLESS for row in rows.values()))

        with self._database.snapshot():  # in which a server is asked whether anything was committed since
            tally, since, until = self._database.remembered(("what waits", not_because, others), read)
            return tally if since <= now < until else read()[0]

    def marks(self, *, now: datetime, not_because: str) -> WaitingMarks:
        """Return which plans, texts, tasks and changes wait for a person."""
        with self._database.snapshot():
            plans = self._database.rows("waiting.plan_states", now=to_micros(now), most=MOST)
            rows = self._rows(now=now, not_because=not_because)
        newest = max(rows[name]["newest"] or 0 for name in ("texts", "tasks", "changes"))
        return WaitingMarks(frozenset(f"{row['no']}:{row['status']}" for row in plans), newest)

    def changes_after(self, last_notice: WaitingMarks, *, now: datetime) -> list[str]:
        """Return the ids of the changes that wait and were asked for since ``last_notice``, the oldest first."""
        since = max(to_micros(now - CHANGE_LASTS), last_notice.newest)
        return [row["id"] for row in self._database.rows("changes.waiting", since=since, skip=0, size=MOST)]

    def plan_ids(self, marks: Iterable[str]) -> list[str]:
        """Return the ids of the plans that these marks are of (``WaitingMarks.plans``)."""
        numbers = sorted({int(mark.partition(":")[0]) for mark in marks})
        return [row["id"] for row in self._database.rows("plans.ids_of", numbers=json.dumps(numbers))]

    def last_told(self, subject: str) -> NoticeState | None:
        """Return what was stored about the last notice to the operator, or None."""
        row = self._database.row("waiting.last_notice", subject=subject)
        if row is None:
            return None
        detail = json.loads(row["detail"])
        return NoticeState(from_micros(row["at"]), WaitingMarks(frozenset(detail["plans"]), detail["newest"]))

    def _rows(self, *, now: datetime, not_because: str, others: tuple[str, ...] = ()) -> dict[str, Any]:
        rows = self._database.rows(
            "waiting.counts",
            now=to_micros(now),
            others=json.dumps(others),
            plan_reason=f"{not_because}%",
            lasts=CHANGE_LASTS // timedelta(microseconds=1),
        )
        return {row["what"]: row for row in rows}
