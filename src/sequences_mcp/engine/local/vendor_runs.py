"""Approved starts at vendors: asked about again, taken under an operation, and settled with it, each at once.

Whoever is taken is nobody else's to hand over: a request leaves only for people who were FOUND, in the transaction
that wrote its operation down. A process that dies in between leaves an unknown operation, never a second request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.plan import LIFETIME, Plan, PlanStatus
from sequences_mcp.domain.sequence import Sequence
from sequences_mcp.engine import at_vendor
from sequences_mcp.engine.approvals import decide, voided
from sequences_mcp.engine.change import change, keep
from sequences_mcp.engine.events import Refused
from sequences_mcp.engine.local.details import details, require_sequence
from sequences_mcp.engine.local.engine import Engine, require_page
from sequences_mcp.engine.local.operations import LocalOperations, busy
from sequences_mcp.engine.local.people_at_vendors import as_known_anywhere, kept
from sequences_mcp.engine.local.sequences import conditions_of
from sequences_mcp.engine.local.standing import fallen_because, not_ours
from sequences_mcp.engine.stopping import covered, drop_elsewhere, suppressed
from sequences_mcp.engine.store import (
    contacts,
    lineage,
    plans,
    schedule,
    sequences,
    vendor_errors,
    vendor_readings,
)
from sequences_mcp.engine.store import vendor_operations as operations
from sequences_mcp.engine.unseen import take_in
from sequences_mcp.errors import NotFoundError, StoreUnwritableError
from sequences_mcp.providers.enrolment_port import Before, Fate, HandedOver, Order, Taken
from sequences_mcp.providers.port import Call, SequenceDetail, SequenceFilter, VendorFacts, VendorReading
from sequences_mcp.providers.vendor_port import LAST_ANSWER, Operation, Write

TOOL = "start_sequence"
TOO_LATE = "it could not be handed over within the day that an approval holds"
REASONS = 5
LOST = "whoever asked for it was gone before the answer came"


@dataclass(frozen=True, slots=True)
class LocalVendorRuns:
    """``providers.enrolment_port.VendorRuns`` over the store."""

    engine: Engine

    async def keep_people(self, people: Items[Contact]) -> list[Contact]:
        """Return each person as kept here: whoever has the id, the address or the number, or a new one."""
        with self.engine.store.transaction():
            return [kept(self.engine, one) for one in people]

    async def waiting(self) -> list[Plan]:
        """Return approved plans with people still to be handed over, the oldest first."""
        found = (plans.find(self.engine.store, plan_id) for plan_id in plans.unsettled(self.engine.store))
        return [
            plan
            for plan in found
            if plan is not None and plan.header.is_at_vendor and plan.status is PlanStatus.APPROVED
        ]

    async def left_alone(self, plan_id: str) -> str | None:
        """Return that an approved plan is another account's, or for other settings at its vendor; or None."""
        plan = plans.find(self.engine.store, plan_id)
        return None if plan is None else not_ours(self.engine, plan)

    async def next_people(self, plan_id: str, *, size: int) -> list[Sequence]:
        """Return who would be handed over next; none while an earlier request is open, or too late."""
        self._recover(plan_id)
        plan = plans.find(self.engine.store, plan_id)
        if plan is None or plan.status is not PlanStatus.APPROVED:
            return []
        if _is_too_late(plan, self.engine.clock()):
            await self.give_up(plan_id, reason=TOO_LATE)
            return []
        if operations.open_on(self.engine.store, plan_id, now=self.engine.clock()):
            return []
        found = schedule.found_in(self.engine.store, plan_id, after=-1, size=size)
        if any(self._is_paused(one) for one in found):
            found = schedule.found_in(self.engine.store, plan_id, after=-1, size=-1)
        return [one for one in found if not self._is_paused(one)][:size]

    def _is_paused(self, one: Sequence) -> bool:
        """Say whether somebody of an approved plan stays here for now."""
        return one.paused_until is not None and one.paused_until > self.engine.clock()

    async def take(self, plan_id: str, sequence_ids: Items[str], *, before: Before) -> Taken | None:
        """Ask everything again and, in the same transaction, write the operation down and take its people."""
        store, now = self.engine.store, self.engine.clock()
        if not store.has_room():  # what becomes of a request must find room to be written down
            raise StoreUnwritableError(
                "The disk is nearly full.", next_step="Make room; it is tried again by itself."
            )
        with store.transaction():
            lineage.look(store, now=now)
            lineage.require_going(store)
            take_in(store, now=now)
            plan = self._standing(plan_id)
            if plan is None:
                return None
            known = sequences.by_ids(store, sequence_ids)
            found = [one for one in known if one.waits_for_plan and not self._is_paused(one)]
            going = self._cleared(found, before)
            if not going:
                self._close(plan_id)
                return None
            arguments = {"plan": plan_id, "before": dict(before.marks), "people": len(going)}
            write = Write(
                call=Call(TOOL, None, plan.digest),
                provider=plan.header.provider,
                subject=plan_id,
                arguments=arguments,
            )
            for other in operations.open_on(store, plan.header.blueprint_id, now=now):
                raise busy(other)
            own = (await LocalOperations(self.engine).begin(write)).operation.id
            mine = tuple(
                self._keep(one, at_vendor.taken(one, operation_id=own, now=now), "taken") for one in going
            )
            begun = {one.contact_id: one.id for one in mine}
            drop_elsewhere(store, begun, plan_id=plan_id, now=now, actor=self.engine.actor)
            return Taken(operation_id=own, order=Order(plan=plan, people=mine, before=before.marks))

    async def settle(self, operation_id: str, fates: Items[Fate], *, actor: str | None = None) -> None:
        """Record what became of those in doubt, and of the operation; a request's own answer corrects a look."""
        store, now = self.engine.store, self.engine.clock()
        of = {fate.sequence_id: fate for fate in fates}
        with store.transaction():
            people = [
                self._settled(one, of.get(one.id), is_answer=actor is None, now=now)
                for one in schedule.of_operation(store, operation_id)
            ]
            answer = self._answer(operation_id, fates)
            self._end(operation_id, {at_vendor.fate_known(one) for one in people}, answer=answer, actor=actor)
            for plan_id in {one.plan_id for one in people}:
                self._close(plan_id)

    def _answer(self, operation_id: str, fates: Items[Fate]) -> str:
        """Return what is kept of an operation: each person's fate, and the vendor's last answer."""
        told = next((one.error for one in fates if one.error), None)
        earlier = operations.by_id(self.engine.store, operation_id, now=self.engine.clock())
        if told is None and earlier is not None and earlier.answer:
            told = json.loads(earlier.answer).get(LAST_ANSWER)
        people = {one.sequence_id: [one.outcome, one.remote_id, one.why] for one in fates}
        return json.dumps({"people": people, LAST_ANSWER: told}, ensure_ascii=False, default=str)

    def _settled(self, one: Sequence, fate: Fate | None, *, is_answer: bool, now: datetime) -> Sequence:
        if one.is_in_doubt:
            told = fate or Fate(sequence_id=one.id, outcome="unknown", why=LOST)
            vendor_errors.keep(self.engine.store, one.id, told.error, now=now)
            return self._keep(one, at_vendor.fated(one, told, now=now), told.outcome)
        if not is_answer or fate is None:
            return one
        busy = one.contact_id in schedule.live_of(self.engine.store, [one.contact_id])
        after = at_vendor.corrected(one, fate, busy=busy, now=now)
        if after == one:
            return one
        vendor_errors.keep(self.engine.store, one.id, fate.error, now=now)
        return self._keep(one, after, "corrected")

    def _end(self, operation_id: str, fates: set[str], *, answer: str, actor: str | None) -> None:
        """Record what became of an operation, unless that is settled already."""
        store, who = self.engine.store, actor or self.engine.actor
        if "unknown" in fates or not fates:
            if operations.doubt(store, operation_id, answer=answer):
                self.engine.audit("operation.unknown", operation_id)
            return
        state, now = "done" if "done" in fates else "not_done", self.engine.clock()
        if operations.settle(store, operation_id, state=state, answer=answer, actor=who, now=now):
            self.engine.audit(f"operation.{state}", operation_id, by=who)

    async def release(self, operation_id: str, *, reason: str, error: Mapping[str, Any] | None = None) -> None:
        """Record that certainly nobody was enrolled, why, and that it may be tried again."""
        store, now = self.engine.store, self.engine.clock()
        with store.transaction():
            for one in schedule.of_operation(store, operation_id):
                if one.is_in_doubt:
                    vendor_errors.keep(store, one.id, error, now=now)
                    self._keep(one, at_vendor.released(one, reason=reason, now=now), "released")
            answer = json.dumps({"released": reason, LAST_ANSWER: error}, ensure_ascii=False, default=str)
            self._end(operation_id, {"not_done"}, answer=answer, actor=None)

    async def put_off(self, plan_id: str, *, error: Mapping[str, Any]) -> None:
        """Record why nobody of a plan could be asked for now: they go on waiting."""
        store, now = self.engine.store, self.engine.clock()
        with store.transaction():
            for one in schedule.found_in(store, plan_id, after=-1, size=-1):
                vendor_errors.keep(store, one.id, error, now=now)

    async def give_up(self, plan_id: str, *, reason: str, error: Mapping[str, Any] | None = None) -> None:
        """Refuse everybody of a plan who was not handed over; waits for other programs the longest."""
        store, now = self.engine.store, self.engine.clock()

        def refused() -> None:
            with store.transaction():
                for one in schedule.found_in(store, plan_id, after=-1, size=-1):
                    if error is not None:
                        vendor_errors.keep(store, one.id, error, now=now)
                    self._refuse(one, reason)
                self._close(plan_id)

        await self.engine.insisting(refused)

    async def order_of(self, operation_id: str) -> Order:
        """Return what is in doubt of an operation's order, for a look at what became of it; NotFoundError."""
        operation = await LocalOperations(self.engine).get(operation_id)
        plan = plans.find(self.engine.store, operation.subject)
        if plan is None:
            raise NotFoundError(f"{operation_id} is no start.", next_step="check_operation says what it is.")
        people = schedule.of_operation(self.engine.store, operation_id)
        return Order(
            plan=plan,
            people=tuple(one for one in people if one.is_in_doubt),
            before=_marks(operation),
            known_done=sum(at_vendor.fate_known(one) == "done" for one in people),
        )

    async def mark_of(self, run: Sequence) -> str | None:
        """Return what was read about this person at the vendor just before they were handed over."""
        if run.operation_id is None:
            return None
        return _marks(await LocalOperations(self.engine).get(run.operation_id)).get(run.id)

    async def find(self, remote_id: str) -> SequenceDetail | None:
        """Return the run started here that has this id at its vendor, or None."""
        found = schedule.of_remote(self.engine.store, remote_id)
        return details(self.engine, [found])[0] if found else None

    async def observe(self, run: Sequence, seen: SequenceDetail) -> SequenceDetail:
        """Keep what a vendor tells of a run, and return both as one."""
        word, theirs = seen.provider_status, seen.sequence
        known = None if word is None else theirs.status
        now = self.engine.clock()
        with self.engine.store.transaction():
            present = sequences.by_ids(self.engine.store, [run.id])[0]
            after = at_vendor.seen(present, status=known, remote_id=theirs.id, now=now)
            if present == run and after != run:  # what has changed meanwhile is not what was looked at
                self._keep(run, after, "seen")
            facts = seen.facts or VendorFacts()
            reading = VendorReading(read_at=now, provider_status=word, facts=facts)
            vendor_readings.write(self.engine.store, run.id, reading)
            shown = details(self.engine, sequences.by_ids(self.engine.store, [run.id]))[0]
        return replace(
            shown,
            provider_status=word,
            read_at=None,
            outlook=seen.outlook,
            steps_there=seen.steps_there,
            activities=seen.activities,
            untold=seen.untold,
        )

    async def end(self, sequence_id: str, *, finished: bool, actor: str) -> SequenceDetail:
        """Record that somebody has seen a run to be over at its vendor; NotFoundError, ConflictError."""
        store, now = self.engine.store, self.engine.clock()
        with store.transaction():
            one = require_sequence(self.engine, sequence_id)
            after = at_vendor.over(one, finished=finished, actor=actor, now=now)
            keep(store, one, after, action="sequence.settled", now=now, actor=actor)
            return details(self.engine, [after])[0]

    async def to_read_again(self, provider: str, wanted: SequenceFilter, *, size: int) -> list[SequenceDetail]:
        """Return runs that a vendor has and that are not over, the longest unread first; a status may be stale."""
        any_status = replace(wanted, status=None, provider_status=None, waiting_for=None)
        conditions = {"provider": provider, **conditions_of(any_status)}
        store = self.engine.store
        with store.snapshot():
            found = sequences.by_ids(store, vendor_readings.stalest(store, conditions, size=size))
            return list(details(self.engine, [one for one in found if not one.is_in_doubt]))

    async def list_runs(self, provider: str, wanted: SequenceFilter) -> Page[SequenceDetail]:
        """Return one page of the runs started here at a vendor."""
        require_page(wanted.page, wanted.size)
        store = self.engine.store
        with store.snapshot():
            found = sequences.page_of(
                store,
                {"provider": provider, **conditions_of(wanted)},
                sort_by=wanted.sort_by,
                sort_order=wanted.sort_order,
                page=wanted.page,
                size=wanted.size,
            )
            return found.of(details(self.engine, found.items))

    async def outcome(self, plan_id: str) -> HandedOver:
        """Return how far the handing over of a plan's people is."""
        row = self.engine.store.rows("vendor_operations.outcome", plan_id=plan_id, taken=at_vendor.TAKEN)[0]
        reasons = self.engine.store.rows("vendor_operations.reasons", plan_id=plan_id, size=REASONS)
        still_open = operations.open_on(self.engine.store, plan_id, now=self.engine.clock())
        return HandedOver(
            **dict(row),
            why=tuple(one["reason"] for one in reasons),
            errors=vendor_errors.of_plan(self.engine.store, plan_id),
            operation_ids=tuple(one.id for one in still_open),
        )

    async def known_as(self, vendor_id: str) -> str | None:
        """Return the id of the stored person who has this id at a vendor, or None."""
        found = contacts.by_ids(self.engine.store, [vendor_id])
        if found:
            return found[0].id
        run = schedule.given_as(self.engine.store, vendor_id)
        return run.contact_id if run else None

    async def live_among(self, marks: Items[tuple[str, str]]) -> list[SequenceDetail]:
        """Return runs at vendors that may still reach whoever these marks cover."""
        store = self.engine.store
        people = [one for mark in marks for one in covered(store, mark)]
        runs = details(self.engine, schedule.live_at_vendors(store, people, words=[value for _, value in marks]))
        return [one for one in runs if suppressed(store, as_known_anywhere(one.sequence, one.contact))]

    async def live_as(self, people: Items[Items[str]]) -> list[str | None]:
        """Return, for each person, a live run that reaches them by one of these addresses or vendor's ids."""
        store = self.engine.store
        with store.snapshot():
            named = schedule.live_as(store, (way for ways in people for way in ways))
            return [
                next((named[way] for way in ways if way in named), None)
                or schedule.live_at(store, (way for way in ways if "@" in way))
                for ways in people
            ]

    async def at_vendors(self, sequence_ids: Items[str]) -> list[SequenceDetail]:
        """Return those of these runs that a vendor carries out."""
        found = sequences.by_ids(self.engine.store, sequence_ids)
        return list(details(self.engine, (one for one in found if one.is_at_vendor)))

    def _standing(self, plan_id: str) -> Plan | None:
        """Return the plan while its approval holds; otherwise it is void, or over, from now on."""
        store, now = self.engine.store, self.engine.clock()
        plan = plans.find(store, plan_id)
        if plan is None or plan.status is not PlanStatus.APPROVED:
            return None
        if _is_too_late(plan, now):
            for one in schedule.found_in(store, plan_id, after=-1, size=-1):
                self._refuse(one, TOO_LATE)
            self._close(plan_id)
            return None
        if not_ours(self.engine, plan):
            return None
        if why := fallen_because(self.engine, plan):
            decide(store, voided(plan, why), action="void", now=now, actor="engine")
            return None
        return plan

    def _cleared(self, people: Items[Sequence], before: Before) -> list[Sequence]:
        """Return those who may be contacted as things stand; the others are refused."""
        store = self.engine.store
        known = {one.id: one for one in contacts.by_ids(store, [one.contact_id for one in people])}
        live = schedule.live_of(store, known)
        live_as = schedule.live_as(store, (own for one in people for own in one.ids_given))
        cleared = []
        for one in people:
            contact = known[one.contact_id]
            ways = as_known_anywhere(one, contact, addresses=before.addresses.get(one.id, ()))
            other = live.get(contact.id) or next((live_as[own] for own in one.ids_given if own in live_as), None)
            other = other or schedule.live_at_address(store, one)
            why = _obstacle(one, contact, listed=suppressed(store, ways), live=other)
            why = why or before.obstacles.get(one.id)
            if why is None:
                live[one.contact_id] = one.id
                live_as |= dict.fromkeys(one.ids_given, one.id)
                cleared.append(one)
            else:
                vendor_errors.keep(store, one.id, None, now=self.engine.clock())  # it is not the vendor's no
                self._refuse(one, why)
        return cleared

    def _refuse(self, one: Sequence, why: str) -> None:
        change(self.engine.store, one, Refused(why), now=self.engine.clock(), actor=self.engine.actor)

    def _keep(self, before: Sequence, after: Sequence, action: str) -> Sequence:
        keep(
            self.engine.store,
            before,
            after,
            action=f"sequence.{action}",
            now=self.engine.clock(),
            actor=self.engine.actor,
        )
        return after

    def _close(self, plan_id: str) -> None:
        """Note that everybody of a plan was told, once that is so and no request of it is open."""
        store = self.engine.store
        is_open = operations.open_on(store, plan_id, now=self.engine.clock())
        if not is_open and not schedule.found_in(store, plan_id, after=-1, size=1):
            plans.mark_settled(store, plan_id)

    def _recover(self, plan_id: str) -> None:
        """Let people wait for a user whose operation was left behind by a process that died."""
        store, now = self.engine.store, self.engine.clock()
        for operation in operations.open_on(store, plan_id, now=now):
            if operation.state != "unknown":
                continue
            with store.transaction():
                for one in schedule.of_operation(store, operation.id):
                    if one.is_in_doubt and one.reason == at_vendor.TAKEN:
                        lost = Fate(sequence_id=one.id, outcome="unknown", why=LOST)
                        self._keep(one, at_vendor.fated(one, lost, now=now), "unknown")


def _is_too_late(plan: Plan, now: datetime) -> bool:
    """Say whether an approved start is past its end, which a clock that was ahead may have put too late."""
    ends = plan.header.expires_at
    return now >= (min(ends, plan.decided_at + LIFETIME) if plan.decided_at else ends)


def _obstacle(one: Sequence, contact: Contact, *, listed: Mapping[str, str], live: str | None) -> str | None:
    for reason in listed.values():
        return f"suppressed: {reason}"
    if live:
        return f"another sequence is under way: {live}"
    given, present = one.handover.get("email"), contact.email
    if given and present and address_key(given) != address_key(present):
        return f"it was approved for {given}, and the contact's address is now {present}"
    return None


def _marks(operation: Operation) -> Mapping[str, str]:
    before = operation.arguments.get("before")
    return before if isinstance(before, dict) else {}
