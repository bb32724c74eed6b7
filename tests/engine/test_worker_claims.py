"""What the worker asks again before it takes anything, and that one run's trouble is not another's."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from tests.world.engine import EMAIL, LATER, MESSAGE, START, EngineWorld, FakeDelivery
from tests.world.stores import open_store, shell

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.blueprint import Channel, Policy
from sequences_mcp.domain.plan import PlanStatus
from sequences_mcp.domain.run import Leaving, SequenceStatus, StepState
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.engine.claim import examine_step
from sequences_mcp.engine.events import Tick
from sequences_mcp.engine.supervisor import MAILBOX, Heartbeat
from sequences_mcp.errors import StoreBusyError

SKIPPING = MESSAGE.model_copy(update={"policy": Policy(skip_step_if_no_contact=True)})


async def start(world: EngineWorld, count: int = 1, **facts: str) -> None:
    blueprint = await world.blueprint(EMAIL)
    people = [await world.contact(f"p{number}@company{number}.example", **facts) for number in range(count)]
    await world.approved(*people, blueprint=blueprint)


async def states(world: EngineWorld) -> list[StepState]:
    return [run.steps[0].state for run in await world.runs()]


async def test_an_email_waits_for_the_window_on_the_contacts_own_clock(world: EngineWorld) -> None:
    office = world.under(window="Mon-Fri 08:00-19:00")
    await start(office, time_zone="America/New_York")
    office.worker().run_due()
    (detail,) = await office.details()
    opens = datetime(2026, 11, 23, 13, tzinfo=START.tzinfo)
    assert (detail.sequence.status, detail.outlook.next_at) == (SequenceStatus.ACTIVE, opens)
    assert "window" in detail.outlook.why
    assert office.worker().run_due() == 0
    office.clock.now = opens
    office.worker().run_due()
    assert await states(office) == [StepState.SENT]


async def test_spacing_and_the_daily_cap_hold_in_any_24_hours(world: EngineWorld) -> None:
    limited = world.under(spacing=60, daily_cap=3)
    await start(limited, 5)
    worker, sent = limited.worker(), []
    for _ in range(26 * 60):
        if worker.run_due():
            sent.append(limited.clock.now)
        limited.clock.forward(minutes=1)
    pauses = [after - before for before, after in pairwise(sent)]
    assert len(sent) == 5
    assert all(timedelta(minutes=1) <= pauses[place] <= timedelta(minutes=2) for place in (0, 1, 3))
    assert timedelta(hours=24) <= sent[3] - sent[0] <= timedelta(hours=24, minutes=1)
    assert sent[4] - sent[1] >= timedelta(hours=24)


async def test_an_email_that_was_not_accepted_uses_up_nothing_of_the_day_but_keeps_the_spacing(
    world: EngineWorld,
) -> None:
    from tests.engine.test_worker_sending import LATER_FOR_ONE

    limited = world.under(spacing=3600, daily_cap=1)
    await start(limited, 2)
    limited.worker(FakeDelivery(before=LATER_FOR_ONE)).run_due()
    assert limited.worker().run_due() == 0
    limited.clock.forward(hours=1, minutes=30)
    limited.worker().run_due(limit=1)
    assert sorted(await states(limited)) == [StepState.HELD, StepState.SENT]


async def test_a_full_mailbox_does_not_keep_other_channels_waiting(world: EngineWorld) -> None:
    limited = world.under(daily_cap=1)
    await start(limited, 20)
    blueprint = await limited.blueprint(MESSAGE)
    person = await limited.contact("z@example.org", linkedin_url="https://linkedin.com/in/z")
    await limited.approved(person, blueprint=blueprint)
    assert limited.worker().run_due() == 2
    assert (await limited.local.list_tasks(page=1, size=10)).total_count == 1
    assert (await states(limited)).count(StepState.SENT) == 1


async def test_a_step_without_an_address_is_skipped_or_held_as_its_policy_says(world: EngineWorld) -> None:
    for step in (SKIPPING, MESSAGE):
        await world.approved(
            await world.contact(f"{step.policy.skip_step_if_no_contact}@example.org".lower()),
            blueprint=await world.blueprint(step),
        )
    world.worker().run_due()
    assert await states(world) == [StepState.SKIPPED, StepState.HELD]


async def test_the_guards_see_the_rendered_text_and_a_persons_yes_to_it_stands(world: EngineWorld) -> None:
    await start(world)
    seen: list[str | None] = []

    def suspicious(text: Leaving) -> str | None:
        seen.append(text.run.content)
        return None if text.is_approved else "the name looks like a placeholder"

    worker = world.worker(check=suspicious)
    worker.run_due()
    assert seen == ["Hello there."]
    (draft,) = (await world.local.list_drafts(plan_id=None, page=1, size=10)).items
    assert (draft.why, draft.run.reason) == ("held", "the name looks like a placeholder")
    await world.local.approve_draft(draft.id, digest=draft.digest, actor=Actor("terminal"))
    worker.run_due()
    assert await states(world) == [StepState.SENT]


async def test_a_yes_to_one_text_does_not_skip_what_the_guards_refuse(world: EngineWorld) -> None:
    await start(world)
    worker = world.worker(check=lambda *_: "this is refused")
    for _ in range(2):
        worker.run_due()
        assert (await states(world), world.mails) == ([StepState.HELD], [])
        (draft,) = (await world.local.list_drafts(plan_id=None, page=1, size=10)).items
        await world.local.approve_draft(draft.id, digest=draft.digest, actor=Actor("terminal"))


async def test_an_address_that_changed_since_the_approval_holds_the_email(world: EngineWorld) -> None:
    person = await world.contact("old@example.org", phone="+33612345678")
    await world.approved(person, blueprint=await world.blueprint(LATER))
    await world.contact("new@example.org", of=person.id)
    world.clock.forward(days=3)
    world.worker().run_due()
    (run,) = await world.runs()
    assert run.steps[0].state is StepState.HELD
    assert "old@example.org" in (run.steps[0].reason or "")
    assert "new@example.org" in (run.steps[0].reason or "")


FORGERIES = {
    "a text": "UPDATE step_run SET content = 'Buy now!'",
    "a recipient": "UPDATE step_run SET recipient = 'victim@example.org'",
    "a time zone": "UPDATE sequence SET time_zone = 'Asia/Tokyo'",
    "the list of digests": "UPDATE plan_texts SET digests = zeroblob(32)",
    "the approval": "DELETE FROM approval",
    "the plan's digest": "UPDATE plan SET digest = hex(zeroblob(32))",
    "the plan's expiry": "UPDATE plan SET expires_at = expires_at + 1",
    "the plan's status": "UPDATE plan SET status = 'waiting'",
}


@pytest.mark.parametrize("forged", FORGERIES)
async def test_nothing_leaves_when_what_was_approved_was_changed_in_the_database(
    world: EngineWorld, forged: str
) -> None:
    await start(world)
    with shell(world.store.workspace.folder) as other:
        triggers = other.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for (trigger,) in triggers:
            other.execute(f"DROP TRIGGER {trigger}")
        other.execute(FORGERIES[forged])
    delivery = FakeDelivery()
    world.worker(delivery).run_due()
    assert delivery.messages == []
    assert await states(world) == [StepState.HELD]


async def test_examining_a_step_decides_what_becomes_of_its_plan_and_writes_nothing(world: EngineWorld) -> None:
    await start(world)
    (run,) = await world.runs()
    worker = world.worker()
    now = world.clock.now + timedelta(days=30)
    tick = Tick(lease=1, lease_expires_at=now + timedelta(minutes=2))
    with world.store.snapshot():  # in which a transaction is an error
        in_time = examine_step(world.store, run, run.steps[0], tick=tick, rules=worker.rules, now=world.clock.now)
        late = examine_step(world.store, run, run.steps[0], tick=tick, rules=worker.rules, now=now)
    assert in_time.message is not None and in_time.voided is None
    assert late.message is None and "days ago" in (late.tick.blocked or "")
    assert late.voided is not None and late.voided.status is PlanStatus.VOID
    assert (await world.local.plans.get_plan(run.plan_id)).status is PlanStatus.APPROVED


async def test_changed_settings_hold_everything_until_they_are_back_and_void_nothing(world: EngineWorld) -> None:
    await start(world, 3)
    later = world.under(sender_name="Eve")
    later.worker().run_due()
    [plan] = (await later.local.plans.list_plans(page=1, size=10)).items
    assert (plan.status, set(await states(later))) == (PlanStatus.WAITING, {StepState.HELD})
    changed = "approved for other settings: sender name was 'Ada Lovelace' and is now 'Eve'"
    assert changed in (plan.reason or "")
    assert {run.steps[0].reason for run in await later.runs()} == {f"approval: {changed}"}
    assert (await world.local.plans.get_plan(plan.id)).status is PlanStatus.APPROVED
    world.worker().run_due()
    assert set(await states(world)) == {StepState.SENT}


async def test_a_worker_of_another_sender_or_way_out_leaves_runs_alone_and_says_so_once(
    world: EngineWorld, caplog: pytest.LogCaptureFixture
) -> None:
    await start(world, 3)
    before = await world.runs()
    for other in (world.under(sender_address="eve@example.com"), world.under(delivery="smtp://mail.example:587")):
        caplog.clear()
        worker = other.worker()
        worker.run_due()
        worker.run_due()
        assert await world.runs() == before
        [said] = caplog.messages
        assert "approved for other settings" in said and "left alone" in said
    world.worker().run_due()
    assert set(await states(world)) == {StepState.SENT}


async def test_a_lease_that_ended_is_noted_whoever_looks(world: EngineWorld) -> None:
    await start(world)
    lost = FakeDelivery(after=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        world.worker(lost).run_due()
    world.clock.forward(hours=1)
    world.under(sender_address="eve@example.com").worker().run_due()
    assert await states(world) == [StepState.UNKNOWN]


async def test_beside_a_worker_with_the_approved_settings_another_one_holds_nothing(world: EngineWorld) -> None:
    await start(world)
    folder, terms = world.store.workspace.folder, world.terms
    Heartbeat(Workspace(folder), MAILBOX, world.clock, serves=(terms.fingerprint,), store=world.store).beat()
    later = world.under(spacing=9)
    later.worker().run_due()
    assert await states(later) == [StepState.PLANNED]
    assert (await later.local.plans.list_plans(page=1, size=10)).items == ()


async def test_a_text_that_cannot_be_composed_is_held_for_a_person(world: EngineWorld) -> None:
    broken = EMAIL.model_copy(update={"subject": "Hi\r\nBcc: everybody@example.org"})
    await world.approved(await world.contact("a@example.org"), blueprint=await world.blueprint(broken))
    delivery = FakeDelivery()
    world.worker(delivery).run_due()
    assert (delivery.messages, await states(world)) == ([], [StepState.HELD])


async def test_a_fault_in_one_run_holds_that_run_and_no_other(
    world: EngineWorld, caplog: pytest.LogCaptureFixture
) -> None:
    await start(world, 3)
    caplog.set_level(logging.CRITICAL)

    def faulty(text: Leaving) -> None:
        if text.contact.email == "p1@company1.example":
            raise ZeroDivisionError

    world.worker(check=faulty).run_due()
    assert await states(world) == [StepState.SENT, StepState.HELD, StepState.SENT]
    (draft,) = (await world.local.list_drafts(plan_id=None, page=1, size=10)).items
    assert "the engine failed on it" in (draft.run.reason or "")


async def test_a_run_that_cannot_even_be_read_leaves_the_schedule_and_no_other_suffers(
    world: EngineWorld, caplog: pytest.LogCaptureFixture
) -> None:
    await start(world, 3)
    caplog.set_level(logging.CRITICAL)
    with shell(world.store.workspace.folder) as other:
        other.execute("UPDATE sequence SET variables = 'not JSON' WHERE ordinal = 0")
    world.worker().run_due()
    with shell(world.store.workspace.folder) as other:
        rows = other.execute("SELECT next_run_at, status FROM sequence ORDER BY ordinal").fetchall()
    assert rows == [(None, "ACTIVE"), (None, "COMPLETED"), (None, "COMPLETED")]


async def test_a_run_that_is_due_with_nothing_to_do_does_not_keep_the_worker_busy(
    world: EngineWorld, caplog: pytest.LogCaptureFixture
) -> None:
    await start(world, 2)
    caplog.set_level(logging.CRITICAL)
    with shell(world.store.workspace.folder) as other:
        other.execute("UPDATE sequence SET anchor = anchor + 3600000000 WHERE ordinal = 0")
    assert world.worker().run_due() == 3
    with shell(world.store.workspace.folder) as other:
        assert other.execute("SELECT next_run_at FROM sequence ORDER BY ordinal").fetchall() == [(None,), (None,)]
    assert await states(world) == [StepState.PLANNED, StepState.SENT]


async def test_a_fault_of_the_channel_leaves_the_decision_to_the_lease(
    world: EngineWorld, caplog: pytest.LogCaptureFixture
) -> None:
    await start(world, 2)
    caplog.set_level(logging.CRITICAL)
    world.worker(FakeDelivery(before=ZeroDivisionError())).run_due(limit=1)
    world.worker(FakeDelivery(after=ZeroDivisionError())).run_due(limit=1)
    assert await states(world) == [StepState.CLAIMED, StepState.HANDED_OVER]
    world.clock.forward(seconds=660)
    world.worker().run_due()
    assert await states(world) == [StepState.SENT, StepState.UNKNOWN]


async def test_a_busy_database_stops_nothing_for_good(world: EngineWorld) -> None:
    await start(world)
    with shell(world.store.workspace.folder) as other:
        other.hold()
        with pytest.raises(StoreBusyError):
            world.worker().run_due()
    world.worker().run_due()
    assert await states(world) == [StepState.SENT]


async def test_a_worker_in_a_thread_sends_what_another_thread_approves_and_stops_when_told(
    world: EngineWorld,
) -> None:
    stop, sent = threading.Event(), threading.Event()

    def told(point: str) -> None:
        if point == "sent":
            sent.set()

    def work() -> None:
        with open_store(world.store.workspace.folder, now=START) as own:
            EngineWorld(world.folder, own, world.clock, world.terms).worker(at=told, poll=0.02).run(stop)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        await start(world)
        assert sent.wait(timeout=60)
    finally:
        stop.set()
        thread.join(timeout=60)
    assert not thread.is_alive()
    assert await states(world) == [StepState.SENT]


async def test_leases_only_ever_rise(world: EngineWorld) -> None:
    await start(world, 3)
    world.worker().run_due(limit=2)
    given = world.store.attempts.next_lease()
    assert given >= 3
    world.clock.forward(days=1)
    world.worker().run_due()
    assert sorted(run.steps[0].lease or 0 for run in await world.runs()) == [0, 0, 0]
    assert world.store.attempts.next_lease() > given


async def test_another_channel_becomes_a_task_with_the_approved_text_only(world: EngineWorld) -> None:
    sms = MESSAGE.model_copy(update={"type": Channel.SMS, "linked_in_type": None})
    await world.approved(await world.contact(phone="+33612345678"), blueprint=await world.blueprint(sms))
    later = world.under(sender_name="Eve")
    later.worker().run_due()
    assert (await later.local.list_tasks(page=1, size=10)).total_count == 0
    assert await states(later) == [StepState.HELD]
