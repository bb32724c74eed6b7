"""Trouble with the database while the worker runs: nothing that is known is lost, nothing is done twice."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.world.engine import START, EngineWorld
from tests.world.stores import of_a_file, open_store, shell

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.plan import PlanStatus
from sequences_mcp.domain.run import SequenceStatus, StepState
from sequences_mcp.engine.channels.message import ComposedMessage, Receipt
from sequences_mcp.engine.plans import apply_decision
from sequences_mcp.errors import StoreDamagedError, StoreUnwritableError
from sequences_mcp.ports.embedded import ContactEntry, SequenceFilter, StepText
from sequences_mcp.store.sqlite.connection import translated


class FakeListener(logging.Handler):
    """A log that does something when it first hears certain words."""

    def __init__(self, words: str, react: Callable[[], None]) -> None:
        super().__init__()
        self.words, self.react, self.heard = words, react, 0

    def emit(self, record: logging.LogRecord) -> None:
        """React once."""
        if self.words in record.getMessage():
            self.heard += 1
            if self.heard == 1:
                self.react()


async def test_an_answer_is_written_down_also_when_the_database_is_held_at_that_moment(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"))
    with shell(world.store.workspace.folder) as other:
        listener = FakeListener("waits", other.release)
        log = logging.getLogger("sequences_mcp.engine.worker")
        log.addHandler(listener)

        def deliver(message: ComposedMessage, *, before_dot: Callable[[], None]) -> Receipt:
            before_dot()
            other.hold()
            return Receipt("250 taken")

        world.worker(deliver).run_due()
        log.removeHandler(listener)
    assert listener.heard == 1
    assert (await world.runs())[0].steps[0].state is StepState.SENT


async def test_a_worker_whose_database_is_held_waits_and_can_still_be_stopped(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"))
    stop, told = threading.Event(), threading.Event()
    listener = FakeListener("cannot use the database", told.set)
    log = logging.getLogger("sequences_mcp.engine.worker")
    log.addHandler(listener)
    opened, locked = threading.Event(), threading.Event()

    def work() -> None:
        with open_store(world.store.workspace.folder, now=START, busy_seconds=0.05) as own:
            opened.set()
            locked.wait(timeout=60)
            EngineWorld(world.folder, own, world.clock, world.terms).worker().run(stop)

    thread = threading.Thread(target=work)
    thread.start()
    assert opened.wait(timeout=60)
    with shell(world.store.workspace.folder) as other:
        other.hold()
        locked.set()
        assert told.wait(timeout=60)
        stop.set()
        thread.join(timeout=60)
    log.removeHandler(listener)
    assert not thread.is_alive()
    assert (await world.runs())[0].steps[0].state is StepState.PLANNED


async def test_a_plan_of_more_people_than_one_transaction_takes_is_carried_out_whole(world: EngineWorld) -> None:
    entries = [ContactEntry(ContactFields(email=f"p{number}@example.org")) for number in range(501)]
    saved = await world.local.save_contacts(entries)
    plan = await world.approved(*(one.contact for one in saved))
    listed = world.local.list_sequences
    assert (await listed(SequenceFilter(status=SequenceStatus.ACTIVE))).total_count == 501
    later = world.under(spacing=1)
    later.worker().run_due(limit=1)
    renewed = await later.local.plans.get_plan(plan.id)
    assert (renewed.status, renewed.people) == (PlanStatus.WAITING, 501)
    refused = await later.local.plans.refuse_plan(plan.id, reason="enough", actor=Actor("terminal"))
    assert refused.status is PlanStatus.REFUSED
    assert (await listed(SequenceFilter(status=SequenceStatus.STOPPED_EARLY))).total_count == 501


async def test_a_decision_that_was_overtaken_is_not_carried_out(world: EngineWorld) -> None:
    plan = await world.plan(await world.contact("a@example.org"))
    overtaken = replace(plan, status=PlanStatus.APPROVED, decided_by=Actor("terminal"))
    apply_decision(world.store, overtaken, now=START)
    assert (await world.runs())[0].status is SequenceStatus.FOUND


async def test_a_text_of_a_plan_whose_start_a_crash_cut_short_is_rewritten_as_one_under_way(
    world: EngineWorld,
) -> None:
    plan = await world.plan(await world.contact("a@example.org"))
    world.store.approvals.record(plan.id, digest=plan.digest, actor=Actor("terminal"), now=START)
    decided = replace(plan, status=PlanStatus.APPROVED, decided_at=START, decided_by=Actor("terminal"))
    world.store.plans.update(decided, unsettled=True)
    (run,) = await world.runs()
    after = await world.local.rewrite_texts(run.id, {"s1": StepText(subject="Hi", content="Other words.")})
    assert (after.status, after.steps[0].state) == (SequenceStatus.WAITING_FOR_USER, StepState.HELD)
    assert world.worker().run_due() == 0


@of_a_file
@pytest.mark.parametrize(
    "limit", ["PRAGMA max_page_count = 1", "PRAGMA query_only = ON"], ids=["full", "read-only"]
)
def test_a_full_disk_and_a_read_only_file_say_so(world: EngineWorld, limit: str) -> None:
    with shell(world.store.workspace.folder) as other:
        other.execute(limit)
        with (
            pytest.raises(StoreUnwritableError, match="cannot be written"),
            translated(world.store.workspace.database),
        ):
            other.execute("CREATE TABLE more AS SELECT zeroblob(100000) AS space")


@of_a_file
async def test_rows_that_point_at_nothing_are_found_by_the_long_check(world: EngineWorld) -> None:
    await world.plan(await world.contact("a@example.org"))
    world.store.check()
    with shell(world.store.workspace.folder) as other:
        other.execute("UPDATE sequence SET contact_no = 99")
    with pytest.raises(StoreDamagedError, match="1 rows point at nothing"):
        world.store.check()
