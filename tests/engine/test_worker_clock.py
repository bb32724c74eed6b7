"""A clock that was ahead, or is behind: no wait computed from what it wrote lasts longer than it should."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.world.engine import EMAIL, LATER, MESSAGE, START, EngineWorld, FakeDelivery

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.plan import PlanStatus
from sequences_mcp.domain.run import SequenceStatus, StepState
from sequences_mcp.engine.cleanup import was_ahead
from sequences_mcp.engine.machine import APPROVAL
from sequences_mcp.errors import ApprovalError
from sequences_mcp.ports.embedded import ToolCall

AHEAD = timedelta(days=400)


async def sent_while_the_clock_is_ahead(world: EngineWorld) -> None:
    """Send a first e-mail with a clock that is 400 days ahead, then set the clock right."""
    blueprint = await world.blueprint(EMAIL, LATER)
    world.clock.now = START + AHEAD
    await world.approved(await world.contact("a@example.org"), blueprint=blueprint)
    world.worker().run_due()
    world.clock.now = START + timedelta(minutes=5)
    await world.approved(await world.contact("b@example.net"))


async def test_the_mailbox_opens_again_after_its_spacing(world: EngineWorld) -> None:
    limited = world.under(spacing=60, daily_cap=50)
    await sent_while_the_clock_is_ahead(limited)
    worker = limited.worker()
    assert worker.run_due() == 0
    limited.clock.forward(seconds=90)  # the spacing, and at most half as much again
    assert worker.run_due() == 1
    assert limited.store.audit.verify() is None


async def test_the_daily_cap_counts_what_left_then_as_left_now(world: EngineWorld) -> None:
    limited = world.under(daily_cap=1)
    await sent_while_the_clock_is_ahead(limited)
    worker = limited.worker()
    assert worker.run_due() == 0
    limited.clock.forward(hours=23)
    assert worker.run_due() == 0
    limited.clock.forward(hours=1)
    assert worker.run_due() == 1


async def test_the_next_step_waits_its_delay_from_now(world: EngineWorld) -> None:
    await sent_while_the_clock_is_ahead(world)
    worker = world.worker()
    worker.run_due()
    world.clock.forward(days=3, minutes=-1)
    assert worker.run_due() == 0
    world.clock.forward(minutes=1)
    worker.run_due()
    assert (await world.runs())[0].status is SequenceStatus.COMPLETED


@pytest.mark.parametrize("point", ["claimed", "handed_over"])
async def test_the_lease_of_a_worker_that_died_then_ends_as_soon_as_any_other(
    world: EngineWorld, point: str
) -> None:
    def die(here: str) -> None:
        if here == point:
            raise KeyboardInterrupt  # as final for a worker as a kill

    contact = await world.contact("a@example.org")
    world.clock.now = START + AHEAD
    await world.approved(contact)
    with pytest.raises(KeyboardInterrupt):
        world.worker(at=die).run_due()
    world.clock.now = START + timedelta(minutes=1)
    worker = world.worker()
    worker.run_due()
    world.clock.forward(minutes=11)
    worker.run_due()
    expected = StepState.SENT if point == "claimed" else StepState.UNKNOWN
    assert (await world.runs())[0].steps[0].state is expected


async def test_a_retry_and_a_rest_that_began_then_do_not_wait_for_that_day(world: EngineWorld) -> None:
    from tests.engine.test_worker_sending import DEFERRED

    contact = await world.contact("a@example.org")
    world.clock.now = START + AHEAD
    await world.approved(contact)
    world.worker(FakeDelivery(before=DEFERRED)).run_due()
    world.clock.now = START + timedelta(minutes=1)
    assert world.store.mailboxes.resting("ada@example.com", now=world.clock.now) is None
    world.worker().run_due()
    assert (await world.runs())[0].steps[0].state is StepState.SENT


async def test_a_persons_pause_stays_until_its_own_day_and_tasks_count_as_waiting_since_now(
    world: EngineWorld,
) -> None:
    step = await world.blueprint(MESSAGE)
    await world.approved(
        await world.contact("a@example.org", linkedin_url="https://linkedin.com/in/a"), blueprint=step
    )
    await world.approved(await world.contact("b@example.net"))
    until = START + timedelta(days=10)
    await world.local.pause_sequence((await world.runs())[1].id, until=until)
    world.clock.now = START + timedelta(days=2)
    world.worker().run_due()
    world.clock.now = START + timedelta(minutes=1)
    world.worker().run_due()
    assert (await world.runs())[1].paused_until == until
    tasks = world.store.waiting.counts(now=world.clock.now, not_because=APPROVAL).tasks
    assert tasks.number == 1
    assert tasks.since is not None and tasks.since <= world.clock.now


async def test_a_plan_made_while_the_clock_was_ahead_waits_for_a_person_no_longer_than_any_other(
    world: EngineWorld,
) -> None:
    contact = await world.contact("a@example.org")
    world.clock.now = START + AHEAD
    plan = await world.plan(contact)
    world.clock.now = START + timedelta(minutes=1)
    world.worker().run_due()
    present = await world.local.plans.get_plan(plan.id)
    assert present.header.expires_at == world.clock.now + timedelta(hours=24)
    with pytest.raises(ApprovalError):
        await world.local.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("terminal"))
    assert (await world.local.plans.approve_plan(plan.id, digest=present.digest, actor=Actor("terminal"))).digest
    other = await world.plan(await world.contact("b@example.org"))
    world.clock.now += timedelta(hours=25)
    world.worker().run_due()
    assert (await world.local.plans.get_plan(other.id)).status is PlanStatus.EXPIRED
    assert world.store.audit.verify() is None


async def test_a_call_answered_while_the_clock_was_ahead_is_repeated_for_no_longer_than_any_other(
    world: EngineWorld,
) -> None:
    ledger, call = world.local.ledger, ToolCall("start_sequence", "monday", "mark", derived=True)
    contact = await world.contact("a@example.org")
    world.clock.now = START + AHEAD
    await world.approved(contact)
    await ledger.record(call, "told")
    world.clock.now = START + timedelta(minutes=1)
    world.worker().run_due()
    assert await ledger.recall(call) == "told"
    world.clock.now += timedelta(hours=25)
    assert await ledger.recall(call) is None


def at(*days: float) -> list[datetime]:
    """Return instants, the newest record first."""
    return [START + timedelta(days=day) for day in days]


AHEADS = {
    "one record of the future": (at(400, 0, -1), True),
    "a whole week of the future": (at(407, 404, 400, 0, -1), True),
    "ahead after a month of silence": (at(60, -30), True),
    "ahead by an hour": (at(1 / 24, -0.01), True),
    "right": (at(-1, -2), False),
    "behind: a record for each of the last days": (at(5, 4, 3, 2, 1, 0.2, -0.1, -1), False),
    "behind: before everything there is": (at(5, 4, 3), False),
    "nothing yet": ([], False),
}


@pytest.mark.parametrize(("instants", "expected"), AHEADS.values(), ids=AHEADS.keys())
def test_a_clock_that_was_ahead_is_told_from_one_that_is_behind(instants: list[datetime], expected: bool) -> None:
    assert was_ahead(instants, START) is expected


async def test_a_clock_that_is_behind_changes_nothing_and_what_is_due_waits_for_it(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"), blueprint=await world.blueprint(EMAIL, LATER))
    world.worker().run_due()
    before = await world.runs()
    world.clock.now = START - timedelta(days=30)
    assert world.worker().run_due() == 0
    assert await world.runs() == before
    world.clock.now = START + timedelta(days=3)
    world.worker().run_due()
    assert (await world.runs())[0].status is SequenceStatus.COMPLETED
