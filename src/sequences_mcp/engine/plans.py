"""Plans: written in batches, sealed with a digest, decided once by a person, applied in batches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Sequence as Items
from contextlib import suppress
from datetime import datetime, timedelta

from sequences_mcp.domain import actors
from sequences_mcp.domain.blueprint import Blueprint, Step
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.digests import NEWEST
from sequences_mcp.domain.entries import AuditRow
from sequences_mcp.domain.findings import Finding, warnings_in
from sequences_mcp.domain.ids import IdKind, parse_id
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.plan import LIFETIME, OPEN, Plan, PlanHeader, PlanStatus
from sequences_mcp.domain.records import PlanningTally
from sequences_mcp.domain.run import Run, SequenceStatus, StopReason
from sequences_mcp.engine import approvals, four_eyes
from sequences_mcp.engine.blueprints import missing_blueprint
from sequences_mcp.engine.changed_settings import as_today, held_plans, newer_blueprint, terms_today
from sequences_mcp.engine.context import EngineContext, EngineVerbs, apply_event, require_page
from sequences_mcp.engine.events import Event, PlanApproved, PlanRejected, Stopped
from sequences_mcp.engine.operations import call_with_key
from sequences_mcp.engine.sequences import run_details
from sequences_mcp.engine.stopping import drop_elsewhere, is_suppressed, thin_out
from sequences_mcp.errors import ApprovalError, ConflictError, InvalidArgumentsError, NotFoundError, StoreBusyError
from sequences_mcp.lazy_dataclasses import dataclass, field, replace
from sequences_mcp.ports.embedded import PlannedPerson, SequenceDetail, ToolCall
from sequences_mcp.store.unit_of_work import Repositories, Store, UnitOfWork

BATCH = 200  # about 60 ms
ABANDONED = timedelta(hours=1)
TOO_LATE = "nobody approved it in time"
NEVER_FINISHED = "it was never finished"
NAMELESS = "(private)"  # in place of the name of a blueprint that is somebody else's alone


def apply_decision(store: Store, plan: Plan, *, now: datetime) -> None:
    """Apply a plan's decision to its runs. Can be repeated; stops where the plan is decided anew meanwhile."""
    for _ in applying_decision(store, plan, now=now):
        pass


def applying_decision(store: Store, plan: Plan, *, now: datetime) -> Iterator[None]:
    """Apply a plan's decision to its runs, one transaction a batch; yields after each, for other work in between.

    An approval of a start at a vendor is told by whoever hands its people over, request by request.
    """
    if plan.header.is_at_vendor and plan.status is PlanStatus.APPROVED:
        return
    actor, after = plan.decided_by or actors.ENGINE, -1
    while True:
        with store.transaction() as work:
            # Decided anew by another process between two batches: that process applies its decision to everybody.
            if work.plans.find(plan.id) != plan:
                return
            people = work.runs.found_in(plan.id, after=after, size=BATCH)
            people += work.runs.live_in(plan.id, after=after, size=BATCH)
            people = sorted(people, key=lambda run: run.ordinal)[:BATCH]
            _tell(work, plan, people, now=now, actor=actor)
            if len(people) < BATCH:
                work.plans.mark_decision_applied(plan.id)
                return
        after = people[-1].ordinal
        yield


def apply_pending_decisions(store: Store, *, now: datetime) -> None:
    """Expire plans nobody approved in time, and finish what a crash left of decided ones."""
    for _ in applying_pending(store, now=now):
        pass


def applying_pending(store: Store, *, now: datetime) -> Iterator[None]:
    """Do what ``apply_pending_decisions`` does, one transaction a batch; yields after each."""
    overdue, left, unfinished = _pending(store, now=now)
    if overdue or left:
        with store.transaction() as work:
            for plan_id in overdue:
                plan = work.plans.find(plan_id)
                if plan is not None and is_overdue(plan, now=now):
                    expire(work, plan, now=now)
            thin_out(work, left, now=now, actor=actors.ENGINE)  # what an older program has left so
        unfinished = store.plans.unfinished()
    for plan_id in unfinished:
        plan = store.plans.find(plan_id)
        if plan is not None:
            yield from applying_decision(store, plan, now=now)


def _pending(store: Store, *, now: datetime) -> tuple[list[str], list[str], list[str]]:
    """Return the plans that are overdue, those that nobody is left in, and those decided but not for all."""
    with store.snapshot() as work:
        overdue = work.plans.overdue(now=now, abandoned=now - ABANDONED)
        return overdue, work.plans.emptied(), work.plans.unfinished()


async def in_batches(store: Store, work: Iterator[None]) -> None:
    """Do some work a batch at a time, letting everything else in the loop run in between.

    Inside a transaction of the caller's it is done in one go: nobody else may write into that.
    """
    for _ in work:
        if not store.in_transaction:
            await asyncio.sleep(0)


def is_overdue(plan: Plan, *, now: datetime) -> bool:
    """Say whether a plan waited too long, or was begun and never finished."""
    waited = plan.status is PlanStatus.WAITING and now >= plan.header.expires_at
    return waited or (plan.status is PlanStatus.DRAFTING and now >= plan.created_at + ABANDONED)


def expire(work: UnitOfWork, plan: Plan, *, now: datetime) -> Plan:
    """End a plan that is overdue; one that already has people under way is void again instead."""
    if work.runs.live_in(plan.id, after=-1, size=1):
        return approvals.decide(
            work, approvals.voided(plan, TOO_LATE), action="void", now=now, actor=actors.ENGINE
        )
    reason = TOO_LATE if plan.status is PlanStatus.WAITING else NEVER_FINISHED
    over = replace(plan, status=PlanStatus.EXPIRED, reason=reason)
    return approvals.decide(work, over, action="expired", now=now, actor=actors.ENGINE)


def _tell(work: UnitOfWork, plan: Plan, people: list[Run], *, now: datetime, actor: actors.Actor) -> None:
    outcomes = _PeopleStanding.of(work, people) if plan.status is PlanStatus.APPROVED else None
    for person in people:
        event = outcomes.of_one(person) if outcomes else _ending(plan, person)
        apply_event(work, person, event, now=now, actor=actor)
    if outcomes:
        drop_elsewhere(work, outcomes.begun, plan_id=plan.id, now=now, actor=actor)


def _ending(plan: Plan, run: Run) -> Event:
    if run.status is SequenceStatus.FOUND:
        return PlanRejected(plan.reason or plan.status.value)
    return Stopped(StopReason.LOSE)  # it was under way, and a person said no to going on


@dataclass(frozen=True, slots=True)
class _PeopleStanding:
    """Suppressions and other runs of the people of an approved plan, read when they are started."""

    store: Repositories
    people: Mapping[str, Contact]
    suppressed: Mapping[str, str]
    busy: dict[str, str]
    begun: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, store: Repositories, runs: list[Run]) -> _PeopleStanding:
        results = {contact.id: contact for contact in store.contacts.by_ids([run.contact_id for run in runs])}
        return cls(store, results, is_suppressed(store, results.values()), store.runs.live_of(results))

    def of_one(self, run: Run) -> Event:
        if run.status is not SequenceStatus.FOUND:
            return PlanApproved()
        reason = self._obstacle(run)
        if reason is None:
            self.busy[run.contact_id] = self.begun[run.contact_id] = run.id
        return PlanApproved() if reason is None else PlanRejected(reason)

    def _obstacle(self, item: Run) -> str | None:
        if item.contact_id in self.suppressed:
            return f"suppressed: {self.suppressed[item.contact_id]}"
        busy = self.busy.get(item.contact_id) or self.store.runs.live_at_address(item)
        if busy:
            return f"another sequence is under way: {busy}"
        moved = (approvals.moved_because(run, self.people[item.contact_id]) for run in item.steps)
        return next(filter(None, moved), None)


NOTHING_COUNTED = PlanningTally()
ASKED_TWICE = "The same start was asked for twice."


def _nobody(plan: Plan) -> None:
    """Name nobody: a plan waits for a person."""
    return


@dataclass(frozen=True, slots=True)
class LocalPlans(EngineVerbs):
    """Starts that wait for a person. The people of a plan are runs in FOUND."""

    engine: EngineContext

    def new_keys(self, number: int) -> list[str]:
        """Return fresh keys for so many steps of somebody who is planned."""
        return self.engine.new_keys(number)

    async def open_plan(self, header: PlanHeader) -> Plan:
        """Begin a plan that nobody can approve yet; NotFoundError for an unknown blueprint version."""
        plan = Plan(
            id=self.engine.new_id(IdKind.PLAN),
            status=PlanStatus.DRAFTING,
            header=header,
            people=0,
            digest="",
            digest_version=NEWEST,
            missing_texts=0,
            to_read=0,
            warnings=0,
            created_at=self.engine.clock(),
            account=self.engine.accounts.get(header.provider, ""),
        )
        approvals.steps_of(self.engine.store, plan)
        with self.engine.store.transaction() as work:
            work.plans.insert(plan)
            self.engine.audit(
                work, "plan.opened", plan.id, blueprint=header.blueprint_id, version=header.blueprint_version
            )
        return plan

    async def add_people(self, plan_id: str, people: Items[PlannedPerson]) -> None:
        """Add people, in one transaction. Their steps are the blueprint version's, all of them, in order."""
        store = self.engine.store
        with store.transaction() as work:
            plan = self._require(plan_id)
            if plan.status is not PlanStatus.DRAFTING:
                raise _conflict(plan, "people can no longer be added")
            self._check(plan, people)
            now = self.engine.clock()
            runs = [
                self._new_run(plan, number, person, now=now)
                for number, person in enumerate(people, start=plan.people)
            ]
            work.runs.insert(plan.id, runs)
            work.plans.set_text_digests(plan.id, work.plans.text_digests(plan.id) + approvals.digests_of(runs))
            warnings = plan.warnings + sum(run.warnings for run in runs)
            work.plans.update(replace(plan, people=plan.people + len(runs), warnings=warnings))
            work.audit.append(self._entry(run) for run in runs)

    async def seal_plan(
        self,
        plan_id: str,
        *,
        call: ToolCall | None = None,
        tally: PlanningTally = NOTHING_COUNTED,
        approved_by: Callable[[Plan], actors.Actor | None] = _nobody,
        covered: tuple[str, ...] = (),
    ) -> Plan:
        """Compute the digest and let the plan wait; return the plan that stands for ``call``.

        ``covered`` are warnings about everybody that only show when all of the people are known.

        One transaction stores the plan as that call's, what was counted while it was made, and, where
        ``approved_by`` names who approved its like beforehand, the approval. Where a plan of the same call was
        sealed first, that one is returned, and this one is refused: nobody of it is written to. KeyReusedError.
        """
        now = self.engine.clock()
        with self.engine.store.transaction() as work:
            plan = self._require(plan_id)
            if plan.status is not PlanStatus.DRAFTING:
                raise _conflict(plan, "it cannot be sealed again")
            if not plan.people:
                raise InvalidArgumentsError("The plan has no people.", next_step="Plan a start for at least one.")
            earlier = call_with_key(self.engine, call) if call else None
            if earlier is not None and earlier.plan_id is not None:
                counts = earlier.plan_id
                plan = replace(plan, status=PlanStatus.REFUSED, reason=ASKED_TWICE)
                plan = approvals.decide(work, plan, action="refused", now=now, actor=actors.REPEATED_CALL)
            else:
                counts = plan.id
                if covered:
                    header = replace(plan.header, warnings=(*plan.header.warnings, *covered))
                    plan = replace(plan, header=header)
                    work.plans.cover(plan)
                work.plans.set_call(plan, call, tally=tally, now=now)
                sealed = self._seal(work, plan, work.plans.text_digests(plan.id), action="sealed")
                if not sealed.people:  # everybody left while it was being written
                    thin_out(work, [plan.id], now=now, actor=self.engine.actor)
                plan = self._require(plan.id)
                if plan.status is PlanStatus.WAITING and (actor := approved_by(plan)):
                    plan, _ = self._approved(work, plan, digest=plan.digest, actor=actor)
        if plan.status in {PlanStatus.REFUSED, PlanStatus.APPROVED}:
            await self._applied(plan)
        return self._require(counts)

    async def plan_of_call(self, call: ToolCall) -> Plan | None:
        """Return the plan that an earlier call with this key made, or None; KeyReusedError."""
        earlier = call_with_key(self.engine, call)
        return await self.get_plan(earlier.plan_id) if earlier and earlier.plan_id else None

    async def planning_tally(self, plan_id: str) -> PlanningTally:
        """Return what was counted while a plan was made."""
        return self.engine.store.plans.planning_tally(self._require(plan_id).id)

    async def variants_of(self, contact_ids: Items[str], *, blueprint_id: str) -> Mapping[str, Mapping[str, int]]:
        """Return, by contact, the variants that they were given in earlier runs of a blueprint, by step id."""
        with self.engine.store.snapshot() as work:
            given = work.runs.variants_of(contact_ids, blueprint_id=blueprint_id)
            versions = {version for places in given.values() for version, _ in places}
            known = {version: work.blueprints.find(blueprint_id, version=version) for version in versions}
        ids = {version: [step.id for step in blueprint.steps] for version, blueprint in known.items() if blueprint}
        return {
            contact: {ids[version][place]: variant for (version, place), variant in places.items()}
            for contact, places in given.items()
        }

    async def people_without_texts(self, plan_id: str, *, size: int) -> tuple[SequenceDetail, ...]:
        """Return the first people of a plan for whom a text is still to be written."""
        runs = self.engine.store.runs.without_texts(self._require(plan_id).id, size=size)
        return run_details(self.engine, runs)

    async def findings_of_people(self, plan_id: str) -> tuple[Finding, ...]:
        """Return what was found about a plan's people who are not over, each finding once, in order."""
        return self.engine.store.runs.findings_in(self._require(plan_id).id)

    async def get_plan(self, plan_id: str) -> Plan:
        """Return one plan as it can be decided about now; NotFoundError. Past its time it is ``expired``."""
        plan = self._require(plan_id)
        if is_overdue(plan, now=self.engine.clock()):
            await in_batches(self.engine.store, applying_pending(self.engine.store, now=self.engine.clock()))
            plan = self._require(plan_id)
        return self._as_shown(as_today(self.engine, plan))

    async def version_of(self, blueprint_id: str, version: int) -> Blueprint:
        """Return the version that a plan or a run is of, whoever sees it otherwise; NotFoundError."""
        blueprint = self.engine.store.blueprints.find(blueprint_id, version=version)
        if blueprint is None:
            raise missing_blueprint(blueprint_id, version)
        return blueprint

    def _as_shown(self, plan: Plan) -> Plan:
        """Return a plan as it is shown here: without the name of a blueprint that is somebody else's alone.

        One that waits is void where its blueprint has changed, as whoever approves it would be told; it is stored
        when somebody decides.
        """
        if plan.status is PlanStatus.WAITING and (newer := newer_blueprint(self.engine, plan)):
            plan = approvals.voided(plan, newer)
        if not self.engine.nameless([plan.header.blueprint_id]):
            return plan
        return replace(plan, header=replace(plan.header, blueprint_name=NAMELESS), is_nameless=True)

    async def list_plans(self, *, page: int, size: int) -> Page[Plan]:
        """Return the plans that wait for a person, oldest first: waiting, void, or approved for other settings."""
        require_page(page, size)
        store = self.engine.store
        await in_batches(store, applying_pending(store, now=self.engine.clock()))
        return self.waiting(page=page, size=size)

    def has_pending(self) -> bool:
        """Say whether a plan is past its time, has nobody left, or is decided but not yet for all its people."""
        return any(_pending(self.engine.store, now=self.engine.clock()))

    def waiting(self, *, page: int, size: int) -> Page[Plan]:
        """Return what ``list_plans`` does, of the plans as they stand; it only reads."""
        require_page(page, size)
        with self.engine.store.snapshot() as work:
            results = work.plans.waiting(page=page, size=size, others=held_plans(self.engine))
            return results.map(lambda plan: self._as_shown(as_today(self.engine, plan)))

    async def list_people(self, plan_id: str, *, page: int, size: int) -> Page[SequenceDetail]:
        """Return a plan's people in order."""
        require_page(page, size)
        plan = self._require(plan_id)
        results = self.engine.store.runs.of_plan(plan.id, page=page, size=size)
        return Page(run_details(self.engine, results.items), results.total_count, page, size)

    async def approve_plan(
        self,
        plan_id: str,
        *,
        digest: str,
        actor: actors.Actor,
        signature: str | None = None,
        pauses: str | None = None,
    ) -> Plan:
        """Record the approval of exactly this digest and set the people going.

        It is about the plan as it was made, whatever the settings of this process. Raises ApprovalError when the
        digest is not the plan's present one, other people are paused than ``pauses`` says, the plan is expired,
        refused or used, texts are missing, or the blueprint has changed (which voids it). Who is on the
        suppression list or in another live sequence by now is refused, with the reason. ApprovalPendingError for
        the first of two approvals, which is kept.

        ``pauses`` is ``PlanTally.pauses`` as it was shown, None where it was not. ``signature`` is a passkey's
        WebAuthn assertion over the digest, as JSON, where one is registered.
        """
        with self.engine.store.transaction() as work:
            plan, outdated = self._approved(
                work, self._require(plan_id), digest=digest, actor=actor, signature=signature, pauses=pauses
            )
        if plan.status is PlanStatus.WAITING:
            raise four_eyes.still_pending(actor)
        if outdated:
            raise ApprovalError(f"The plan can no longer be approved: {plan.reason}.", next_step=_next_step(plan))
        return await self._applied(plan)

    def _approved(
        self,
        work: UnitOfWork,
        plan: Plan,
        *,
        digest: str,
        actor: actors.Actor,
        signature: str | None = None,
        pauses: str | None = None,
    ) -> tuple[Plan, bool]:
        """Record an approval; return the plan, and whether it was too late for one."""
        now = self.engine.clock()
        plan, outdated = self._present(work, plan)
        if outdated:
            return plan, True
        _require_approvable(plan, digest)
        newest = work.blueprints.find(plan.header.blueprint_id)
        if newest is not None and newest.archived and work.approvals.is_first(plan.id):  # else it is under way
            raise _conflict(plan, "its blueprint is archived, and starts nobody until it is taken back")
        if pauses not in (None, work.plans.pauses_fingerprint(plan.id)):
            raise ApprovalError(PAUSES_CHANGED, next_step="Look at it again and approve what it is now.")
        if not plan.header.is_allowed_by(self.engine.preapproved):
            if four_eyes.keep_first(
                self.engine,
                work,
                plan.id,
                digest=digest,
                actor=actor,
                signature=signature,
                authors=four_eyes.planned_by(work, plan.id),
            ):
                if (stored := self._require(plan.id)).status is PlanStatus.WAITING:  # else it is under way
                    work.plans.update(replace(stored, reason=four_eyes.half_approved(actor)))
                return replace(plan, status=PlanStatus.WAITING), False
            self.engine.require_signature(digest, signature)
        work.approvals.record(plan.id, digest=digest, actor=actor, signature=signature, now=now)
        if self._require(plan.id).status is PlanStatus.APPROVED:  # for other settings than before
            work.plans.set_text_digests(plan.id, approvals.present_digests(work, plan))
        plan = replace(plan, status=PlanStatus.APPROVED, reason=None)
        return approvals.decide(work, plan, action="approved", now=now, actor=actor), False

    async def _applied(self, plan: Plan) -> Plan:
        """Apply a decision to the plan's people, as far as other programs let it; return the plan as it is now."""
        store = self.engine.store
        with suppress(StoreBusyError):  # the decision is written down: the rest follows by itself
            await in_batches(store, applying_decision(store, plan, now=self.engine.clock()))
        return self._require(plan.id)

    async def refuse_plan(self, plan_id: str, *, reason: str, actor: actors.Actor) -> Plan:
        """Record the rejection; its people become REFUSED, and what was under way is stopped."""

        def refused() -> Plan:
            plan = self._require(plan_id)
            if as_today(self.engine, plan).status not in OPEN:
                raise _conflict(plan, "it cannot be rejected")
            return replace(plan, status=PlanStatus.REFUSED, reason=reason)

        return await self._ended(refused, action="refused", actor=actor)

    async def withdraw_plan(self, plan_id: str, *, reason: str, actor: actors.Actor) -> Plan:
        """Take an undecided plan back: nobody of it is written to, what was under way is stopped.

        One that is withdrawn already stays so; ConflictError for one that is decided.
        """

        def withdrawn() -> Plan:
            plan = self._require(plan_id)
            if plan.status is PlanStatus.WITHDRAWN:
                return plan
            if as_today(self.engine, plan).status not in OPEN:
                raise _conflict(plan, "it no longer waits for a person")
            return replace(plan, status=PlanStatus.WITHDRAWN, reason=reason)

        return await self._ended(withdrawn, action="withdrawn", actor=actor)

    async def _ended(self, changed: Callable[[], Plan], *, action: str, actor: actors.Actor) -> Plan:
        """Decide that nobody of a plan is written to, waiting for other programs the longest; return the plan."""
        now = self.engine.clock()

        def decided(work: UnitOfWork) -> Plan:
            plan = changed()
            stands = self._require(plan.id) == plan
            return plan if stands else approvals.decide(work, plan, action=action, now=now, actor=actor)

        return await self._applied(await self.engine.insisting(decided))

    async def renew_plan(self, plan_id: str) -> Plan:
        """Give a void plan today's terms and a new digest to approve; what is held stays held until then.

        A process that lacks the settings leaves the plan those it was made for.
        """
        store, now = self.engine.store, self.engine.clock()
        with store.transaction() as work:
            plan = self._require(plan_id)
            if newer := newer_blueprint(self.engine, plan):
                raise ConflictError(f"The plan cannot be renewed: {newer}.", next_step=_START_AGAIN)
            if plan.status is not PlanStatus.VOID:
                raise _conflict(plan, "only a void plan can be renewed")
            header = replace(plan.header, terms=terms_today(self.engine, plan), expires_at=now + LIFETIME)
            fresh = replace(plan, header=header, reason=None, decided_at=None, decided_by=None)
            digests = approvals.present_digests(work, fresh)
            work.plans.set_text_digests(plan.id, digests)
            return self._seal(work, fresh, digests, action="renewed")

    def _seal(self, work: UnitOfWork, plan: Plan, digests: bytes, *, action: str) -> Plan:
        sealed = replace(approvals.resealed(work, plan, digests), status=PlanStatus.WAITING)
        return approvals.decide(work, sealed, action=action, now=self.engine.clock(), actor=self.engine.actor)

    def _present(self, work: UnitOfWork, plan: Plan) -> tuple[Plan, bool]:
        """Return a plan as it stands today, and whether that ended its waiting, which is then stored."""
        now = self.engine.clock()
        if is_overdue(plan, now=now):
            return expire(work, plan, now=now), True
        reason = newer_blueprint(self.engine, plan)
        if plan.status is PlanStatus.APPROVED:
            return as_today(self.engine, plan), False
        if plan.status is not PlanStatus.WAITING or not reason:
            return plan, False
        return approvals.decide(
            work, approvals.voided(plan, reason), action="void", now=now, actor=actors.ENGINE
        ), True

    def _require(self, plan_id: str) -> Plan:
        parsed_id = str(parse_id(plan_id, IdKind.PLAN))
        plan = self.engine.store.plans.find(parsed_id)
        if plan is None:
            raise NotFoundError(f"There is no plan {parsed_id}.", next_step="list_reviews shows what waits.")
        return plan

    def _check(self, plan: Plan, people: Items[PlannedPerson]) -> None:
        steps = approvals.steps_of(self.engine.store, plan)
        alike = steps  # equal to them, and the very values that the last person's steps are
        has_variants = any(step.variants for step in steps)
        for person in people:
            planned_steps = tuple([planned.step for planned in person.steps])
            if planned_steps != _given(steps, person) if has_variants else planned_steps not in (alike, steps):
                raise InvalidArgumentsError(
                    f"The steps planned for {person.contact.id} are not those of the blueprint's version.",
                    next_step="Plan every step of the version, in its order.",
                )
            alike = planned_steps
        if missing := self.engine.store.contacts.missing(person.contact.id for person in people):
            raise NotFoundError(
                f"There is no contact {', '.join(missing)}.", next_step="find_contacts shows who there is."
            )

    def _new_run(self, plan: Plan, ordinal: int, person: PlannedPerson, *, now: datetime) -> Run:
        warnings = warnings_in(person.findings)
        return Run(
            id=self.engine.new_id(IdKind.SEQUENCE),
            plan_id=plan.id,
            blueprint_id=plan.header.blueprint_id,
            blueprint_version=plan.header.blueprint_version,
            contact_id=person.contact.id,
            status=SequenceStatus.FOUND,
            ordinal=ordinal,
            steps=person.steps,
            created_at=now,
            updated_at=now,
            variables=person.variables,
            time_zone=person.time_zone,
            warnings=len(warnings),
            findings=warnings,
            provider=plan.header.provider,
            vendor_facts=person.vendor_facts,
            digest_version=plan.digest_version,
        )

    def _entry(self, run: Run) -> AuditRow:
        detail = {"plan": run.plan_id, "contact": run.contact_id, "status": [None, run.status.value]}
        return AuditRow(
            at=run.created_at, actor=self.engine.actor, action="sequence.found", subject=run.id, detail=detail
        )


def _given(steps: tuple[Step, ...], person: PlannedPerson) -> tuple[Step, ...] | None:
    """Return the steps as a person gets them who has these variants; None where a step has no such variant."""
    try:
        return tuple(step.given(run.variant) for step, run in zip(steps, person.steps, strict=True))
    except ValueError:
        return None


_START_AGAIN = "Refuse this plan and call start_sequence, which plans the newest version."


PAUSES_CHANGED = "Since the plan was shown, people of it have been paused or resumed: other texts leave now."


def _require_approvable(plan: Plan, digest: str) -> None:
    if plan.status is not PlanStatus.WAITING:
        why = f" ({plan.reason})" if plan.reason else ""
        raise ApprovalError(f"The plan is {plan.status.words}{why}.", next_step=_next_step(plan))
    if digest != plan.digest:
        raise ApprovalError(
            "The plan has changed since it was shown: the digest is another one.",
            next_step="Look at it again and approve what it is now.",
            data={"digest": plan.digest},
        )
    if plan.missing_texts:
        raise ApprovalError(
            f"{plan.missing_texts} texts of the plan are still to be written.",
            next_step="Write them with edit_draft; list_reviews shows which.",
        )


def _next_step(plan: Plan) -> str:
    if plan.status is PlanStatus.VOID:
        return (
            "A person renews it on the review page, which asks for a new approval under today's settings; or "
            "start_sequence with another idempotency_key plans it anew."
        )
    if plan.status is PlanStatus.APPROVED:
        return "It is under way; list_sequences shows how far."
    return "start_sequence with another idempotency_key plans it anew."


def _conflict(plan: Plan, why: str) -> ConflictError:
    return ConflictError(
        f"The plan is {plan.status.words}: {why}.",
        next_step=_next_step(plan),
        data={"plan": plan.id, "status": plan.status.value},
    )
