"""What has been written down, for a person to read: tallies, e-mails, the suppression list, the audit trail."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sequences_mcp.domain.ids import Kind, parse
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.reasons import grouped
from sequences_mcp.domain.record import AuditEntry, Mail, PlanTally, Suppression, Waiting
from sequences_mcp.domain.sequence import SequenceStatus, StepState
from sequences_mcp.engine.local.details import details, people_of
from sequences_mcp.engine.local.engine import Engine, require_page
from sequences_mcp.engine.local.standing import held_plans
from sequences_mcp.engine.machine import APPROVAL
from sequences_mcp.engine.store import waiting
from sequences_mcp.engine.store.instants import from_micros
from sequences_mcp.engine.store.sequences import by_ids, of_keys
from sequences_mcp.providers.port import SequenceDetail

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LocalRecords:
    """``providers.record_port.Records`` over the store."""

    engine: Engine

    async def tally(self, plan_id: str) -> PlanTally:
        """Count a plan's people, and how many of those who wait would get each of its steps."""
        own = str(parse(plan_id, Kind.PLAN))
        with self.engine.store.snapshot():
            counts = self.engine.store.rows("records.tally", plan_id=own)[0]
            messages = self.engine.store.rows("records.messages", plan_id=own)
            steps = self.engine.store.rows("records.steps", plan_id=own)
            statuses = self.engine.store.rows("records.statuses", plan_id=own)
            reasons = self.engine.store.rows("records.reasons", plan_id=own)
        states: list[dict[StepState, int]] = [{} for _ in messages]
        for row in steps:
            states[row["step"]][StepState(row["state"])] = row["found"]
        return PlanTally(
            **dict(counts),
            messages=tuple(row["found"] for row in messages),
            steps=tuple(states),
            statuses={SequenceStatus(row["status"]): row["found"] for row in statuses},
            reasons=grouped((row["reason"], row["found"]) for row in reasons),
        )

    async def waiting(self) -> Waiting:
        """Count what waits for a person, and since when."""
        others = held_plans(self.engine)
        return waiting.waiting(self.engine.store, now=self.engine.clock(), not_because=APPROVAL, others=others)

    async def list_people(self, plan_id: str, *, page: int, size: int) -> Page[SequenceDetail]:
        """Return a plan's people: warnings first, those taken out of it last."""
        own = str(parse(plan_id, Kind.PLAN))
        found = self._page("people", lambda row: str(row["id"]), page=page, size=size, plan_id=own)
        return Page(details(self.engine, by_ids(self.engine.store, found.items)), found.total_count, page, size)

    async def list_mails(self, *, page: int, size: int) -> Page[Mail]:
        """Return e-mails that were handed over or tried to be, the newest first."""
        found = self._page("mails", dict, page=page, size=size)
        pairs = of_keys(self.engine.store, [row["key"] for row in found.items])
        people = people_of(self.engine, (one for one, _ in pairs))
        runs = {run.key: (one, run) for one, run in pairs}
        return found.map(
            lambda row: Mail(
                sequence=runs[row["key"]][0],
                run=runs[row["key"]][1],
                contact=people[runs[row["key"]][0].contact_id],
                tried_at=from_micros(row["claimed_at"]),
            )
        )

    async def list_suppressed(self, *, page: int, size: int) -> Page[Suppression]:
        """Return the suppression list, the newest first."""
        return self._page("suppressions", _suppression, page=page, size=size)

    async def note(self, action: str, subject: str, **detail: object) -> None:
        """Write down that something happened which changes nothing."""
        with self.engine.store.transaction():
            self.engine.audit(action, subject, **detail)

    async def list_audit(self, *, page: int, size: int) -> Page[AuditEntry]:
        """Return what happened, the newest first."""
        return self._page("audit", _entry, page=page, size=size)

    def _page(
        self, name: str, read: Callable[[Mapping[str, Any]], T], *, page: int, size: int, **values: Any
    ) -> Page[T]:
        require_page(page, size)
        store = self.engine.store
        with store.snapshot():
            rows = store.rows(f"records.{name}", **values, size=size, skip=(page - 1) * size)
            total = store.rows(f"records.count_{name}", **values)[0]["found"]
        return Page(tuple(read(dict(row)) for row in rows), total, page, size)


def _suppression(row: Mapping[str, Any]) -> Suppression:
    return Suppression(
        kind=row["kind"],
        value=row["value"],
        reason=row["reason"],
        actor=row["actor"],
        created_at=from_micros(row["created_at"]),
    )


def _entry(row: Mapping[str, Any]) -> AuditEntry:
    return AuditEntry(
        number=row["no"],
        at=from_micros(row["at"]),
        actor=row["actor"],
        action=row["action"],
        subject=row["subject"],
        detail=json.loads(row["detail"]),
    )
