"""Calls from Temporal's event loop into the threads that have the database open, and what a workflow is answered.

A store, and a worker on it, belong to the thread that opened them. An activity queues its call there, sends
heartbeats until it is done, and returns what the workflow has to know: when to wake next, and in which task queue.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Generic, TypeVar

from temporalio import activity

from sequences_mcp.domain.entries import ScheduleEntry
from sequences_mcp.engine.supervisor import MAILBOX
from sequences_mcp.engine.temporal.workflow import LOOK, TAKE, ComingAnswer
from sequences_mcp.engine.worker import Worker
from sequences_mcp.errors import StoreBusyError
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.store.unit_of_work import Store

T = TypeVar("T")
R = TypeVar("R")
log = logging.getLogger(__name__)

POLL = 1.0  # seconds between two looks at what else there is to do
HEARTBEAT_EVERY = 5.0
STILL_DUE = 5.0  # seconds until the next try where another worker has the run, or the disk is full
LONGEST_REST = 3_600.0  # seconds: what a mailbox waits for may end before its time
GONE = "GONE"


@dataclass(slots=True)
class ThreadCalls(Generic[T]):
    """Calls for one thread, which are carried out with what that has open."""

    _waiting: SimpleQueue[tuple[Callable[[T], Any], Future[Any]]] = field(default_factory=SimpleQueue, init=False)

    async def call(self, act: Callable[[T], R]) -> R:
        """Run ``act`` in the thread; return its result, raise its error. Waits until the thread serves calls."""
        future: Future[R] = Future()
        self._waiting.put((act, future))
        return await asyncio.wrap_future(future)

    def serve(self, opened: T, stop: threading.Event, *, meanwhile: Callable[[T, bool], None]) -> None:
        """Carry out calls until told to stop; between them, and once a second, do what else there is to do.

        ``meanwhile`` is told whether a call was carried out since. A busy database is waited for; any other error
        is raised, after the caller was told.
        """
        acted, last = False, float("-inf")
        while not stop.is_set():
            try:
                if monotonic() - last >= POLL:
                    meanwhile(opened, acted)
                    acted, last = False, monotonic()
                act, future = self._waiting.get(timeout=POLL)
            except Empty:
                continue
            except StoreBusyError as error:
                log.warning("The clock cannot use the database: %s", error)
                stop.wait(POLL)
                continue
            if future.set_running_or_notify_cancel():
                acted = True
                self._run_call(act, future, opened)

    @staticmethod
    def _run_call(act: Callable[[T], Any], future: Future[Any], opened: T) -> None:
        try:
            future.set_result(act(opened))
        except StoreBusyError as error:
            future.set_exception(error)
        except BaseException as error:
            future.set_exception(error)
            raise

    def close(self) -> None:
        """Cancel the calls that were not begun."""
        while not self._waiting.empty():
            _, future = self._waiting.get()
            future.cancel()


def serve_worker(worker: Worker, stop: threading.Event, *, calls: ThreadCalls[Worker]) -> None:
    """Let a worker do what else it does, and take runs as it is called, until told to stop. Raises StoreError.

    In place of ``Worker.run``, which looks for what is due itself.
    """

    def keep_house(worker: Worker, acted: bool) -> None:
        worker.store.require_in_place()
        worker.keep_house()
        worker.show(acted=acted)

    if worker.pulse:
        worker.pulse.beat()
    calls.serve(worker, stop, meanwhile=keep_house)


@dataclass(frozen=True, slots=True)
class TaskQueues:
    """The names of one database's task queues: one for workflows, and two for each mailbox's settings."""

    workflows: str

    @classmethod
    def of_database(cls, store: Store) -> TaskQueues:
        """Return the names for a database: of several that use one Temporal, each has its own."""
        mark = hmac.new(store.secret("message_id"), b"temporal", "sha256").hexdigest()[:12]
        return cls(f"sequences-mcp/{mark}")

    @property
    def deployment(self) -> str:
        """The name under which the versions of this database's workers are known; no other one shares them."""
        return self.workflows.replace("/", "-")

    def of(self, fingerprint: str, queue: str) -> str:
        """Return the task queue in which a mailbox's worker takes what is due in one of its queues."""
        return f"{self.workflows}/{fingerprint}/{queue}"

    def next_look(self, entry: ScheduleEntry | None, *, now: datetime) -> ComingAnswer:
        """Return what comes next for a run, by what the database says of it."""
        if entry is None:
            return ComingAnswer(None, status=GONE)
        if entry.is_over:
            return ComingAnswer(None, status=entry.status)
        seconds = None if entry.at is None else max((entry.at - now).total_seconds(), 0.0)
        return ComingAnswer(seconds, self.of(entry.fingerprint, entry.queue))


@dataclass(frozen=True, slots=True)
class ReadingCalls:
    """What workflows read of their runs."""

    calls: ThreadCalls[Store]
    queues: TaskQueues
    clock: Callable[[], datetime]

    @activity.defn(name=LOOK)
    async def look(self, sequence_id: str, *newer: object) -> ComingAnswer:
        """Return when a run is due and where; what a newer version's workflow gives besides is passed over."""
        return await self.calls.call(
            lambda store: self.queues.next_look(store.schedule.of_run(sequence_id), now=self.clock())
        )


@dataclass(frozen=True, slots=True)
class TakingCalls:
    """What a mailbox's worker does for a workflow whose run is due."""

    calls: ThreadCalls[Worker]
    queues: TaskQueues

    @activity.defn(name=TAKE)
    async def take(self, sequence_id: str, *newer: object) -> ComingAnswer:
        """Do what is due of a run, and return what comes next for it; ``newer`` is passed over as in ``look``."""
        call = asyncio.ensure_future(self.calls.call(partial(self._taken, sequence_id)))
        try:
            while not (await asyncio.wait({call}, timeout=HEARTBEAT_EVERY))[0]:
                activity.heartbeat()
        except asyncio.CancelledError:
            call.cancel()  # one that has begun goes on to its end all the same
            raise
        return call.result()

    def _taken(self, sequence_id: str, worker: Worker) -> ComingAnswer:
        worker.store.require_in_place()
        is_tried = worker.take(sequence_id)
        now = worker.clock()
        entry = worker.store.schedule.of_run(sequence_id)
        coming = self.queues.next_look(entry, now=now)
        ours = {self.queues.of(worker.rules.terms.fingerprint, queue) for queue in worker.queues}
        if entry is None or coming.seconds != 0 or coming.task_queue not in ours:
            return coming
        seconds = 0.0 if is_tried else STILL_DUE
        if entry.queue == MAILBOX:
            seconds = max(min((worker.opens(entry) - now).total_seconds(), LONGEST_REST), seconds)
        return ComingAnswer(seconds, coming.task_queue)
