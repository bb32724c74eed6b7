"""Numbers about the database, the workers that use it, and rows that change with the passing of time."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sequences_mcp.domain.entries import FailedRuns, QueueTally, Survey
from sequences_mcp.domain.workers import WorkerState
from sequences_mcp.store.audit import AuditRepository
from sequences_mcp.store.database import Database, Row
from sequences_mcp.store.statements import from_micros, to_micros

_PULLED_BACK = ("over", "open_texts", "held_texts", "vendor_operations", "plans", "decisions", "operations")


_EVER = 2**62  # microseconds since 1970, later than any instant


def first_due(database: Database) -> int | None:
    """Return when the first run is due that a worker carries out, as it is stored; None where nothing is.

    Most questions about what is due are answered by it alone, and it is read again only after a commit.
    """
    at: int | None = database.remembered("first due", lambda: database.rows("survey.first_due")[0]["at"])
    return at


class UpkeepRepository:
    """Numbers about the database, and rows that change with the passing of time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def survey(self, *, now: datetime) -> Survey:
        """Examine the file and the audit's chain and count what waits; StoreDamagedError when it is not sound."""
        server = self._database.server_lines(now=now)  # first, so that ``now`` is not long ago
        self._database.check()
        journal, why = self._database.described()
        chain, audit = self._aggregate("survey.audit"), AuditRepository(self._database)
        next_at = self._aggregate("survey.next")["at"]
        return Survey(
            path=self._database.title,
            journal=journal,
            why=why,
            audit_rows=chain["number"],
            broken_row=audit.verify(),
            emptied_rows=len(audit.redactions()),
            latest=None if chain["latest"] is None else from_micros(chain["latest"]),
            due=self._aggregate("survey.due", now=to_micros(now))["number"],
            next_at=None if next_at is None else from_micros(next_at),
            unknown=self._aggregate("survey.unknown")["number"],
            server=server,
        )

    def _aggregate(self, name: str, **values: Any) -> Any:
        row = self._database.row(name, **values)
        assert row is not None  # an aggregate always has its row
        return row

    def overdue(self, *, before: datetime) -> QueueTally:
        """Return how many runs were due before an instant, and since when the first of them."""
        first = first_due(self._database)
        if first is None or first > to_micros(before):
            return QueueTally(0, None)
        return self._counted("survey.overdue", before=to_micros(before))

    def not_handed_over(self, *, before: datetime) -> QueueTally:
        """Return how many approved starts at vendors have waited since before an instant, and since when."""
        ever = self._database.remembered(
            "not handed over", lambda: self._counted("survey.not_handed_over", before=_EVER)
        )
        if ever.since is None or ever.since > before:
            return QueueTally(0, None)
        return self._counted("survey.not_handed_over", before=to_micros(before))

    def unresolved(self) -> QueueTally:
        """Return how many e-mails and requests that only the journal has are unresolved, and since when."""
        return self._database.remembered("unresolved", lambda: self._counted("lineage.unsettled"))

    def unknown(self) -> QueueTally:
        """Return how many e-mails are of unknown outcome, and since when, without those counted as unresolved."""
        return self._database.remembered("unknown since", lambda: self._counted("survey.unknown_since"))

    def failed(self, *, since: datetime) -> list[FailedRuns]:
        """Return, by provider, how many runs failed since an instant, and when the first did."""
        last = self._database.remembered("last failed", lambda: self._aggregate("survey.last_failed")["at"])
        if last is None or last < to_micros(since):
            return []
        rows = self._database.rows("survey.failed", since=to_micros(since))
        return [FailedRuns(row["provider"], row["number"], from_micros(row["first"])) for row in rows]

    def steps(self) -> dict[str, int]:
        """Return how many steps of all runs are in each state. It reads every step: not for the event loop."""
        return {row["state"]: row["number"] for row in self._database.rows("survey.steps")}

    def replies(self) -> dict[str, int]:
        """Return how much came back by e-mail, by what it is."""
        return {row["kind"]: row["number"] for row in self._database.rows("survey.replies")}

    def _counted(self, name: str, **values: Any) -> QueueTally:
        row = self._aggregate(name, **values)
        return QueueTally(row["number"], from_micros(row["since"]))

    def newest_instant(self, sender: str) -> datetime | None:
        """Return the latest instant at which a run changed or a mailbox was used."""
        row = self._database.rows("upkeep.newest", sender=sender)[0]
        results = [row[name] for name in ("run", "attempt") if row[name] is not None]
        return from_micros(max(results)) if results else None

    def runs_in_future(self, *, now: datetime) -> list[str]:
        """Return the live runs that changed after now."""
        return [row["id"] for row in self._database.rows("upkeep.of_the_future", now=to_micros(now))]

    def plans_waiting_too_long(self, *, latest: datetime) -> list[str]:
        """Return the plans that would wait for a person until after an instant."""
        return [row["id"] for row in self._database.rows("upkeep.waiting_too_long", latest=to_micros(latest))]

    def pull_back(self, *, now: datetime) -> None:
        """Set to ``now`` the other instants that a clock which was ahead has put after it."""
        for name in _PULLED_BACK:
            self._database.write(f"upkeep.pull_back_{name}", now=to_micros(now))

    def has_old_answers(self, *, before: datetime) -> bool:
        """Say whether answers are kept from before an instant."""
        return bool(self._database.rows("upkeep.has_old_answers", before=to_micros(before))[0]["found"])

    def forget_answers(self, *, before: datetime) -> None:
        """Delete stored answers from before an instant, with their idempotency keys."""
        with self._database.transaction():
            self._database.write("upkeep.forget_operations", before=to_micros(before))
            self._database.write("upkeep.forget_starts", before=to_micros(before))
            self._database.write("upkeep.forget_vendor_answers", before=to_micros(before))


_INSTANTS = ("since", "beat", "last_act", "error_since")


class WorkerRepository:
    """The last heartbeat of each queue of each process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, state: WorkerState, *, forgotten_before: datetime) -> None:
        """Store the heartbeat of a queue of a process in place of its last one; delete those long silent."""
        row = state.as_stored() | {"serves": json.dumps(state.serves)}
        row |= {name: to_micros(row[name]) for name in _INSTANTS}
        with self._database.joined():
            self._database.write("workers.keep", **row)
            self._database.write("workers.forget", before=to_micros(forgotten_before))

    def remove(self, *, host: str, process: int, label: str) -> None:
        """Delete the heartbeat of a queue of a process that has ended."""
        self._database.write("workers.remove", host=host, process=process, lane=label)

    def all(self) -> list[WorkerState]:
        """Return every queue of every process, the one that has run longest first."""
        return list(self._database.remembered("workers", self._all))

    def _all(self) -> tuple[WorkerState, ...]:
        return tuple([_state(row) for row in self._database.rows("workers.all")])


def _state(row: Row) -> WorkerState:
    facts = dict(row)
    facts |= {name: from_micros(facts[name]) for name in _INSTANTS}
    return WorkerState.of_stored(facts | {"serves": json.loads(facts["serves"])})
