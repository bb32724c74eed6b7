"""The embedded provider put together, and what has been written down for a person to read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sequences_mcp.domain.findings import grouped
from sequences_mcp.domain.ids import IdKind, parse_id
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.records import AuditEntry, MailRecord, PlanTally, Suppression, WaitingTally
from sequences_mcp.domain.run import SequenceStatus, StepState
from sequences_mcp.engine.blueprints import LocalBlueprints, LocalChanges, LocalWaivers
from sequences_mcp.engine.changed_settings import held_plans
from sequences_mcp.engine.contacts import LocalContacts
from sequences_mcp.engine.context import EngineContext, require_page
from sequences_mcp.engine.drafts import LocalDrafts, LocalTasks
from sequences_mcp.engine.machine import APPROVAL
from sequences_mcp.engine.operations import LocalLedger, LocalOperations
from sequences_mcp.engine.plans import LocalPlans
from sequences_mcp.engine.sequences import LocalSequences, plan_people, run_details
from sequences_mcp.engine.suppressions import LocalReplies, LocalSuppressions
from sequences_mcp.engine.vendor_runs import LocalVendorRuns
from sequences_mcp.ports.embedded import SequenceDetail
from sequences_mcp.store import plans, waiting
from sequences_mcp.store.sequences import of_keys, runs_by_ids
from sequences_mcp.store.statements import from_micros

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LocalRecords:
    """What has been written down, for a person to read."""

    engine: EngineContext

    async def tally(self, plan_id: str) -> PlanTally:
        """Count a plan's people, and how many of those who wait would get each of its steps."""
        parsed_id = str(parse_id(plan_id, IdKind.PLAN))
        with self.engine.store.snapshot():
            counts = self.engine.store.rows("records.tally", plan_id=parsed_id)[0]
            messages = self.engine.store.rows("records.messages", plan_id=parsed_id)
            steps = self.engine.store.rows("records.steps", plan_id=parsed_id)
            statuses = self.engine.store.rows("records.statuses", plan_id=parsed_id)
            reasons = self.engine.store.rows("records.reasons", plan_id=parsed_id)
            pauses = plans.pauses_mark(self.engine.store, parsed_id)
        states: list[dict[StepState, int]] = [{} for _ in messages]
        for row in steps:
            states[row["step"]][StepState(row["state"])] = row["found"]
        return PlanTally(
            **dict(counts),
            messages=tuple(row["found"] for row in messages),
            steps=tuple(states),
            statuses={SequenceStatus(row["status"]): row["found"] for row in statuses},
            reasons=grouped((row["reason"], row["found"]) for row in reasons),
            pauses=pauses,
        )

    async def waiting(self) -> WaitingTally:
        """Count what waits for a person, and since when."""
        others = held_plans(self.engine)
        return waiting.waiting_counts(
            self.engine.store, now=self.engine.clock(), not_because=APPROVAL, others=others
        )

    async def list_people(self, plan_id: str, *, page: int, size: int) -> Page[SequenceDetail]:
        """Return a plan's people: warnings first, those taken out of it last."""
        parsed_id = str(parse_id(plan_id, IdKind.PLAN))
        results = self._page("people", lambda row: str(row["id"]), page=page, size=size, plan_id=parsed_id)
        return Page(
            run_details(self.engine, runs_by_ids(self.engine.store, results.items)),
            results.total_count,
            page,
            size,
        )

    async def list_mails(self, *, page: int, size: int) -> Page[MailRecord]:
        """Return e-mails that were handed over or tried to be, the newest first."""
        results = self._page("mails", dict, page=page, size=size)
        pairs = of_keys(self.engine.store, [row["key"] for row in results.items])
        people = plan_people(self.engine, (run for run, _ in pairs))
        runs = {run.key: (item, run) for item, run in pairs}
        return results.map(
            lambda row: MailRecord(
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


@dataclass(frozen=True, slots=True)
class LocalProvider:
    """Every capability over one engine, for the thread that opened its store."""

    blueprints: LocalBlueprints
    contacts: LocalContacts
    sequences: LocalSequences
    plans: LocalPlans
    drafts: LocalDrafts
    tasks: LocalTasks
    suppressions: LocalSuppressions
    waivers: LocalWaivers
    changes: LocalChanges
    ledger: LocalLedger
    records: LocalRecords
    operations: LocalOperations
    vendor_runs: LocalVendorRuns
    replies: LocalReplies


def local_provider(engine: EngineContext) -> LocalProvider:
    """Return the provider that works on this engine."""
    return LocalProvider(
        blueprints=LocalBlueprints(engine),
        contacts=LocalContacts(engine),
        sequences=LocalSequences(engine),
        plans=LocalPlans(engine),
        drafts=LocalDrafts(engine),
        tasks=LocalTasks(engine),
        suppressions=LocalSuppressions(engine),
        waivers=LocalWaivers(engine),
        changes=LocalChanges(engine),
        ledger=LocalLedger(engine),
        records=LocalRecords(engine),
        operations=LocalOperations(engine),
        vendor_runs=LocalVendorRuns(engine),
        replies=LocalReplies(engine),
    )
