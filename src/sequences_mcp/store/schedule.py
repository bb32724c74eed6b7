"""The runs as a clock outside of the database sees them: when each is due and where, and what changed since.

What changed is read from the audit, to which every change of a run adds a row in its own transaction: whoever
changes a run, in whatever process, tells nobody else. How far the other clock has been told is a row of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sequences_mcp.domain.entries import ScheduleEntry
from sequences_mcp.domain.ids import LOCAL, IdKind
from sequences_mcp.domain.run import LIVE, SequenceStatus
from sequences_mcp.store.database import Database, Row
from sequences_mcp.store.statements import from_micros, to_micros

QUEUES = ("mailbox", "free")
MOST_AHEAD = 10_000
HELD_FOR = timedelta(seconds=30)
_RUN = f"{LOCAL}:{IdKind.SEQUENCE}_"
_PART = 500


class ScheduleRepository:
    """When each run is due, and how far a clock outside of the database was told of what happened."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_run(self, sequence_id: str) -> ScheduleEntry | None:
        """Return when one run is due and where, or None where there is no such run."""
        row = self._database.row("schedule.of_run", id=sequence_id)
        return _entry(row) if row else None

    def coming(self, *, before: datetime) -> Iterator[ScheduleEntry]:
        """Yield the runs that are due before an instant, those of each queue in order."""
        for queue in QUEUES:
            at, number = -1, 0
            while True:
                rows = self._database.rows(
                    "schedule.coming", lane=queue, before=to_micros(before), at=at, no=number, size=_PART
                )
                yield from map(_entry, rows)
                if len(rows) < _PART:
                    break
                at, number = rows[-1]["next_run_at"], rows[-1]["no"]

    def live(self, *, after: int, size: int) -> list[ScheduleEntry]:
        """Return some live runs of the embedded engine, by their numbers, after one of them."""
        return [_entry(row) for row in self._database.rows("schedule.live", no=after, size=size)]

    def ahead_of(self, entry: ScheduleEntry, *, now: datetime) -> int:
        """Return how many runs of the same settings that are due wait for their mailbox before this one."""
        values = {"no": entry.number, "at": to_micros(entry.at), "now": to_micros(now), "terms": entry.terms}
        return int(self._database.rows("schedule.ahead", **values, most=MOST_AHEAD)[0]["found"])

    def begin_feed(self, *, anew: bool = False) -> bool:
        """Let the feed begin behind the last row of the audit, if there is none yet; say whether it did.

        With ``anew`` also where the feed is further than the audit: an older backup was put in its place.
        """
        with self._database.joined():
            head = self._database.row("audit.head")
            last = int(head["no"]) if head else 0
            row = self._database.row("schedule.feed")
            if row is not None and not (anew or row["audit_no"] > last):
                return False
            self._database.write("schedule.begin_feed", audit_no=last)
            if row is not None:
                self._database.write("schedule.move_feed", audit_no=last, holder=row["holder"])
            return True

    def changed(self, holder: str, *, now: datetime, size: int) -> tuple[list[str], int] | None:
        """Return which runs something happened to that the clock was not told, and the number of its last row.

        None where another process tells it; ``holder`` is then the only one that is given any for half a minute.
        """
        with self._database.joined():
            held = self._database.write(
                "schedule.hold_feed",
                holder=holder,
                until=to_micros(now + HELD_FOR),
                now=to_micros(now),
                too_late=to_micros(now + 2 * HELD_FOR),
            )
            row = self._database.row("schedule.feed") if held else None
            if row is None:
                return None
            rows = self._database.rows("schedule.changes", no=row["audit_no"], size=size)
            last = int(rows[-1]["no"]) if rows else int(row["audit_no"])
        return list(dict.fromkeys(row["subject"] for row in rows if _is_news(row))), last

    def pass_on(self, holder: str, *, up_to: int) -> None:
        """Record that the clock was told of everything up to this row of the audit."""
        self._database.write("schedule.move_feed", holder=holder, audit_no=up_to)


# What a step's own way through the engine leaves behind: whoever carried it out tells the clock itself.
_OWN_WAY = frozenset(
    f"sequence.{name}" for name in ("tick", "handed_over", "delivered", "deferred", "rejected", "lost", "too_late")
)


def _is_news(row: Row) -> bool:
    return str(row["subject"]).startswith(_RUN) and row["action"] not in _OWN_WAY


def _entry(row: Row) -> ScheduleEntry:
    facts: dict[str, Any] = {name: row[name] for name in ("id", "plan_id", "blueprint_id", "contact_id", "terms")}
    return ScheduleEntry(
        **facts,
        number=row["no"],
        status=row["status"],
        is_over=row["provider"] != LOCAL or SequenceStatus(row["status"]) not in LIVE,
        queue=row["lane"],
        at=from_micros(row["next_run_at"]),
        fingerprint=sha256(row["terms"].encode("utf-8", "surrogatepass")).hexdigest()[:16],
    )
