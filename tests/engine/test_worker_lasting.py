"""The worker outlasts whatever happens to it, says so where others can read it, and loses no answer."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from tests.secrecy import planted
from tests.secrecy.hearing import heard
from tests.world.engine import START, EngineWorld, FakeDelivery
from tests.world.loaded import python
from tests.world.mail_servers import CALM, mail_server
from tests.world.stores import ON_POSTGRES, of_a_file, open_store, shell

from sequences_mcp.domain.run import StepState
from sequences_mcp.domain.workers import WorkerState
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.engine.channels import smtp
from sequences_mcp.engine.channels.mail_server import MailServer, Password, Security, Timeouts
from sequences_mcp.engine.channels.message import ComposedMessage, Receipt
from sequences_mcp.engine.recovery import Receipts
from sequences_mcp.engine.supervisor import MAILBOX, Heartbeat, in_files, keep_working, worker_states
from sequences_mcp.engine.worker import FREE
from sequences_mcp.errors import DeliveryDeferredError, StoreBusyError, StoreError, StoreUnwritableError


def now() -> datetime:
    return datetime.now(UTC)


class FakeWork:
    """Work that fails as told, then ends."""

    def __init__(self, *faults: BaseException | None) -> None:
        self.faults, self.opened = list(faults), 0

    @contextmanager
    def open(self) -> Iterator[Callable[[threading.Event], None]]:
        self.opened += 1
        yield self.run

    def run(self, stop: threading.Event) -> None:
        fault = self.faults.pop(0)
        if fault is None:
            stop.set()
        else:
            raise fault


@pytest.mark.parametrize(
    "fault",
    [
        StoreUnwritableError("disk full", next_step="Make room."),
        sqlite3.OperationalError("disk I/O error"),
        FileNotFoundError("the folder is gone"),
        RuntimeError("anything"),
        MemoryError(),
        RecursionError(),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_whatever_ends_a_worker_it_begins_again_and_says_what_it_was(tmp_path: Path, fault: Exception) -> None:
    pulse, seen, pauses = Heartbeat(Workspace(tmp_path), MAILBOX, now), list[str | None](), list[int]()

    def pause(failures: int) -> float:
        pauses.append(failures)
        seen.extend(one.error for one in in_files(Workspace(tmp_path), now=now()))
        return 0.0

    work = FakeWork(fault, fault, fault, None)
    keep_working(work.open, threading.Event(), pulse=pulse, pause=pause)
    assert work.opened == 4
    assert max(pauses) == 3
    assert all(str(fault) in (one or "") for one in seen)
    assert seen
    assert list(in_files(Workspace(tmp_path), now=now())) == []  # it ended as it was told to


@pytest.mark.parametrize("is_open", [True, False], ids=["in the database", "in a file while that is away"])
def test_a_worker_shows_since_when_it_runs_what_it_did_last_and_that_it_is_gone(
    world: EngineWorld, is_open: bool
) -> None:
    time, store = [START], world.store
    pulse = Heartbeat(
        store.workspace,
        FREE,
        lambda: time[0],
        serves=("a",),
        sends="Ada",
        store=store if is_open else None,
    )
    pulse.beat()
    pulse.beat(acted=True)  # the first time it is shown at once
    (state,) = worker_states(store, now=START)
    assert (state.process, state.label, state.since, state.last_act, state.error) == (
        os.getpid(),
        FREE,
        START,
        START,
        None,
    )
    assert (state.serves, state.sends, state.host != "") == (("a",), "Ada", True)
    time[0] += timedelta(minutes=1)
    pulse.trouble("The disk is full.")
    time[0] += timedelta(minutes=1)
    pulse.trouble("The disk is full.")
    (state,) = worker_states(store, now=time[0])
    assert (state.error, state.error_since) == ("The disk is full.", START + timedelta(minutes=1))
    pulse.beat()
    (state,) = worker_states(store, now=time[0])
    assert (state.error, state.last_act, state.is_silent(time[0])) == (None, START, False)
    assert state.is_silent(time[0] + timedelta(minutes=5))
    files = list((store.workspace.folder / "workers").glob("*.json"))
    assert [one.stat().st_mode & 0o077 for one in files] == ([] if is_open else [0])
    pulse.end()
    assert worker_states(store, now=time[0]) == ()


async def test_a_data_folder_that_vanishes_stops_the_work_and_makes_no_new_one(world: EngineWorld) -> None:
    folder, away = world.store.workspace.folder, world.folder / "away"
    worker = world.worker()
    folder.rename(away)
    with pytest.raises(StoreUnwritableError, match="cannot be looked into"):
        worker.run(threading.Event())
    assert not folder.exists()
    away.rename(folder)
    world.store.require_in_place()


@of_a_file
async def test_another_file_in_the_databases_place_is_noticed_before_anything_is_sent(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"))
    kept = world.store.workspace.database.with_suffix(".kept")
    world.store.workspace.database.rename(kept)
    world.store.workspace.database.write_bytes(b"another")
    delivery = FakeDelivery()
    with pytest.raises(StoreUnwritableError, match="taken the place"):
        world.worker(delivery).run(threading.Event())
    assert delivery.messages == []


class Dripping:
    """A server that says something every so often, one byte at a time, and never finishes."""

    def __init__(self, before: bytes) -> None:
        self.before, self.listener = before, socket.create_server(("127.0.0.1", 0))
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> MailServer:
        self.thread.start()
        return MailServer(host="127.0.0.1", port=self.listener.getsockname()[1], security=Security.PLAIN)

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.listener.close()
        self.thread.join(10)

    def _serve(self) -> None:
        connection, _ = self.listener.accept()
        with closing(connection):
            try:
                connection.sendall(self.before)
                while not self.stop.wait(0.05):
                    connection.sendall(b"2")
            except OSError:
                return


@pytest.mark.parametrize("before", [b"", b"220 hello\r\n250-mx\r\n"], ids=["its greeting", "its answer to EHLO"])
def test_a_server_that_drips_is_given_up_when_the_whole_time_is_over(before: bytes) -> None:
    from tests.engine.test_channels_smtp import message

    slow = Timeouts(connect=30, command=30, final=30, total=0.5)
    with Dripping(before) as server, pytest.raises(DeliveryDeferredError):
        smtp.deliver_by_smtp(server, message(), before_dot=lambda: None, timeouts=slow)


async def test_tasks_are_opened_while_the_mail_server_holds_the_mailbox(world: EngineWorld) -> None:
    from tests.world.engine import MESSAGE

    blueprint = await world.blueprint(MESSAGE)
    await world.approved(await world.contact("m@example.org"))
    person = await world.contact("t@example.org", linkedin_url="https://linkedin.com/in/t")
    await world.approved(person, blueprint=blueprint)
    opened = []

    def slow(message: ComposedMessage, *, before_dot: Callable[[], None]) -> Receipt:
        with open_store(world.store.workspace.folder, now=START, examined=False) as own:
            other = EngineWorld(world.folder, own, world.clock, world.terms)
            other.worker(queues=frozenset({FREE})).run_due()
        opened.append(message)
        before_dot()
        return Receipt("250 taken")

    world.worker(slow, queues=frozenset({MAILBOX})).run_due()
    assert len(opened) == 1
    assert (await world.local.list_tasks(page=1, size=10)).total_count == 1


def test_a_password_that_a_server_repeats_is_nowhere_in_what_is_told(caplog: pytest.LogCaptureFixture) -> None:
    from tests.engine.test_channels_smtp import message

    secret = planted.SMTP_PASSWORD.value
    script = {"MAIL": f"550 5.7.8 wrong password {secret}"}
    with caplog.at_level(logging.WARNING, "mail.log"), mail_server(script) as running:  # the server's own log
        server = running.server(Security.PLAIN)
        told = MailServer(
            host=server.host,
            port=server.port,
            security=server.security,
            username="",
            password=Password(secret),
        )
        with pytest.raises(DeliveryDeferredError) as caught:
            smtp.deliver_by_smtp(told, message(), before_dot=lambda: None, timeouts=CALM)
    heard("what the server said", "550 5.7.8 wrong password")
    assert secret not in f"{caught.value} {dict(caught.value.data)}"


async def test_an_accepted_email_is_known_after_a_crash_while_the_database_was_held(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"))
    held = ExitStack()
    other = held.enter_context(shell(world.store.workspace.folder))

    def deliver(message: ComposedMessage, *, before_dot: Callable[[], None]) -> Receipt:
        before_dot()
        other.hold()
        return Receipt("250 2.0.0 queued as 4Xy")

    with pytest.raises(StoreBusyError):
        world.worker(deliver).run_due()
    (file,) = (world.store.workspace.folder / "receipts").glob("*.json")
    assert file.stat().st_mode & 0o077 == 0
    held.close()  # and the process with it
    fresh = world.worker(FakeDelivery())
    fresh.run_due()
    (run,) = await world.runs()
    assert (run.steps[0].state, run.steps[0].server_reply) == (StepState.SENT, "250 2.0.0 queued as 4Xy")
    assert not list((world.store.workspace.folder / "receipts").glob("*.json"))
    assert world.store.audit.verify() is None


def killed_before_it_records(world: EngineWorld) -> None:
    """Have a worker send what is due, and end before the outcome is in the database."""

    def die(point: str) -> None:
        if point == "before_sent":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.worker(FakeDelivery(), at=die).run_due()


async def test_a_receipt_counts_also_when_the_email_has_become_unknown_meanwhile(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"))
    killed_before_it_records(world)
    world.clock.forward(hours=1)
    world.worker(FakeDelivery(), queues=frozenset({FREE})).run_due()
    assert (await world.runs())[0].steps[0].state is StepState.UNKNOWN
    delivery = FakeDelivery()
    world.worker(delivery).run_due()
    assert (await world.runs())[0].steps[0].state is StepState.SENT
    assert delivery.messages == []


async def test_a_worker_that_runs_on_records_what_another_was_killed_with(world: EngineWorld) -> None:
    delivery = FakeDelivery()
    lasting = world.worker(delivery)
    lasting.run_due()
    await world.approved(await world.contact("a@example.org"))
    killed_before_it_records(world)
    for state in (StepState.HANDED_OVER, StepState.SENT):
        world.clock.forward(minutes=2)
        lasting.run_due()
        assert (await world.runs())[0].steps[0].state is state
    assert delivery.messages == []
    assert not Receipts(world.store.workspace.receipts).files()


async def test_a_receipt_of_something_else_is_kept_in_the_audit_and_stops_nothing(
    world: EngineWorld, caplog: pytest.LogCaptureFixture
) -> None:
    folder = world.store.workspace.folder / "receipts"
    folder.mkdir()
    facts = '{"sequence_id": "local:seq_x", "key": "x", "lease": 7, "kind": "accepted", "said": "250 ok"}'
    (folder / "7.json").write_text(facts)
    for lease, half in enumerate(["{half", "", "null", "[1]", "\0" * 80, '{"lease": 1}'], start=8):
        (folder / f"{lease}.json").write_text(half)
    await world.approved(await world.contact("a@example.org"))
    world.worker().run_due()
    told = caplog.text.count("waits for a person")
    world.worker().run_due()
    assert (told, caplog.text.count("waits for a person"), len(list(folder.glob("*.unreadable")))) == (6, 6, 6)
    assert not list(folder.glob("*.json"))  # which would hold up a move to another database
    assert (await world.runs())[0].steps[0].state is StepState.SENT
    assert [one.subject for one in world.store.audit.entries() if one.action == "sequence.too_late"] == [
        "local:seq_x"
    ]


async def test_a_worker_that_stood_still_after_its_commit_sends_no_final_dot(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"))
    time = [0.0]

    def stand_still(point: str) -> None:
        if point == "handed_over":
            time[0] += 661.0

    with mail_server() as running:
        deliver = partial(smtp.deliver_by_smtp, running.server(), timeouts=CALM)
        world.worker(deliver, at=stand_still, monotonic=lambda: time[0]).run_due(limit=1)
        assert running.inbox.taken == []
        assert (await world.runs())[0].steps[0].state is StepState.HELD
        world.clock.forward(minutes=1)
        world.worker(deliver).run_due()
    assert len(running.inbox.taken) == 1


async def test_answers_are_forgotten_after_thirty_days(world: EngineWorld) -> None:
    from sequences_mcp.ports.embedded import ToolCall

    async def effect() -> str:
        return "the answer"

    call = ToolCall("save_contacts", "key", "print")
    await world.local.ledger.once(call, effect)
    world.clock.forward(days=29)
    world.worker().run_due()
    assert await world.local.ledger.recall(call) == "the answer"
    world.clock.forward(days=2)
    world.worker().run_due()
    assert world.store.database.rows("upkeep.has_old_answers", before=2**62)[0]["found"] == 0


WORK = """
import sys
from pathlib import Path
from sequences_mcp.upkeep import work
from sequences_mcp.settings import read_settings
import os
work(read_settings(os.environ))
"""


@of_a_file
def test_work_goes_on_by_itself_after_its_data_folder_was_away(tmp_path: Path) -> None:
    folder, away = tmp_path / "data", tmp_path / "away"
    environ = {
        **os.environ,
        "SEQUENCES_DATA_DIR": str(folder),
        "SEQUENCES_SENDER": "Ada Lovelace <ada@example.com>",
        "SEQUENCES_LOG_LEVEL": "WARNING",
    }
    child = subprocess.Popen([*python(), "-c", WORK], env=environ, stderr=subprocess.PIPE, text=True)
    try:
        _until(lambda: len(_shown(folder)) == 2)
        folder.rename(away)
        assert child.stderr is not None
        _until(lambda: "begins again" in child.stderr.readline() if child.stderr else False)
        assert not folder.exists()
        away.rename(folder)
        _until(lambda: [one.error for one in _shown(folder)] == [None, None])
    finally:
        child.send_signal(signal.SIGTERM)
        _, errors = child.communicate(timeout=60)
    heard("what the worker said", errors)
    assert child.returncode == 0


def _shown(folder: Path) -> tuple[WorkerState, ...]:
    """Return what the workers show, once there is a database."""
    if not ON_POSTGRES and not (folder / "sequences.db").exists():
        return ()
    try:
        with open_store(folder, now=now(), examined=False) as store:
            return worker_states(store, now=now())
    except StoreError:  # it is just being made
        return ()


def _until(holds: Callable[[], bool], seconds: float = 120) -> None:
    """Wait for a condition, with a bound."""
    tries, pause = int(seconds / 0.05), threading.Event()
    assert any(holds() or pause.wait(0.05) for _ in range(tries))


def test_the_file_of_an_outcome_has_the_same_names_in_every_version(tmp_path: Path) -> None:
    facts = {"blame": "mailbox", "code": "550 5.7.1", "doubtful": True, "reply": "550 5.7.1 no"}
    kept = {"sequence_id": "local:seq_1", "key": "K1", "lease": 7, "kind": "refused", "said": "no", **facts}
    (tmp_path / "7.json").write_text(json.dumps(kept))
    [outcome] = Receipts(tmp_path).unrecorded(Receipts(tmp_path).files())
    (tmp_path / "7.tmp").write_text("somebody's")
    assert Receipts(tmp_path).keep(outcome)
    assert json.loads((tmp_path / "7.json").read_bytes()) == kept
    assert (tmp_path / "7.tmp").read_text() == "somebody's"


def test_the_file_of_a_worker_has_the_same_names_in_every_version(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    Heartbeat(workspace, "mailbox-sales", now).trouble("The database has vanished.")
    [path] = workspace.workers.glob("*.json")
    kept = json.loads(path.read_bytes())
    assert kept.keys() == {
        *("process", "lane", "since", "beat", "last_act", "error", "error_since", "host", "serves", "sends"),
    }
    [state] = in_files(workspace, now=now())
    assert (kept["lane"], state.label, state.queue) == ("mailbox-sales", "mailbox-sales", "mailbox")
