"""The clock on Temporal: the timers are a workflow's, the database says what is due, nobody is mailed twice."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkerDeploymentVersion
from temporalio.worker import Worker as TemporalWorker
from temporalio.worker import WorkerDeploymentConfig
from tests.secrecy import planted
from tests.secrecy.hearing import heard
from tests.world.engine import EMAIL, LATER, AtTheDot, EngineWorld
from tests.world.mail_servers import CALM, free_port, mail_server
from tests.world.temporal import (
    ServedProcess,
    SkippingServer,
    dev_server,
    needs_skipping,
    needs_temporal,
    skipping_server,
    until,
)

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.blueprint import Delay, DelayUnit, Step
from sequences_mcp.domain.run import ReplyKind, Run, StopReason, StopScope
from sequences_mcp.domain.sender import Secret
from sequences_mcp.engine.channels.message import ComposedMessage, Receipt
from sequences_mcp.engine.channels.smtp import deliver_by_smtp
from sequences_mcp.engine.supervisor import worker_states
from sequences_mcp.engine.temporal import TemporalAddress
from sequences_mcp.engine.temporal.calls import ReadingCalls, TaskQueues, ThreadCalls
from sequences_mcp.engine.temporal.client import temporal_client
from sequences_mcp.engine.temporal.clock import (
    ATTRIBUTES,
    RunSignals,
    has_attributes,
    reconcile,
    register_attributes,
)
from sequences_mcp.engine.temporal.workflow import LOOK, ComingAnswer, RunWorkflow, WorkflowRequest
from sequences_mcp.engine.troubles import troubles
from sequences_mcp.errors import ClockUnavailableError
from sequences_mcp.ports.embedded import StepText
from sequences_mcp.store.unit_of_work import Store

pytestmark = needs_skipping
WEEK = LATER.model_copy(update={"id": "s3", "name": "Last", "delay": Delay(value=7, unit=DelayUnit.DAY)})


@pytest.fixture
def temporal() -> Iterator[SkippingServer]:
    """A server of Temporal that skips time."""
    with skipping_server() as server:
        yield server


@pytest.fixture
def timed(world: EngineWorld, temporal: SkippingServer) -> EngineWorld:
    """The world at the time of the server."""
    world.clock.now = temporal.now()
    return world


def forward(world: EngineWorld, temporal: SkippingServer, **span: float) -> None:
    """Let time pass for both."""
    temporal.forward(**span)
    world.clock.now = temporal.now()


def forward_until(world: EngineWorld, temporal: SkippingServer, done: Callable[[], bool], *, days: int) -> None:
    """Let days pass, then one a second, ten at most: a workflow may set its timer when time has gone on."""
    forward(world, temporal, days=days)
    more, since = 10, time.monotonic()

    def is_done() -> bool:
        nonlocal more, since
        if done():
            return True
        if more and time.monotonic() - since > 1.0:
            forward(world, temporal, days=1)
            more, since = more - 1, time.monotonic()
        return False

    until(is_done)


async def begun(world: EngineWorld, *steps: Step) -> str:
    """Approve a start of one person; return their run's id."""
    ann = await world.contact("ann@example.org")
    await world.approved(ann, blueprint=await world.blueprint(*(steps or (EMAIL, LATER))))
    [run] = await world.runs()
    return run.id


def served(
    world: EngineWorld, temporal: SkippingServer, deliver: Callable[..., Receipt], **more: object
) -> ServedProcess:
    """Return a process that is served by the server."""
    given: dict[str, Any] = {"world": world, "target": temporal.target, "now": temporal.now, **more}
    return ServedProcess(deliver=deliver, **given)


def status_of(temporal: SkippingServer, workflow_id: str) -> str:
    """Return how a workflow is."""
    handle = temporal.client().get_workflow_handle(workflow_id)
    found = temporal.loop.run(handle.describe()).status
    return found.name if found else ""


async def run_of(world: EngineWorld) -> Run:
    """Return the only run."""
    [run] = await world.runs()
    return run


async def test_three_steps_over_ten_days_leave_by_smtp_each_once(
    timed: EngineWorld, temporal: SkippingServer
) -> None:
    run_id = await begun(timed, EMAIL, LATER, WEEK)
    with mail_server() as running:
        deliver = partial(deliver_by_smtp, running.server(), timeouts=CALM)
        with served(timed, temporal, deliver):
            until(lambda: len(running.inbox.taken) == 1)
            forward_until(timed, temporal, lambda: len(running.inbox.taken) == 2, days=4)
            forward_until(timed, temporal, lambda: status_of(temporal, run_id) == "COMPLETED", days=8)
            assert len(running.inbox.taken) == 3
            assert [step.state for step in (await run_of(timed)).steps] == ["sent", "sent", "sent"]


async def test_a_pause_outlasts_the_timer_and_a_resumed_run_goes_on_at_its_time(
    timed: EngineWorld, temporal: SkippingServer
) -> None:
    run_id, delivery = await begun(timed), AtTheDot()
    with served(timed, temporal, delivery):
        until(lambda: len(delivery.messages) == 1)
        await timed.local.pause_sequence(run_id, until=timed.clock.now + timedelta(days=60))
        forward(timed, temporal, days=2)
        await timed.local.resume_sequence(run_id)
        assert len(delivery.messages) == 1
        forward_until(timed, temporal, lambda: status_of(temporal, run_id) == "COMPLETED", days=4)
    assert len(delivery.messages) == 2


@pytest.mark.parametrize("ending", ["stop", "reply"])
async def test_a_run_that_is_stopped_or_answered_ends_its_workflow_and_sends_nothing_more(
    timed: EngineWorld, temporal: SkippingServer, ending: str
) -> None:
    run_id, delivery = await begun(timed), AtTheDot()
    with served(timed, temporal, delivery):
        until(lambda: len(delivery.messages) == 1)
        if ending == "stop":
            await timed.local.stop_sequence(run_id, reason=StopReason.LOSE, scope=StopScope.CONTACT)
        else:
            await timed.local.record_reply((await run_of(timed)).contact_id, ReplyKind.REPLIED)
        until(lambda: status_of(temporal, run_id) == "COMPLETED")
        forward(timed, temporal, days=30)
    assert len(delivery.messages) == 1


async def test_a_text_that_was_edited_waits_for_its_approval_and_leaves_as_edited(
    timed: EngineWorld, temporal: SkippingServer
) -> None:
    run_id, delivery = await begun(timed), AtTheDot()
    with served(timed, temporal, delivery):
        until(lambda: len(delivery.messages) == 1)
        await timed.local.rewrite_texts(run_id, {"s2": StepText(subject="Hi again", content="Another one.")})
        forward_until(
            timed, temporal, lambda: timed.store.runs.by_ids([run_id])[0].steps[1].state == "held", days=4
        )
        [draft] = (await timed.local.list_drafts(plan_id=None, page=1, size=10)).items
        await timed.local.approve_draft(draft.id, digest=draft.digest, actor=Actor("tester"))
        until(lambda: len(delivery.messages) == 2)
    assert b"Another one." in delivery.messages[1].data


async def test_two_workflows_and_two_processes_for_one_run_mail_once(
    timed: EngineWorld, temporal: SkippingServer
) -> None:
    run_id, delivery = await begun(timed), AtTheDot()
    queue = TaskQueues.of_database(timed.store).workflows
    with served(timed, temporal, delivery, name="a"), served(timed, temporal, delivery, name="b"):
        twins = [
            temporal.loop.run(
                temporal.client().start_workflow(
                    RunWorkflow.run, WorkflowRequest(run_id), id=f"twin {number}", task_queue=queue
                )
            )
            for number in range(4)
        ]
        until(lambda: len(delivery.messages) == 1)
        forward_until(
            timed, temporal, lambda: {status_of(temporal, twin.id) for twin in twins} == {"COMPLETED"}, days=4
        )
    assert len(delivery.messages) == 2
    assert timed.store.audit.verify() is None


async def test_without_temporal_what_holds_back_counts_and_what_waits_is_told(
    world: EngineWorld,
) -> None:
    run_id, delivery = await begun(world), AtTheDot()
    target = f"127.0.0.1:{free_port()}"
    with ServedProcess(world=world, target=target, now=world.clock, deliver=delivery):
        until(lambda: any(state.error for state in worker_states(world.store, now=world.clock.now)))
        [trouble] = [
            item
            for item in troubles(
                world.store,
                now=world.clock.now,
                mailboxes={world.terms: None},
                states=worker_states(world.store, now=world.clock.now),
            )
            if item.code == "worker_in_trouble"
        ]
        assert f"Temporal at {target} has not answered since 2026-11-23 09:00:00 UTC" in trouble.what
        assert "1 due run waits" in trouble.what
        stopped = await world.local.stop_sequence(run_id, reason=StopReason.LOSE, scope=StopScope.CONTACT)
        assert stopped[0].sequence.status == "STOPPED_EARLY"
    assert not delivery.messages


@needs_temporal
async def test_reconciling_begins_what_was_terminated_by_hand_and_ends_what_has_no_live_run(
    world: EngineWorld, tmp_path: Path
) -> None:
    run_id, delivery = await begun(world, EMAIL, LATER), AtTheDot()
    with dev_server(tmp_path) as server:
        address = TemporalAddress(server.target)
        with ServedProcess(world=world, target=server.target, now=world.clock, deliver=delivery):
            until(lambda: len(delivery.messages) == 1)
            client = await temporal_client(address)
            queues = TaskQueues.of_database(world.store)
            await client.get_workflow_handle(run_id).terminate("by hand")
            listed = RunSignals(client, queues)
            await until_true(lambda: _is_listed(listed, set()))
            tally = await reconcile(address, world.store)
            assert (tally.live, tally.missing, tally.ended) == (1, 1, 0)
            await until_true(lambda: _is_listed(listed, {run_id}))
            assert (await reconcile(address, world.store)).missing == 0
        await world.local.stop_sequence(run_id, reason=StopReason.LOSE, scope=StopScope.CONTACT)
        world.clock.forward(minutes=1)  # nobody served: the next process tells what changed meanwhile
        with ServedProcess(world=world, target=server.target, now=world.clock, deliver=delivery, name="next"):
            await until_true(lambda: _is_listed(listed, set()))
        gone = "local:seq_00000000000000000000000000"  # a workflow of a run that is not in the database
        await client.start_workflow(RunWorkflow.run, WorkflowRequest(gone), id=gone, task_queue=queues.workflows)
        await until_true(lambda: _is_listed(listed, {gone}))
        assert (await reconcile(address, world.store)).ended == 1
        await until_true(lambda: _is_listed(listed, set()))


@needs_temporal
async def test_a_workflow_is_searched_for_by_ids_and_begins_also_where_they_are_not_registered(
    world: EngineWorld, tmp_path: Path
) -> None:
    run_id, delivery = await begun(world), AtTheDot()
    entry = world.store.schedule.of_run(run_id)
    assert entry is not None
    with dev_server(tmp_path) as server:
        address = TemporalAddress(server.target)
        client = await temporal_client(address)
        queues = TaskQueues.of_database(world.store)
        assert not await has_attributes(client)
        # one that reads of attributes that are there no more begins the workflow all the same
        await RunSignals(client, queues, has_attributes=True).begin([entry], changed=False)
        await client.get_workflow_handle(run_id).terminate()
        assert await register_attributes(address) == list(ATTRIBUTES)
        assert await register_attributes(address) == []
        assert (await reconcile(address, world.store)).missing == 1
        running = f"{ATTRIBUTES[0]} = '{entry.plan_id}' AND ExecutionStatus = 'Running'"
        await until_true(lambda: _finds(client, running, run_id))
        with ServedProcess(world=world, target=server.target, now=world.clock, deliver=delivery):
            until(lambda: len(delivery.messages) == 1)
        ids = (entry.plan_id, entry.blueprint_id, entry.contact_id)
        for name, value in zip(ATTRIBUTES, ids, strict=True):
            await until_true(lambda name=name, value=value: _finds(client, f"{name} = '{value}'", run_id))  # type: ignore[misc]
        history = (await client.get_workflow_handle(run_id).fetch_history()).to_json()
        assert "example.org" not in history and "Ann" not in history


async def _finds(client: Client, query: str, workflow_id: str) -> bool:
    return workflow_id in {flow.id async for flow in client.list_workflows(query)}


@needs_temporal
async def test_a_process_that_begins_ends_the_workflow_of_a_run_whose_end_it_was_never_told(
    world: EngineWorld, tmp_path: Path
) -> None:
    run_id, delivery = await begun(world), AtTheDot()
    with dev_server(tmp_path) as server:
        client = await temporal_client(TemporalAddress(server.target))
        listed = RunSignals(client, TaskQueues.of_database(world.store))
        with ServedProcess(world=world, target=server.target, now=world.clock, deliver=delivery):
            until(lambda: len(delivery.messages) == 1)
            await until_true(lambda: _is_listed(listed, {run_id}))
        await world.local.stop_sequence(run_id, reason=StopReason.LOSE, scope=StopScope.CONTACT)
        world.store.schedule.begin_feed(anew=True)  # as after an older backup: what happened is passed over
        with ServedProcess(world=world, target=server.target, now=world.clock, deliver=delivery, name="next"):
            await until_true(lambda: _is_listed(listed, set()))
        ended = await client.get_workflow_handle(run_id).describe()
        assert ended.status is WorkflowExecutionStatus.COMPLETED


async def _is_listed(signals: RunSignals, ids: set[str]) -> bool:
    return await signals.under_way() == ids


async def until_true(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what only becomes visible after a while, as long as the slowest machine may take."""
    async with asyncio.timeout(120):
        while not await condition():
            await asyncio.sleep(0)


async def test_a_long_history_goes_on_as_a_new_workflow_of_the_same_id(
    timed: EngineWorld, temporal: SkippingServer
) -> None:
    run_id, delivery = await begun(timed, EMAIL, LATER, WEEK), AtTheDot()
    with served(timed, temporal, delivery, most_events=8):
        until(lambda: len(delivery.messages) == 1)
        first = temporal.loop.run(temporal.client().get_workflow_handle(run_id).describe()).run_id
        forward_until(timed, temporal, lambda: status_of(temporal, run_id) == "COMPLETED", days=12)
        last = temporal.loop.run(temporal.client().get_workflow_handle(run_id).describe()).run_id
    assert last != first
    assert len(delivery.messages) == 3


async def test_a_process_that_is_told_to_stop_lets_the_email_under_way_end(
    timed: EngineWorld, temporal: SkippingServer
) -> None:
    await begun(timed)
    reached, go_on = threading.Event(), threading.Event()

    def slow(message: ComposedMessage, *, before_dot: Callable[[], None]) -> Receipt:
        before_dot()
        reached.set()
        go_on.wait(60)
        return Receipt("250 taken")

    process = served(timed, temporal, slow)
    with process:
        await asyncio.to_thread(reached.wait, 60)
        process.stop.set()
        go_on.set()
    assert (await run_of(timed)).steps[0].state == "sent"


async def test_a_key_is_in_no_error_and_is_never_sent_unencrypted() -> None:
    key, heads = planted.BAD_SETTING.value, list[bytes]()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.read(3))
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        address = TemporalAddress(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", api_key=Secret(key))
        with pytest.raises(ClockUnavailableError) as caught:
            await temporal_client(address)
    assert key not in f"{caught.value!s} {caught.value!r} {caught.value.__cause__!r} {address!r}"
    assert heads and all(head[:2] == b"\x16\x03" for head in heads)  # a TLS handshake each


@needs_temporal
async def test_an_hour_without_temporal_delays_what_is_due_and_neither_loses_nor_repeats_anything(
    world: EngineWorld, tmp_path: Path
) -> None:
    stopped, delivery = await begun(world), AtTheDot()
    with dev_server(tmp_path) as server:
        process = ServedProcess(
            world=world,
            target=server.target,
            now=world.clock,
            deliver=delivery,
            silent_after=7.0,  # seconds in which nothing is heard of the first e-mail, whose end got lost
        )
        with process:
            until(lambda: len(delivery.messages) == 1)
            server.kill()
            await world.local.stop_sequence(stopped, reason=StopReason.LOSE, scope=StopScope.CONTACT)
            bob = await world.contact("bob@example.org")
            await world.approved(bob, blueprint=await world.blueprint(EMAIL, LATER))
            until(lambda: process.clock.silent_since is not None)
            world.clock.forward(hours=1)
            assert len(delivery.messages) == 1
            server.start()
            until(lambda: len(delivery.messages) == 2)
            client = await temporal_client(TemporalAddress(server.target))
            handle = client.get_workflow_handle(stopped)
            assert await handle.result() == "STOPPED_EARLY"
            until(lambda: process.clock.silent_since is None)
    assert [b"ann@example.org" in message.data for message in delivery.messages] == [True, False]
    assert [run.steps[0].state for run in await world.runs()] == ["sent", "sent"]
    assert world.store.audit.verify() is None


@dataclass(frozen=True, slots=True)
class NewerRequest(WorkflowRequest):
    """What a newer version begins a workflow with: it has a field that this one does not know."""

    urgency: str = "high"


@dataclass(frozen=True, slots=True)
class NewerAnswer(ComingAnswer):
    """What a newer version's activities answer, with a field that this one does not know."""

    why: str = "due"


NEWER = "99.0.0-r2"


@workflow.defn(name="SequenceRun", sandboxed=False)
class NewerWorkflow(RunWorkflow):
    """A newer version's workflow, which gives its activities an argument that this one does not know."""

    @workflow.init
    def __init__(self, start: NewerRequest) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: NewerRequest) -> str:  # type: ignore[override]
        """Go on as this version does."""
        assert start.urgency == "high"
        return await super().run(start)

    def _given(self) -> list[object]:
        return [*super()._given(), {"urgency": "high"}]


@dataclass(frozen=True, slots=True)
class NewerReading:
    """What a newer version's workflows read."""

    older: ReadingCalls

    @activity.defn(name=LOOK)
    async def look(self, sequence_id: str, options: Any = None) -> NewerAnswer:
        """Return what comes next, with a field more."""
        return NewerAnswer(**asdict(await self.older.look(sequence_id)))


@contextmanager
def newer_version(temporal: SkippingServer, world: EngineWorld) -> Iterator[None]:
    """Have a newer version's worker for workflows at work, on the same task queue and database."""
    calls, stop = ThreadCalls[Store](), threading.Event()
    reading = ReadingCalls(calls, TaskQueues.of_database(world.store), temporal.now)

    def read() -> None:
        with world.store.another(now=temporal.now()) as store:
            calls.serve(store, stop, meanwhile=lambda store, acted: None)

    async def made() -> TemporalWorker:
        version = WorkerDeploymentVersion("sequences-mcp", NEWER)
        return TemporalWorker(
            temporal.client(),
            task_queue=reading.queues.workflows,
            workflows=[NewerWorkflow],
            activities=[NewerReading(reading).look],
            no_remote_activities=True,
            max_cached_workflows=0,  # whoever takes its next task replays the workflow, in either version
            max_concurrent_workflow_task_polls=1,
            deployment_config=WorkerDeploymentConfig(version=version, use_worker_versioning=False),
        )

    reader, worker = threading.Thread(target=read, daemon=True), temporal.loop.run(made())
    reader.start()
    temporal.loop.run(worker.__aenter__())
    try:
        yield
    finally:
        temporal.loop.run(worker.__aexit__(None, None, None))
        stop.set()
        reader.join()


async def test_runs_go_on_in_another_version_which_does_not_know_the_fields_and_arguments_of_the_first(
    timed: EngineWorld, temporal: SkippingServer
) -> None:
    people = [await timed.contact(f"person{number}@example.org") for number in range(4)]
    await timed.approved(*people, blueprint=await timed.blueprint(EMAIL, LATER))
    ids = [run.id for run in await timed.runs()]
    queue, client = TaskQueues.of_database(timed.store).workflows, temporal.client()
    with newer_version(temporal, timed):
        for run_id in ids[:2]:
            start = client.start_workflow(RunWorkflow.run, NewerRequest(run_id), id=run_id, task_queue=queue)
            temporal.loop.run(start)
        until(lambda: all(_arguments(temporal, run_id) for run_id in ids[:2]))
    delivery = AtTheDot()
    with served(timed, temporal, delivery):
        until(lambda: len(delivery.messages) == 4)
        forward_until(
            timed, temporal, lambda: {status_of(temporal, run_id) for run_id in ids} == {"COMPLETED"}, days=4
        )
    taken = [_arguments(temporal, run_id) for run_id in ids]
    assert [(given[0], set(given[1:])) for given in taken] == [(2, {1})] * 2 + [(1, {1})] * 2
    sent = Counter(step.state for run in await timed.runs() for step in run.steps)
    assert (sent, len(delivery.messages)) == (Counter({"sent": 8}), 8)


def _arguments(temporal: SkippingServer, workflow_id: str) -> list[int]:
    """Return how many arguments each of a workflow's activities was given: a newer version gives two."""
    history = temporal.loop.run(temporal.client().get_workflow_handle(workflow_id).fetch_history())
    begun = [event.activity_task_scheduled_event_attributes for event in history.events]
    return [len(one.input.payloads) for one in begun if one.activity_id]


def test_temporals_library_is_loaded_by_nobody_who_does_not_use_it(tmp_path: Path) -> None:
    code = (
        "import sys; from sequences_mcp.settings import read_settings; import sequences_mcp.bootstrap, "
        f"sequences_mcp.upkeep; read_settings({{'SEQUENCES_DATA_DIR': {str(tmp_path)!r}, "
        "'SEQUENCES_TEMPORAL': 'localhost:7233'}); "
        "print([name for name in sys.modules if 'temporalio' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert heard("what a program said", done.stdout) == "[]\n"
