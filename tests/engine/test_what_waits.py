"""What waits, and what nobody knows the outcome of, is counted anew where time alone has changed it."""

from __future__ import annotations

from datetime import timedelta
from threading import Event

import pytest
from tests.world.engine import MESSAGE, START, EngineWorld, FakeDelivery
from tests.world.stores import shell

from sequences_mcp.engine.machine import APPROVAL
from sequences_mcp.engine.operations import LEASE
from sequences_mcp.ports.embedded import CHANGE_LASTS, ToolCall
from sequences_mcp.ports.vendor import VendorWrite

A_MOMENT = timedelta(microseconds=1)
LINKED = "https://linkedin.com/in/ada"


@pytest.fixture
async def world(world: EngineWorld) -> EngineWorld:
    """A plan that waits for a day, and a task of somebody who is paused for two."""
    step = await world.blueprint(MESSAGE)
    await world.approved(await world.contact("ada@hopper.example", linkedin_url=LINKED), blueprint=step)
    world.worker(FakeDelivery()).run_due()
    await world.plan(await world.contact("grace@hopper.example"))
    await world.local.pause_sequence((await world.runs())[0].id, until=START + timedelta(days=2))
    return world


async def waiting_at(world: EngineWorld, since_start: timedelta) -> tuple[int, int, int]:
    """Return how many plans, tasks and changes wait then; nothing is committed."""
    before, world.clock.now = world.store.commits, START + since_start
    waiting = await world.local.records.waiting()
    changes = (await world.local.changes.waiting(page=1, size=5)).total_count
    assert (waiting.changes.number, world.store.commits) == (changes, before)
    return waiting.plans.number, waiting.tasks.number, changes


async def test_a_plan_no_longer_waits_and_a_task_does_again_once_their_time_has_come(world: EngineWorld) -> None:
    plan = (await world.local.plans.list_plans(page=1, size=5)).items[0]
    ends = plan.header.expires_at - START
    for since_start, waiting in (
        (ends, (0, 0, 0)),
        (timedelta(), (1, 0, 0)),  # a clock that was set back
        (ends - A_MOMENT, (1, 0, 0)),
        (ends, (0, 0, 0)),
        (timedelta(days=2) - A_MOMENT, (0, 0, 0)),
        (timedelta(days=2), (0, 1, 0)),
    ):
        assert (since_start, await waiting_at(world, since_start)) == (since_start, waiting)


async def test_a_change_that_was_asked_for_waits_for_a_day(world: EngineWorld) -> None:
    assert await waiting_at(world, timedelta()) == (1, 0, 0)
    await world.local.changes.ask("stop_sequence", "kalent:seq_1", arguments={}, earlier={})
    world.clock.now += timedelta(hours=1)
    await world.local.changes.ask("stop_sequence", "kalent:seq_2", arguments={}, earlier={})
    for since_start, changes in (
        (timedelta(hours=1), 2),
        (CHANGE_LASTS - A_MOMENT, 2),
        (CHANGE_LASTS, 1),
        (CHANGE_LASTS + timedelta(hours=1), 0),
        (timedelta(hours=2), 2),
    ):
        assert (since_start, (await waiting_at(world, since_start))[2]) == (since_start, changes)


async def test_an_operation_of_which_nothing_is_heard_becomes_unknown_by_itself(world: EngineWorld) -> None:
    operations = world.local.operations
    assert await operations.unknown(size=5) == []
    call = ToolCall("stop_sequence", None, "fingerprint")
    write = VendorWrite(call=call, provider="kalent", subject="kalent:seq_1", arguments={}, safe=True)
    begun = await operations.begin(write)
    for since_start, ids in (
        (timedelta(), []),
        (LEASE - A_MOMENT, []),
        (LEASE, [begun.operation.id]),
        (timedelta(), []),
    ):
        world.clock.now = START + since_start
        assert [operation.id for operation in await operations.unknown(size=5)] == ids
    await operations.mark_unknown(begun.operation.id, answer="nothing came back")
    world.clock.now = START - timedelta(days=1)
    assert [operation.id for operation in await operations.unknown(size=5)] == [begun.operation.id]


async def test_what_others_have_committed_counts_at_once(world: EngineWorld) -> None:
    """Also outside a snapshot, where a database on a server tells of commits: some moments after them."""
    for number in range(10):
        await world.local.changes.ask("stop_sequence", f"kalent:seq_{number}", arguments={}, earlier={})
    world.store.sleep(Event(), 0.05)  # begins to be told
    with shell(world.store.workspace.folder) as others:
        for left in reversed(range(10)):
            counts = world.store.waiting.counts(now=world.clock.now, not_because=APPROVAL)
            newest = world.store.changes.count_waiting(now=world.clock.now)
            assert (counts.changes.number, newest.number) == (left + 1, left + 1)
            others.execute("DELETE FROM asked_change WHERE no = (SELECT max(no) FROM asked_change)")
    assert world.store.waiting.counts(now=world.clock.now, not_because=APPROVAL).changes.number == 0
    assert world.store.changes.count_waiting(now=world.clock.now).number == 0
