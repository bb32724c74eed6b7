"""The store against a simple model of it: after any history, the file says what the model says."""

from __future__ import annotations

import tempfile
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule
from tests.world.engine import EMAIL, LATER, EngineWorld, FakeDelivery
from tests.world.texts import CHARACTERS

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.contact import Contact, ContactFields
from sequences_mcp.domain.plan import PlanStatus
from sequences_mcp.domain.run import LIVE, Run, SequenceStatus, StopReason
from sequences_mcp.engine.context import apply_event
from sequences_mcp.engine.events import Event, Paused, PlanRejected, Resumed, Rewritten, Stopped
from sequences_mcp.engine.machine import next_run_at
from sequences_mcp.errors import DeliveryDeferredError, DeliveryUnknownError, RequestError
from sequences_mcp.ports.embedded import ContactEntry

T = TypeVar("T")
NAMES = st.sampled_from(["ann", "Bob", "çem", "dee", "EVE"])
MOVES = [Stopped(StopReason.WIN), Resumed(), PlanRejected("no"), Rewritten({"s2": ("Hi", "New.")})]
ACCEPTED = FakeDelivery()
DEFERRED = FakeDelivery(before=DeliveryDeferredError("busy", next_step="Wait."))
LOST = FakeDelivery(after=DeliveryUnknownError("lost", next_step="Look."))

FAR = datetime(2100, 1, 1, tzinfo=UTC)


def done(deed: Coroutine[Any, Any, T]) -> T:
    """Return what a method of the provider returns: it never waits."""
    try:
        deed.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("it waited")


class UndoneError(Exception):
    """What a test throws inside a transaction."""


class MemoryStore(RuleBasedStateMachine):
    """Contacts by address and runs by id, as dictionaries; and every transaction all or nothing."""

    runs = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.people: dict[str, Contact] = {}
        self.known: dict[str, Run] = {}

    @initialize(journal=st.sampled_from(["wal", "delete"]))
    def open(self, journal: Any) -> None:
        self.world = EngineWorld.open(Path(self.folder.name), journal=journal)
        self.journal = journal
        self.blueprint = done(self.world.blueprint(EMAIL, LATER))

    def teardown(self) -> None:
        self.world.store.close()
        self.folder.cleanup()

    @rule(name=NAMES, title=st.text(CHARACTERS, max_size=5), note=st.none() | st.just("a note"))
    def save(self, name: str, title: str, note: str | None) -> None:
        entry = ContactEntry(ContactFields(email=f"{name}@example.org", job_title=title), note)
        (saved,) = done(self.world.local.save_contacts([entry]))
        assert saved.created is (name.casefold() not in self.people)
        self.people[name.casefold()] = saved.contact

    @rule(name=NAMES)
    def fail_to_save(self, name: str) -> None:
        entry = ContactEntry(ContactFields(email=f"{name}@example.org", company="Never"))
        try:
            with self.world.store.transaction():
                done(self.world.local.save_contacts([entry]))
                raise UndoneError
        except UndoneError:
            pass

    @rule(target=runs)
    def plan(self) -> Any:
        if not self.people:
            return multiple()
        plan = done(self.world.plan(*self.people.values(), blueprint=self.blueprint))
        found = self._reload(self.world.store.runs.of_plan(plan.id, page=1, size=100).items)
        return multiple(*(one.id for one in found))

    @rule(run=runs)
    def approve(self, run: str) -> None:
        plan = done(self.world.local.plans.get_plan(self.known[run].plan_id))
        if plan.status is PlanStatus.WAITING:
            done(self.world.local.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("terminal")))
            # Not its own people alone: whoever begins leaves the other plans.
            self._reload(self.world.store.runs.by_ids(self.known))

    @rule(
        run=runs,
        event=st.sampled_from(
            [Stopped(StopReason.WIN), Resumed(), PlanRejected("no"), Rewritten({"s2": ("Hi", "New.")})]
        ),
    )
    def move(self, run: str, event: Event) -> None:
        self._change(run, event)

    @rule(run=runs, minutes=st.integers(1, 100))
    def pause(self, run: str, minutes: int) -> None:
        self._change(run, Paused(self.world.clock.now + timedelta(minutes=minutes)))

    @rule(run=consumes(runs), event=st.sampled_from([Stopped(StopReason.LOSE), PlanRejected("no")]))
    def fail_to_move(self, run: str, event: Event) -> None:
        try:
            with self.world.store.transaction() as work:
                apply_event(work, self.known[run], event, now=self.world.clock.now, actor=Actor("test"))
                raise UndoneError
        except (UndoneError, RequestError):
            pass

    @rule(delivery=st.sampled_from([ACCEPTED, DEFERRED, LOST]), hours=st.integers(0, 100))
    def work(self, delivery: FakeDelivery, hours: int) -> None:
        self.world.clock.forward(hours=hours)
        self.world.worker(delivery).run_due()
        self._reload(self.world.store.runs.by_ids(self.known))

    @rule()
    def reopen(self) -> None:
        self.world.store.close()
        clock = self.world.clock
        self.world = EngineWorld.open(Path(self.folder.name), journal=self.journal)
        self.world = EngineWorld(self.world.folder, self.world.store, clock, self.world.terms)

    @invariant()
    def people_are_as_they_were_saved(self) -> None:
        ids = [one.id for one in self.people.values()]
        assert self.world.store.contacts.by_ids(ids) == list(self.people.values())

    @invariant()
    def runs_are_as_the_machine_left_them(self) -> None:
        assert self.world.store.runs.by_ids(self.known) == list(self.known.values())

    @invariant()
    def lists_count_what_the_model_counts(self) -> None:
        for status in SequenceStatus:
            page = done(self._listed(status))
            assert page == sum(one.status is status for one in self.known.values())

    @invariant()
    def the_schedule_knows_what_is_due_first(self) -> None:
        for lane in ("free", "mailbox"):
            times = [next_run_at(one) for one in self.known.values() if one.queue == lane]
            due = self.world.store.runs.next_due(lane, terms=self.world.terms, before=FAR)
            assert (due and due[1]) == min((at for at in times if at), default=None)

    @invariant()
    def nobody_has_two_live_runs(self) -> None:
        live = [one.contact_id for one in self.known.values() if one.status in LIVE]
        assert len(live) == len(set(live))
        assert self.world.store.runs.live_of(live).keys() == set(live)

    @invariant()
    def the_audit_holds(self) -> None:
        assert self.world.store.audit.verify() is None

    async def _listed(self, status: SequenceStatus) -> int:
        found = await self.world.details(status=status)
        return len(found)

    def _change(self, run: str, event: Event) -> None:
        try:
            with self.world.store.transaction() as work:
                after, _ = apply_event(work, self.known[run], event, now=self.world.clock.now, actor=Actor("test"))
        except RequestError:
            return
        self.known[run] = after

    def _reload(self, found: Any) -> Any:
        for one in found:
            self.known[one.id] = one
        return found


TestStore: Any = MemoryStore.TestCase
TestStore.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
