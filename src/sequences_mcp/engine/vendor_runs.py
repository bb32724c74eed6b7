"""Approved starts at vendors: checked, claimed under an operation, resolved with it; one transaction each.

A person who is claimed cannot be enrolled by another process: a request leaves only for runs that were FOUND in
the transaction that recorded its operation. A process that dies in between leaves an operation of unknown outcome
and never a second request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Sequence as Items
from datetime import datetime
from typing import Any

from sequences_mcp.domain import actors
from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.plan import LIFETIME, Plan, PlanStatus
from sequences_mcp.domain.run import Run
from sequences_mcp.engine import vendor_transitions
from sequences_mcp.engine.approvals import decide, voided
from sequences_mcp.engine.changed_settings import fallen_because, not_ours
from sequences_mcp.engine.contacts import as_known_anywhere, kept_vendor_person
from sequences_mcp.engine.context import (
    EngineContext,
    EngineVerbs,
    action_of_kind,
    apply_event,
    keep_changes,
    require_page,
)
from sequences_mcp.engine.events import OutcomeResolved, PlanRejected
from sequences_mcp.engine.operations import LocalOperations, busy
from sequences_mcp.engine.recovery import mark_unseen
from sequences_mcp.engine.sequences import checked_filter, require_sequence, run_details
from sequences_mcp.engine.stopping import covered, drop_elsewhere, is_suppressed
from sequences_mcp.errors import NotFoundError, StoreUnwritableError
from sequences_mcp.lazy_dataclasses import dataclass, replace
from sequences_mcp.ports import vendor
from sequences_mcp.ports.embedded import SequenceDetail, SequenceFilter, ToolCall, VendorFacts, VendorReading
from sequences_mcp.store.unit_of_work import UnitOfWork

TOOL = "start_sequence"
TOO_LATE = "it could not be handed over within the day that an approval holds"
REASONS = 5
LOST = "whoever asked for it was gone before the answer came"


@dataclass(frozen=True, slots=True)
class LocalVendorRuns(EngineVerbs):
    """Approved starts at vendors: who is still to be handed over, and what became of whom."""

    engine: EngineContext

    async def keep_people(self, people: Items[Contact]) -> list[Contact]:
        """Return each person as kept here: whoever has the id, the address or the number, or a new one."""
        with self.engine.store.transaction() as work:
            return [kept_vendor_person(work, person, engine=self.engine) for person in people]

    async def waiting(self) -> list[Plan]:
        """Return approved plans with people still to be handed over, the oldest first."""
        result = (self.engine.store.plans.find(plan_id) for plan_id in self.engine.store.plans.unfinished())
        return [
            plan
            for plan in result
            if plan is not None and plan.header.is_at_vendor and plan.status is PlanStatus.APPROVED
        ]

    async def left_alone(self, plan_id: str) -> str | None:
        """Return that an approved plan is another account's, or for other settings at its vendor; or None."""
        plan = self.engine.store.plans.find(plan_id)
        return None if plan is None else not_ours(self.engine, plan)

    async def next_people(self, plan_id: str, *, size: int) -> list[Run]:
        """Return who would be handed over next; none while an earlier request of the plan is open.

        After the day that an approval holds nobody is left: they are refused.
        """
        self._recover(plan_id)
        plan = self.engine.store.plans.find(plan_id)
        if plan is None or plan.status is not PlanStatus.APPROVED:
            return []
        if _is_too_late(plan, self.engine.clock()):
            await self.give_up(plan_id, reason=TOO_LATE)
            return []
        if self.engine.store.operations.open_on(plan_id, now=self.engine.clock()):
            return []
        runs = self.engine.store.runs.found_in(plan_id, after=-1, size=size)
        if any(self._is_paused(run) for run in runs):
            runs = self.engine.store.runs.found_in(plan_id, after=-1, size=-1)
        return [run for run in runs if not self._is_paused(run)][:size]

    def _is_paused(self, run: Run) -> bool:
        """Say whether somebody of an approved plan stays here for now."""
        return run.paused_until is not None and run.paused_until > self.engine.clock()

    async def take(
        self, plan_id: str, sequence_ids: Items[str], *, before: vendor.PreflightSnapshot
    ) -> vendor.ClaimedBatch | None:
        """Check everything again and, in the same transaction, record the operation and claim its people.

        Whoever may not be contacted by now is refused. None when nobody is left, or the approval does not hold
        (which voids the plan).
        """
        store, now = self.engine.store, self.engine.clock()
        if not store.has_room():  # what becomes of a request must find room to be written down
            raise StoreUnwritableError(
                "The disk is nearly full.", next_step="Make room; it is tried again by itself."
            )
        with store.transaction() as work:
            work.lineage.look(now=now)
            work.lineage.require_going()
            mark_unseen(work, now=now)
            plan = self._standing(work, plan_id)
            if plan is None:
                return None
            work.lineage.hands_over(plan.header.provider)
            work.lineage.require_going()
            known = work.runs.by_ids(sequence_ids)
            runs = [run for run in known if run.waits_for_plan and not self._is_paused(run)]
            going = self._cleared(work, runs, before)
            if not going:
                self._close(work, plan_id)
                return None
            arguments = {"plan": plan_id, "before": dict(before.baselines), "people": len(going)}
            write = vendor.VendorWrite(
                call=ToolCall(TOOL, None, plan.digest),
                provider=plan.header.provider,
                subject=plan_id,
                arguments=arguments,
            )
            for other in work.operations.open_on(plan.header.blueprint_id, now=now):
                raise busy(other)
            own_id = (await LocalOperations(self.engine).begin(write)).operation.id
            mine = tuple(
                self._keep(
                    work,
                    run,
                    vendor_transitions.vendor_run_claimed(run, operation_id=own_id, now=now),
                    action="taken",
                )
                for run in going
            )
            begun = {run.contact_id: run.id for run in mine}
            drop_elsewhere(work, begun, plan_id=plan_id, now=now, actor=self.engine.actor)
            return vendor.ClaimedBatch(
                operation_id=own_id, order=vendor.EnrolmentBatch(plan=plan, people=mine, before=before.baselines)
            )

    async def record_outcomes(
        self, operation_id: str, outcomes: Items[vendor.EnrolmentOutcome], *, actor: actors.Actor | None = None
    ) -> None:
        """Record what became of those of an operation whose outcome is unknown, and of the operation, at once.

        Without an ``actor`` the outcomes are the answer to the request itself, which also corrects what somebody
        who looked too early has resolved.
        """
        store, now = self.engine.store, self.engine.clock()
        of = {reported.sequence_id: reported for reported in outcomes}
        with store.transaction() as work:
            people = [
                self._with_outcome(work, run, of.get(run.id), is_answer=actor is None, now=now)
                for run in work.runs.of_operation(operation_id)
            ]
            answer = self._answer(operation_id, outcomes)
            self._end(
                work,
                operation_id,
                {vendor_transitions.vendor_outcome_known(person) for person in people},
                answer=answer,
                actor=actor,
            )
            for plan_id in {person.plan_id for person in people}:
                self._close(work, plan_id)

    def _answer(self, operation_id: str, outcomes: Items[vendor.EnrolmentOutcome]) -> str:
        """Return what is kept of an operation: each person's outcome, and the vendor's last answer."""
        last_answer = next((outcome.error for outcome in outcomes if outcome.error), None)
        earlier = self.engine.store.operations.by_id(operation_id, now=self.engine.clock())
        if last_answer is None and earlier is not None and earlier.answer:
            last_answer = json.loads(earlier.answer).get(vendor.LAST_ANSWER)
        people = {outcome.sequence_id: [outcome.outcome, outcome.remote_id, outcome.why] for outcome in outcomes}
        return json.dumps({"people": people, vendor.LAST_ANSWER: last_answer}, ensure_ascii=False, default=str)

    def _with_outcome(
        self,
        work: UnitOfWork,
        run: Run,
        reported: vendor.EnrolmentOutcome | None,
        *,
        is_answer: bool,
        now: datetime,
    ) -> Run:
        if run.has_unknown_outcome:
            outcome = reported or vendor.EnrolmentOutcome(sequence_id=run.id, outcome="unknown", why=LOST)
            work.vendor_errors.keep(run.id, outcome.error, now=now)
            return self._keep(
                work, run, vendor_transitions.vendor_run_concluded(run, outcome, now=now), action=outcome.outcome
            )
        if not is_answer or reported is None:
            return run
        busy = run.contact_id in work.runs.live_of([run.contact_id])
        after = vendor_transitions.vendor_run_corrected(run, reported, busy=busy, now=now)
        if after == run:
            return run
        work.vendor_errors.keep(run.id, reported.error, now=now)
        return self._keep(work, run, after, action="corrected")

    def _end(
        self, work: UnitOfWork, operation_id: str, outcomes: set[str], *, answer: str, actor: actors.Actor | None
    ) -> None:
        """Record what became of an operation, unless that is known already."""
        who = actor or self.engine.actor
        if "unknown" in outcomes or not outcomes:
            if work.operations.mark_unknown(operation_id, answer=answer):
                self.engine.audit(work, "operation.unknown", operation_id)
            return
        state, now = "done" if "done" in outcomes else "not_done", self.engine.clock()
        if work.operations.conclude(operation_id, state=state, answer=answer, actor=who, now=now):
            self.engine.audit(work, f"operation.{state}", operation_id, by=who)

    async def release(self, operation_id: str, *, reason: str, error: Mapping[str, Any] | None = None) -> None:
        """Record that certainly nobody was enrolled, why, and that it may be tried again."""
        store, now = self.engine.store, self.engine.clock()
        with store.transaction() as work:
            for run in work.runs.of_operation(operation_id):
                if run.has_unknown_outcome:
                    work.vendor_errors.keep(run.id, error, now=now)
                    self._keep(
                        work,
                        run,
                        vendor_transitions.vendor_run_released(run, reason=reason, now=now),
                        action="released",
                    )
            answer = json.dumps({"released": reason, vendor.LAST_ANSWER: error}, ensure_ascii=False, default=str)
            self._end(work, operation_id, {"not_done"}, answer=answer, actor=None)

    async def put_off(self, plan_id: str, *, error: Mapping[str, Any]) -> None:
        """Record why nobody of a plan could be asked for now: they go on waiting."""
        store, now = self.engine.store, self.engine.clock()
        with store.transaction() as work:
            for run in work.runs.found_in(plan_id, after=-1, size=-1):
                work.vendor_errors.keep(run.id, error, now=now)

    async def give_up(self, plan_id: str, *, reason: str, error: Mapping[str, Any] | None = None) -> None:
        """Refuse everybody of a plan who was not handed over; waits for other programs the longest."""
        now = self.engine.clock()

        def refused(work: UnitOfWork) -> None:
            for run in work.runs.found_in(plan_id, after=-1, size=-1):
                if error is not None:
                    work.vendor_errors.keep(run.id, error, now=now)
                self._refuse(work, run, reason)
            self._close(work, plan_id)

        await self.engine.insisting(refused)

    async def order_of(self, operation_id: str) -> vendor.EnrolmentBatch:
        """Return the people of an operation whose outcome is unknown, for a look at them; NotFoundError."""
        operation = await LocalOperations(self.engine).get(operation_id)
        plan = self.engine.store.plans.find(operation.subject)
        if plan is None:
            raise NotFoundError(f"{operation_id} is no start.", next_step="check_operation says what it is.")
        people = self.engine.store.runs.of_operation(operation_id)
        return vendor.EnrolmentBatch(
            plan=plan,
            people=tuple(person for person in people if person.has_unknown_outcome),
            before=_marks(operation),
            known_done=sum(vendor_transitions.vendor_outcome_known(person) == "done" for person in people),
        )

    async def baseline_of(self, run: Run) -> str | None:
        """Return what was read about this person at the vendor just before they were handed over."""
        if run.operation_id is None:
            return None
        return _marks(await LocalOperations(self.engine).get(run.operation_id)).get(run.id)

    async def find(self, remote_id: str) -> SequenceDetail | None:
        """Return the run started here that has this id at its vendor, or None."""
        run = self.engine.store.runs.of_remote(remote_id)
        return run_details(self.engine, [run])[0] if run else None

    async def observe(self, run: Run, detail: SequenceDetail) -> SequenceDetail:
        """Store what a vendor reports of a run; return the run with that reading."""
        word, theirs = detail.provider_status, detail.sequence
        known = None if word is None else theirs.status
        now = self.engine.clock()
        with self.engine.store.transaction() as work:
            present = work.runs.by_ids([run.id])[0]
            after = vendor_transitions.vendor_run_seen(present, status=known, remote_id=theirs.id, now=now)
            if present == run and after != run:  # what has changed meanwhile is not what was looked at
                self._keep(work, run, after, action="seen")
            facts = detail.facts or VendorFacts()
            reading = VendorReading(read_at=now, provider_status=word, facts=facts)
            work.readings.write(run.id, reading)
            shown = run_details(self.engine, work.runs.by_ids([run.id]))[0]
        return replace(
            shown,
            provider_status=word,
            read_at=None,
            outlook=detail.outlook,
            steps_there=detail.steps_there,
            activities=detail.activities,
            unavailable_because=detail.unavailable_because,
        )

    async def end(self, sequence_id: str, *, finished: bool, actor: actors.Actor) -> SequenceDetail:
        """Record that somebody has seen a run to be over at its vendor; NotFoundError, ConflictError."""
        store, now = self.engine.store, self.engine.clock()
        with store.transaction() as work:
            run = require_sequence(self.engine, sequence_id)
            after = vendor_transitions.vendor_run_over(run, finished=finished, actor=actor, now=now)
            keep_changes(work, run, after, action=action_of_kind(OutcomeResolved), now=now, actor=actor)
            return run_details(self.engine, [after])[0]

    async def to_read_again(self, provider: str, wanted: SequenceFilter, *, size: int) -> list[SequenceDetail]:
        """Return runs that a vendor has and that are not over, the longest unread first; a status may be stale."""
        any_status = replace(
            checked_filter(wanted, engine=self.engine), status=None, provider_status=None, waiting_for=None
        )
        with self.engine.store.snapshot() as work:
            runs = work.runs.longest_unread(provider, any_status, size=size)
            return list(run_details(self.engine, [run for run in runs if not run.has_unknown_outcome]))

    async def list_runs(self, provider: str, wanted: SequenceFilter) -> Page[SequenceDetail]:
        """Return one page of the runs started here at a vendor."""
        require_page(wanted.page, wanted.size)
        with self.engine.store.snapshot() as work:
            page = work.runs.page(checked_filter(wanted, engine=self.engine), provider=provider)
            return page.of(run_details(self.engine, page.items))

    async def outcome(self, plan_id: str) -> vendor.EnrolmentTally:
        """Return how far the handing over of a plan's people is."""
        return self.engine.store.operations.tally_of_start(
            plan_id, now=self.engine.clock(), taken=vendor_transitions.TAKEN, reasons=REASONS
        )

    async def known_as(self, vendor_id: str) -> str | None:
        """Return the id of the stored person who has this id at a vendor, or None."""
        results = self.engine.store.contacts.by_ids([vendor_id])
        if results:
            return results[0].id
        run = self.engine.store.runs.given_as(vendor_id)
        return run.contact_id if run else None

    async def live_among(self, targets: Items[tuple[str, str]]) -> list[SequenceDetail]:
        """Return runs at vendors that may still reach whoever these targets cover.

        A target is a kind (``address``, ``domain``, ``contact``) and its value, and on the own list by now.
        """
        store = self.engine.store
        people = [item for target in targets for item in covered(store, target)]
        runs = run_details(self.engine, store.runs.live_at_vendors(people, words=[value for _, value in targets]))
        return [run for run in runs if is_suppressed(store, as_known_anywhere(run.sequence, run.contact))]

    async def live_as(self, people: Items[Items[str]]) -> list[str | None]:
        """Return, for each person, a live run that reaches them by one of these addresses or vendor's ids."""
        store = self.engine.store
        with store.snapshot() as work:
            named = work.runs.live_as(way for ways in people for way in ways)
            return [
                next((named[way] for way in ways if way in named), None)
                or work.runs.live_at(way for way in ways if "@" in way)
                for ways in people
            ]

    async def at_vendors(self, sequence_ids: Items[str]) -> list[SequenceDetail]:
        """Return those of these runs that a vendor carries out."""
        runs = self.engine.store.runs.by_ids(sequence_ids)
        return list(run_details(self.engine, (run for run in runs if run.is_at_vendor)))

    def _standing(self, work: UnitOfWork, plan_id: str) -> Plan | None:
        """Return the plan while its approval holds; otherwise it is void, or over, from now on."""
        now = self.engine.clock()
        plan = work.plans.find(plan_id)
        if plan is None or plan.status is not PlanStatus.APPROVED:
            return None
        if _is_too_late(plan, now):
            for run in work.runs.found_in(plan_id, after=-1, size=-1):
                self._refuse(work, run, TOO_LATE)
            self._close(work, plan_id)
            return None
        if not_ours(self.engine, plan):
            return None
        if why := fallen_because(self.engine, plan):
            decide(work, voided(plan, why), action="void", now=now, actor=actors.ENGINE)
            return None
        return plan

    def _cleared(self, work: UnitOfWork, people: Items[Run], before: vendor.PreflightSnapshot) -> list[Run]:
        """Return those who may be contacted as things stand; the others are refused."""
        known = {contact.id: contact for contact in work.contacts.by_ids([person.contact_id for person in people])}
        live = work.runs.live_of(known)
        live_as = work.runs.live_as(vendor_id for person in people for vendor_id in person.ids_given)
        cleared = []
        for person in people:
            contact = known[person.contact_id]
            ways = as_known_anywhere(person, contact, addresses=before.addresses.get(person.id, ()))
            other = live.get(contact.id) or next(
                (live_as[vendor_id] for vendor_id in person.ids_given if vendor_id in live_as), None
            )
            other = other or work.runs.live_at_address(person)
            why = _obstacle(person, contact, listed=is_suppressed(work, ways), live=other)
            why = why or before.obstacles.get(person.id)
            if why is None:
                live[person.contact_id] = person.id
                live_as |= dict.fromkeys(person.ids_given, person.id)
                cleared.append(person)
            else:
                work.vendor_errors.keep(person.id, None, now=self.engine.clock())  # the vendor has not refused it
                self._refuse(work, person, why)
        return cleared

    def _refuse(self, work: UnitOfWork, run: Run, why: str) -> None:
        apply_event(work, run, PlanRejected(why), now=self.engine.clock(), actor=self.engine.actor)

    def _keep(self, work: UnitOfWork, before: Run, after: Run, *, action: str) -> Run:
        keep_changes(
            work,
            before,
            after,
            action=f"sequence.{action}",
            now=self.engine.clock(),
            actor=self.engine.actor,
        )
        return after

    def _close(self, work: UnitOfWork, plan_id: str) -> None:
        """Note that everybody of a plan was told, once that is so and no request of it is open."""
        is_open = work.operations.open_on(plan_id, now=self.engine.clock())
        if not is_open and not work.runs.found_in(plan_id, after=-1, size=1):
            work.plans.mark_decision_applied(plan_id)

    def _recover(self, plan_id: str) -> None:
        """Let people wait for a user whose operation was left behind by a process that died."""
        store, now = self.engine.store, self.engine.clock()
        for operation in store.operations.open_on(plan_id, now=now):
            if operation.state != "unknown":
                continue
            with store.transaction() as work:
                for run in work.runs.of_operation(operation.id):
                    if run.has_unknown_outcome and run.reason == vendor_transitions.TAKEN:
                        lost = vendor.EnrolmentOutcome(sequence_id=run.id, outcome="unknown", why=LOST)
                        self._keep(
                            work,
                            run,
                            vendor_transitions.vendor_run_concluded(run, lost, now=now),
                            action="unknown",
                        )


def _is_too_late(plan: Plan, now: datetime) -> bool:
    """Say whether an approved start is past its end, which a clock that was ahead may have put too late."""
    ends = plan.header.expires_at
    return now >= (min(ends, plan.decided_at + LIFETIME) if plan.decided_at else ends)


def _obstacle(run: Run, contact: Contact, *, listed: Mapping[str, str], live: str | None) -> str | None:
    for reason in listed.values():
        return f"suppressed: {reason}"
    if live:
        return f"another sequence is under way: {live}"
    text, present = run.vendor_facts.get("email"), contact.email
    if text and present and address_key(text) != address_key(present):
        return f"it was approved for {text}, and the contact's address is now {present}"
    return None


def _marks(operation: vendor.VendorOperation) -> Mapping[str, str]:
    before = operation.arguments.get("before")
    return before if isinstance(before, dict) else {}
