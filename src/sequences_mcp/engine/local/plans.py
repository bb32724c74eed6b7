"""Plans: written by batches, sealed with a digest, decided once by a person."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from contextlib import suppress
from dataclasses import dataclass, replace

from sequences_mcp.domain.digests import NEWEST
from sequences_mcp.domain.ids import Kind, parse
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.plan import LIFETIME, OPEN, Plan, PlanHeader, PlanStatus
from sequences_mcp.domain.sequence import Sequence, SequenceStatus, StepRun, StepState
from sequences_mcp.engine.approvals import decide, voided
from sequences_mcp.engine.deciding import carrying_out, catching_up, expire, is_overdue, politely
from sequences_mcp.engine.local.details import details
from sequences_mcp.engine.local.engine import Engine, require_page
from sequences_mcp.engine.local.standing import as_today, held_plans, newer_blueprint, terms_today
from sequences_mcp.engine.stopping import thin_out
from sequences_mcp.engine.store import audit, contacts, plans, schedule, sequences
from sequences_mcp.engine.texts import digests_of, present_digests, resealed, steps_of
from sequences_mcp.errors import ApprovalError, ConflictError, InvalidArgumentsError, NotFoundError, StoreBusyError
from sequences_mcp.providers.port import PlannedPerson, SequenceDetail

_KEY_DIGITS = 26
DONE_BEFORE = "an earlier run has done it"


@dataclass(frozen=True, slots=True)
class LocalPlans:
    """``providers.port.Plans`` over the store and the machine."""

    engine: Engine

    async def open_plan(self, header: PlanHeader) -> Plan:
        """Begin a plan that nobody can approve yet; NotFoundError for an unknown blueprint version."""
        plan = Plan(
            id=self.engine.new_id(Kind.PLAN),
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
        steps_of(self.engine.store, plan)
        with self.engine.store.transaction():
            plans.insert(self.engine.store, plan)
            self.engine.audit(
                "plan.opened", plan.id, blueprint=header.blueprint_id, version=header.blueprint_version
            )
        return plan

    async def add_people(self, plan_id: str, people: Items[PlannedPerson]) -> None:
        """Add people, in one transaction. Their steps are the blueprint version's, all of them, in order."""
        store = self.engine.store
        with store.transaction():
            plan = self._require(plan_id)
            if plan.status is not PlanStatus.DRAFTING:
                raise _conflict(plan, "people can no longer be added")
            self._check(plan, people)
            found = [self._found(plan, number, one) for number, one in enumerate(people, start=plan.people)]
            plan_no, version_no = plans.numbers(store, plan.id)
            sequences.insert_found(store, found, plan_no=plan_no, version_no=version_no)
            plans.set_texts(store, plan.id, plans.texts(store, plan.id) + digests_of(found))
            warnings = plan.warnings + sum(len(one.findings) for one in people)
            plans.update(store, replace(plan, people=plan.people + len(found), warnings=warnings))
            audit.append(store, (self._entry(one) for one in found))

    async def seal_plan(self, plan_id: str) -> Plan:
        """Compute the digest and let the plan wait."""
        with self.engine.store.transaction():
            plan = self._require(plan_id)
            if plan.status is not PlanStatus.DRAFTING:
                raise _conflict(plan, "it cannot be sealed again")
            if not plan.people:
                raise InvalidArgumentsError("The plan has no people.", next_step="Plan a start for at least one.")
            sealed = self._seal(plan, plans.texts(self.engine.store, plan.id), action="sealed")
            thin_out(self.engine.store, [plan.id], now=self.engine.clock(), actor=self.engine.actor)
            return self._require(sealed.id)  # closed, where everybody left while it was being written

    async def get_plan(self, plan_id: str) -> Plan:
        """Return one plan as it can be decided about now; NotFoundError. Past its time it is ``expired``."""
        plan = self._require(plan_id)
        if is_overdue(plan, now=self.engine.clock()):
            await politely(self.engine.store, catching_up(self.engine.store, now=self.engine.clock()))
            plan = self._require(plan_id)
        return as_today(self.engine, plan)

    async def list_plans(self, *, page: int, size: int) -> Page[Plan]:
        """Return the plans that wait for a person, oldest first: waiting, void, or approved for other settings."""
        require_page(page, size)
        await politely(self.engine.store, catching_up(self.engine.store, now=self.engine.clock()))
        found = plans.waiting(self.engine.store, page=page, size=size, others=held_plans(self.engine))
        return found.map(lambda plan: as_today(self.engine, plan))

    async def list_people(self, plan_id: str, *, page: int, size: int) -> Page[SequenceDetail]:
        """Return a plan's people in order."""
        require_page(page, size)
        plan = self._require(plan_id)
        found = schedule.people_of(self.engine.store, plan.id, page=page, size=size)
        return Page(details(self.engine, found.items), found.total_count, page, size)

    async def approve_plan(self, plan_id: str, *, digest: str, actor: str, signature: str | None = None) -> Plan:
        """Record the yes to exactly this digest and set the people going.

        It is about the plan as it was made, whatever the settings of this process. Raises ApprovalError when the
        digest is not the plan's present one, the plan is expired, refused or used, texts are missing, or the
        blueprint has changed (which voids it). Who is on the suppression list or in another live sequence by now
        is refused, with the reason.
        """
        store, now = self.engine.store, self.engine.clock()
        with store.transaction():
            plan, outdated = self._present(self._require(plan_id))
            if not outdated:
                _require_approvable(plan, digest)
                if not plan.header.is_allowed_by(self.engine.unasked):
                    self.engine.require_signature(digest, signature)
                plans.approve(store, plan.id, digest=digest, actor=actor, signature=signature, now=now)
                if self._require(plan.id).status is PlanStatus.APPROVED:  # for other settings than before
                    plans.set_texts(store, plan.id, present_digests(store, plan))
                plan = replace(plan, status=PlanStatus.APPROVED, reason=None)
                plan = decide(store, plan, action="approved", now=now, actor=actor)
        if outdated:
            raise ApprovalError(f"The plan can no longer be approved: {plan.reason}.", next_step=_next_step(plan))
        with suppress(StoreBusyError):  # the yes is written down: the rest follows by itself
            await politely(store, carrying_out(store, plan, now=now))
        return self._require(plan.id)

    async def refuse_plan(self, plan_id: str, *, reason: str, actor: str) -> Plan:
        """Record the no; its people become REFUSED, and what was under way is stopped."""

        def refused() -> Plan:
            plan = self._require(plan_id)
            if as_today(self.engine, plan).status not in OPEN:
                raise _conflict(plan, "it cannot be refused")
            return replace(plan, status=PlanStatus.REFUSED, reason=reason)

        return await self._ended(refused, action="refused", actor=actor)

    async def withdraw_plan(self, plan_id: str, *, reason: str, actor: str) -> Plan:
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

    async def _ended(self, changed: Callable[[], Plan], *, action: str, actor: str) -> Plan:
        """Decide that nobody of a plan is written to, waiting for other programs the longest; return the plan."""
        store, now = self.engine.store, self.engine.clock()

        def decided() -> Plan:
            with store.transaction():
                plan = changed()
                stands = self._require(plan.id) == plan
                return plan if stands else decide(store, plan, action=action, now=now, actor=actor)

        plan = await self.engine.insisting(decided)
        with suppress(StoreBusyError):  # nobody of it is written to any more: the rest follows by itself
            await politely(store, carrying_out(store, plan, now=now))
        return self._require(plan.id)

    async def renew_plan(self, plan_id: str) -> Plan:
        """Give a void plan today's terms and a new digest to approve; what is held stays held until then.

        A process that lacks the settings leaves the plan those it was made for.
        """
        store, now = self.engine.store, self.engine.clock()
        with store.transaction():
            plan = self._require(plan_id)
            if plan.status is not PlanStatus.VOID:
                raise _conflict(plan, "only a void plan can be renewed")
            if newer := newer_blueprint(self.engine, plan):
                raise ConflictError(f"The plan cannot be renewed: {newer}.", next_step=_START_AGAIN)
            header = replace(plan.header, terms=terms_today(self.engine, plan), expires_at=now + LIFETIME)
            fresh = replace(plan, header=header, reason=None, decided_at=None, decided_by=None)
            digests = present_digests(store, fresh)
            plans.set_texts(store, plan.id, digests)
            return self._seal(fresh, digests, action="renewed")

    def _seal(self, plan: Plan, digests: bytes, *, action: str) -> Plan:
        store = self.engine.store
        sealed = replace(resealed(store, plan, digests), status=PlanStatus.WAITING)
        return decide(store, sealed, action=action, now=self.engine.clock(), actor=self.engine.actor)

    def _present(self, plan: Plan) -> tuple[Plan, bool]:
        """Return a plan as it stands today, and whether that ended its waiting, which is then stored."""
        now = self.engine.clock()
        if is_overdue(plan, now=now):
            return expire(self.engine.store, plan, now=now), True
        reason = newer_blueprint(self.engine, plan)
        if plan.status is PlanStatus.APPROVED:
            return as_today(self.engine, plan), False
        if plan.status is not PlanStatus.WAITING or not reason:
            return plan, False
        return decide(self.engine.store, voided(plan, reason), action="void", now=now, actor="engine"), True

    def _require(self, plan_id: str) -> Plan:
        own = str(parse(plan_id, Kind.PLAN))
        found = plans.find(self.engine.store, own)
        if found is None:
            raise NotFoundError(f"There is no plan {own}.", next_step="list_reviews shows what waits.")
        return found

    def _check(self, plan: Plan, people: Items[PlannedPerson]) -> None:
        steps = steps_of(self.engine.store, plan)
        for one in people:
            if tuple(planned.step for planned in one.steps) != steps:
                raise InvalidArgumentsError(
                    f"The steps planned for {one.contact_id} are not those of the blueprint's version.",
                    next_step="Plan every step of the version, in its order.",
                )
        wanted = {one.contact_id for one in people}
        if missing := wanted - {one.id for one in contacts.by_ids(self.engine.store, wanted)}:
            raise NotFoundError(
                f"There is no contact {', '.join(sorted(missing))}.", next_step="find_contacts shows who there is."
            )

    def _found(self, plan: Plan, ordinal: int, one: PlannedPerson) -> Sequence:
        now = self.engine.clock()
        return Sequence(
            id=self.engine.new_id(Kind.SEQUENCE),
            plan_id=plan.id,
            blueprint_id=plan.header.blueprint_id,
            blueprint_version=plan.header.blueprint_version,
            contact_id=one.contact_id,
            status=SequenceStatus.FOUND,
            ordinal=ordinal,
            steps=tuple(
                StepRun(
                    key=self.engine.new_id(Kind.DRAFT)[-_KEY_DIGITS:],
                    step=planned.step,
                    recipient=None if planned.is_done else planned.recipient,
                    subject=planned.subject,
                    content=planned.content,
                    state=StepState.SKIPPED if planned.is_done else StepState.PLANNED,
                    reason=DONE_BEFORE if planned.is_done else None,
                )
                for planned in one.steps
            ),
            created_at=now,
            updated_at=now,
            variables=one.variables,
            time_zone=one.time_zone,
            warnings=len(one.findings),
            findings=one.findings,
            provider=plan.header.provider,
            handover=one.handover,
            digest_version=plan.digest_version,
        )

    def _entry(self, one: Sequence) -> audit.Entry:
        detail = {"plan": one.plan_id, "contact": one.contact_id, "status": [None, one.status.value]}
        return audit.Entry(
            at=one.created_at, actor=self.engine.actor, action="sequence.found", subject=one.id, detail=detail
        )


_START_AGAIN = "Refuse this plan and call start_sequence, which plans the newest version."


def _require_approvable(plan: Plan, digest: str) -> None:
    if plan.status is not PlanStatus.WAITING:
        why = f" ({plan.reason})" if plan.reason else ""
        raise ApprovalError(f"The plan is {plan.status.value}{why}.", next_step=_next_step(plan))
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
        f"The plan is {plan.status.value}: {why}.",
        next_step=_next_step(plan),
        data={"plan": plan.id, "status": plan.status.value},
    )
