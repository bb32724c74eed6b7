"""The embedded provider, put together of its parts, and the records that people read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Container, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.entries import AuditEntry, Suppression
from sequences_mcp.domain.ids import IdKind, parse_id
from sequences_mcp.domain.inbound import InboxState, ReplyEntry
from sequences_mcp.domain.pacing import day_of
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.plan import Terms
from sequences_mcp.domain.records import MailboxUsage, MailRecord, PlanTally, VariantTally, WaitingTally
from sequences_mcp.domain.suppressions import SuppressionKey
from sequences_mcp.engine.approvals import read_steps, steps_of
from sequences_mcp.engine.blueprints import LocalBlueprints, LocalChanges, LocalWaivers
from sequences_mcp.engine.changed_settings import held_plans
from sequences_mcp.engine.contacts import LocalContacts
from sequences_mcp.engine.context import EngineContext, EngineVerbs, require_page, stepping_aside
from sequences_mcp.engine.drafts import LocalDrafts, LocalTasks
from sequences_mcp.engine.erasure import LocalErasures
from sequences_mcp.engine.machine import APPROVAL
from sequences_mcp.engine.operations import LocalLedger, LocalOperations, at_once
from sequences_mcp.engine.plans import LocalPlans
from sequences_mcp.engine.sequences import LocalSequences, plan_people, run_details
from sequences_mcp.engine.suppressions import LocalReplies, LocalSuppressions
from sequences_mcp.engine.vendor_runs import LocalVendorRuns
from sequences_mcp.errors import NotFoundError
from sequences_mcp.lazy_dataclasses import dataclass, replace
from sequences_mcp.ports.embedded import PeopleFilter, SequenceDetail
from sequences_mcp.remembering import VALUES

if TYPE_CHECKING:
    from sequences_mcp.domain.blueprint import Step
    from sequences_mcp.domain.reports import CampaignReport, FailedReport, OutcomeRow, PausedTally
    from sequences_mcp.store.unit_of_work import Repositories

T = TypeVar("T")
EVERYBODY = PeopleFilter()


@dataclass(frozen=True, slots=True)
class LocalRecords(EngineVerbs):
    """What has been written down, for a person to read."""

    engine: EngineContext

    def snapshot(self) -> AbstractContextManager[object]:
        """Give every read of the block the same state of the database, in a fraction of the time of each alone.

        The block must neither write nor wait for anything else: nobody on the event loop could write meanwhile.
        """
        return self.engine.store.snapshot()

    async def tally(self, plan_id: str) -> PlanTally:
        """Count a plan's people, and how many of those who wait would get each of its steps."""
        parsed_id = str(parse_id(plan_id, IdKind.PLAN))
        return self.engine.store.plans.tally(parsed_id)

    async def campaigns(self, provider: str, *, search: str = "", page: int, size: int) -> Page[CampaignReport]:
        """Count what came of a provider's blueprints that people were started in, the latest change first."""
        require_page(page, size)
        store, reader = self.engine.store, self.engine.reader

        def read() -> Page[CampaignReport]:
            results = store.outcomes.blueprints(provider, search=search, reader=reader, page=page, size=size)
            rows = store.outcomes.of_blueprints(results.items)
            return results.of(tuple(self._counted(store, wanted, rows) for wanted in results.items))

        return store.remembered(("campaigns", provider, search, reader, page, size), read)

    async def campaign(self, blueprint_id: str) -> CampaignReport:
        """Count what came of one blueprint; NotFoundError for one that is not known here."""
        with self.engine.store.snapshot() as work:
            known = work.blueprints.find(blueprint_id)
            if known is None or not known.is_seen_by(self.engine.reader):
                raise NotFoundError(
                    f"Nothing is known here of blueprint {blueprint_id}.",
                    next_step="list_blueprints shows what there is.",
                )
            return work.remembered(
                ("campaign", blueprint_id),
                lambda: self._counted(work, blueprint_id, work.outcomes.of_blueprints([blueprint_id])),
            )

    async def failed(self) -> tuple[FailedReport, ...]:
        """Return what failed and was not planned anew, by blueprint, the most people first."""
        from sequences_mcp.domain.reports import FailedReport

        with self.engine.store.snapshot() as work:
            results = work.outcomes.failed()
            reports = []
            unseen = self.engine.unseen(tally.blueprint_id for tally in results)
            for blueprint_id in dict.fromkeys(tally.blueprint_id for tally in results):
                if blueprint_id in unseen:
                    continue
                newest = work.blueprints.find(blueprint_id)
                reasons = tuple(tally for tally in results if tally.blueprint_id == blueprint_id)
                number = sum(tally.number for tally in reasons)
                name = newest.name if newest else blueprint_id
                reports.append(FailedReport(blueprint_id=blueprint_id, name=name, number=number, reasons=reasons))
        return tuple(sorted(reports, key=lambda report: -report.number))

    async def next_emails(self, *, size: int) -> tuple[SequenceDetail, ...]:
        """Return the runs whose e-mails leave next, with when that is as far as the mailbox's limits let it be."""
        with self.engine.store.snapshot() as work:
            return run_details(self.engine, work.runs.by_ids(work.outcomes.next_emails(size=size)))

    async def next_of(self, blueprint_ids: Iterable[str]) -> Mapping[str, datetime]:
        """Return when something is due next in each of these blueprints, where anything is."""
        return self.engine.store.outcomes.next_of(blueprint_ids)

    async def pauses(self) -> tuple[PausedTally, ...]:
        """Return the largest groups of people who were paused together."""
        return self.engine.store.outcomes.pauses()

    def _counted(self, work: Repositories, blueprint_id: str, rows: Iterable[OutcomeRow]) -> CampaignReport:
        from sequences_mcp.domain.reports import blueprint_report

        def steps_of(version: int) -> tuple[Step, ...]:
            blueprint = work.blueprints.find(blueprint_id, version=version)
            return blueprint.steps if blueprint else ()

        newest = work.blueprints.find(blueprint_id)
        assert newest is not None  # runs point at its versions
        runs = [row for row in rows if row.blueprint_id == blueprint_id]
        return blueprint_report(newest, runs, steps_of=steps_of)

    async def waiting(self) -> WaitingTally:
        """Count what waits for a person, and since when."""
        others = held_plans(self.engine)
        return self.engine.store.waiting.counts(now=self.engine.clock(), not_because=APPROVAL, others=others)

    async def list_people(
        self, plan_id: str, *, page: int, size: int, wanted: PeopleFilter = EVERYBODY
    ) -> Page[SequenceDetail]:
        """Return a plan's people: warnings first, those taken out of it last."""
        require_page(page, size)
        with self.engine.store.snapshot() as work:
            local_id, steps = self._to_read(plan_id)
            people = work.runs.of_plan_warned_first(local_id, wanted, read_steps=steps, page=page, size=size)
            return people.of(run_details(self.engine, people.items))

    async def place_of_person(
        self, plan_id: str, sequence_id: str, *, wanted: PeopleFilter = EVERYBODY
    ) -> int | None:
        """Return the place of one person in that list, from 1; None where they are not in it."""
        local_id, steps = self._to_read(plan_id)
        runs = self.engine.store.runs
        return runs.place_in_plan(local_id, wanted, read_steps=steps, sequence_id=sequence_id)

    async def unread_people(
        self, plan_id: str, *, opened: Collection[str], spared: Collection[str] = (), after: str | None = None
    ) -> tuple[int, str | None]:
        """Return how many people have a text of their own that was never opened, and the id of whose turn is next.

        ``opened`` has the keys of the texts that were; the texts of the steps ``spared`` by id need not be.
        """
        local_id, steps = self._to_read(plan_id, spared=spared)
        return self.engine.store.runs.unread_of_plan(local_id, read_steps=steps, opened=opened, after=after)

    async def variants_in(self, plan_id: str, *, opened: Collection[str] = ()) -> tuple[VariantTally, ...]:
        """Return how many people of a plan wait for each variant of each step; nothing where no step has any."""
        parsed_id, store = str(parse_id(plan_id, IdKind.PLAN)), self.engine.store
        plan = store.plans.find(parsed_id)
        if plan is None or not any(step.variants for step in steps_of(store, plan)):
            return ()
        return tuple(store.runs.variants_in(parsed_id, opened=opened))

    def _to_read(self, plan_id: str, *, spared: Collection[str] = ()) -> tuple[str, list[int]]:
        """Return the checked id of a plan, and the positions of its steps whose texts are read one by one."""
        parsed_id, store = str(parse_id(plan_id, IdKind.PLAN)), self.engine.store
        plan = store.plans.find(parsed_id)
        if plan is None:
            return parsed_id, []
        steps = steps_of(store, plan) if spared else ()
        left_out = {number for number, step in enumerate(steps) if step.id in spared}
        return parsed_id, [number for number in read_steps(store, plan) if number not in left_out]

    async def mailbox_usage(self, terms: Terms) -> MailboxUsage:
        """Return from when the mailbox of these terms may be used again, and which of its days it is."""
        now, mailboxes = self.engine.clock(), self.engine.store.mailboxes
        opens = mailboxes.opens(terms.sender_address, limits=terms.limits, now=now)
        first = mailboxes.first_use(terms.sender_address)
        return MailboxUsage(opens=opens[0] if opens else None, day=day_of(now, first=first))

    async def inboxes(self, addresses: Iterable[str]) -> Mapping[str, InboxState | None]:
        """Return up to when the inbox of each of these senders was read; None where nobody tried yet."""
        return {address: self.engine.store.inboxes.reading(address) for address in addresses}

    async def list_mails(self, *, page: int, size: int) -> Page[MailRecord]:
        """Return e-mails that were handed over or tried to be, the newest first."""
        require_page(page, size)
        results = self.engine.store.attempts.page(page=page, size=size)
        pairs = self.engine.store.runs.of_keys([key for key, _ in results.items])
        people = plan_people(self.engine, (run for run, _ in pairs))
        runs = {run.key: (item, run) for item, run in pairs}

        def record(key: str, tried_at: datetime) -> MailRecord:
            item, run = runs[key]
            return MailRecord(sequence=item, run=run, contact=people[item.contact_id], tried_at=tried_at)

        return results.map(lambda tried: record(*tried))

    async def list_suppressed(self, *, page: int, size: int) -> Page[Suppression]:
        """Return the suppression list, the newest first."""
        require_page(page, size)
        return self.engine.store.suppressions.page(page=page, size=size)

    async def contacts_after(self, mark: int, *, size: int) -> tuple[list[Contact], int]:
        """Return a part of everybody, and where the next one begins; the first begins at 0, the last is empty."""
        return self.engine.store.contacts.after(mark, size=size)

    async def runs_after(self, mark: int, *, size: int) -> tuple[list[SequenceDetail], int]:
        """Return a part of all runs, here and at vendors, and where the next part begins."""
        with self.engine.store.snapshot() as work:
            runs, mark = work.runs.after(mark, size=size)
            return list(run_details(self.engine, runs)), mark

    async def replies_after(self, mark: str, *, size: int) -> tuple[list[tuple[ReplyEntry, Contact | None]], str]:
        """Return a part of what came back, each with its person, and where the next part begins; first: empty."""
        with self.engine.store.snapshot() as work:
            entries, mark = work.inbound.after(mark, size=size)
            wanted = dict.fromkeys(entry.contact_id for entry in entries if entry.contact_id)
            people = {person.id: person for person in work.contacts.by_ids(wanted)}
            return [(entry, people.get(entry.contact_id)) for entry in entries], mark

    async def suppressions_after(
        self, mark: SuppressionKey, *, size: int
    ) -> tuple[list[Suppression], SuppressionKey]:
        """Return a part of the list of those never to contact, and where the next begins; first: two blanks."""
        return self.engine.store.suppressions.after(mark, size=size)

    async def last_audit_number(self) -> int:
        """Return the number of the audit's newest row, 0 where there is none."""
        return self.engine.store.audit.last_number()

    async def audit_after(self, mark: int, *, size: int) -> tuple[list[AuditEntry], int]:
        """Return a part of what happened, in order, and where the next begins; the first begins at 0.

        What is about blueprints that are somebody else's alone is left out; only the last part is empty.
        """
        while True:
            entries, mark = self.engine.store.audit.after(mark, size=size)
            seen = self._visible(entries)
            if seen or not entries:
                return seen, mark

    async def changed_after(self, mark: int, *, size: int) -> tuple[list[tuple[str, str]], int]:
        """Return what a part of the audit is about, each with whose alone that is or empty, and its end."""
        entries, mark = self.engine.store.audit.after(mark, size=size)
        owners = self.engine.store.blueprints.private() if entries else {}
        return [(entry.subject, owners.get(entry.subject, "")) for entry in entries], mark

    async def note(self, action: str, subject: str, **detail: object) -> None:
        """Write down that something happened which changes nothing."""
        with self.engine.store.transaction() as work:
            self.engine.audit(work, action, subject, **detail)

    def seen(self, things: Iterable[str]) -> list[str]:
        """Return these ids (``id``, ``id@version``) without those of blueprints that are somebody else's alone."""
        ids = {named: named.partition("@")[0] for named in things}
        unseen = self.engine.unseen(ids.values())
        return [named for named, blueprint_id in ids.items() if blueprint_id not in unseen]

    async def list_audit(self, *, page: int, size: int) -> Page[AuditEntry]:
        """Return what happened, the newest first."""
        require_page(page, size)
        results = self.engine.store.audit.page(page=page, size=size, reader=self.engine.reader)
        return results.of(tuple(self._visible(results.items)))

    def _visible(self, entries: Iterable[AuditEntry]) -> list[AuditEntry]:
        """Return entries without those about blueprints of somebody else's alone, and without what names these."""
        if not self.engine.reader:
            return list(entries)
        unseen = self.engine.unseen(self.engine.store.blueprints.private())
        nameless = self.engine.nameless(unseen)
        return [
            replace(entry, detail=_without_blueprints(entry.detail, nameless))
            for entry in entries
            if entry.subject not in unseen
        ]


def _without_blueprints(detail: Mapping[str, Any], nameless: Container[str]) -> dict[str, Any]:
    """Return what a row of the audit tells without these blueprints' ids, and the version that is beside one."""
    named = {name for name, value in detail.items() if str(value) in nameless}
    return {name: value for name, value in detail.items() if name not in (named | {"version"} if named else named)}


@dataclass(frozen=True)
class LocalProvider(LocalBlueprints, LocalContacts, LocalSequences, LocalDrafts, LocalTasks, LocalReplies):
    """The embedded provider, and what else is kept in its database, for the thread that opened the store."""

    plans: LocalPlans
    suppressions: LocalSuppressions
    waivers: LocalWaivers
    changes: LocalChanges
    erasures: LocalErasures
    ledger: LocalLedger
    records: LocalRecords
    operations: LocalOperations
    vendor_runs: LocalVendorRuns


@VALUES.needed_by
async def apart(engine: EngineContext, act: Callable[[LocalProvider], Awaitable[T]]) -> T:
    """Return the result of ``act``, run in another thread with a connection of its own.

    It is given the provider on that connection, and must not wait for anything else. Where it is one transaction
    that steps aside for operations that only ever hold back, it is called again after those.
    """

    def run() -> T:
        with engine.store.another(now=engine.clock()) as store:

            def once(steps_aside: bool) -> T:
                alone = local_provider(replace(engine, store=store, steps_aside=steps_aside))
                return at_once(partial(act, alone))

            return stepping_aside(store, once)

    return await asyncio.to_thread(run)


def local_provider(engine: EngineContext) -> LocalProvider:
    """Return the provider that works on this engine."""
    return LocalProvider(
        engine,
        plans=LocalPlans(engine),
        suppressions=LocalSuppressions(engine),
        waivers=LocalWaivers(engine),
        changes=LocalChanges(engine),
        erasures=LocalErasures(engine),
        ledger=LocalLedger(engine),
        records=LocalRecords(engine),
        operations=LocalOperations(engine),
        vendor_runs=LocalVendorRuns(engine),
    )
