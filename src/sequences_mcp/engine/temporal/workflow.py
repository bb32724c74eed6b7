"""The workflow of a run: a durable timer until something is due, and what is asked of the database then.

It decides nothing about the run. ``look`` reads when the run is due and where, ``take`` does what is due by the
claim of the polling worker, whose lease and transactions decide, so that an activity that Temporal begins
twice, or again after its worker died, sends nothing twice. A signal says that something changed; the database has
what.

This file is what Temporal replays. After a change that makes another order of commands, ``REVISION`` rises, and
``workflow.patched`` keeps the old order for the workflows that began with it
(https://docs.temporal.io/develop/python/versioning).
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

from sequences_mcp.lazy_dataclasses import dataclass

REVISION = 1
LOOK, TAKE, CHANGED = "look", "take", "changed"
"""The names, on the wire, of both activities and of the signal."""
AFTER_A_FAILURE = timedelta(minutes=1)
A_LOOK = timedelta(seconds=30)
# An e-mail takes as long as its server may: until the answer to the final dot counts as lost, and some more.
A_TAKE = timedelta(minutes=20)
# Longer than most queues; whoever waits longer reads anew where the run belongs, as its settings may have changed.
IN_LINE = timedelta(minutes=10)
FIRST_PAUSE, LONGEST_PAUSE, TRIES = timedelta(seconds=1), timedelta(minutes=1), 5
MOST_EVENTS = 2_000


@dataclass(frozen=True, slots=True)
class WorkflowRequest:
    """What a workflow is begun with: its run, and after how many seconds without a sign a worker is given up.

    After ``most_events`` in its history it goes on as a new one.
    """

    sequence_id: str
    silent_after: float = 60.0
    most_events: int = MOST_EVENTS


@dataclass(frozen=True, slots=True)
class ComingAnswer:
    """What comes next for a run: after how many seconds, None for nothing by itself, and in which task queue.

    ``status`` is the run's where nothing more ever comes, else empty.
    """

    seconds: float | None
    task_queue: str = ""
    status: str = ""


@workflow.defn(name="SequenceRun", sandboxed=False)
class RunWorkflow:
    """One run's timers.

    Not in the library's sandbox, which loads this file anew for each of them: it reads nothing but its own fields.
    """

    @workflow.init
    def __init__(self, start: WorkflowRequest) -> None:
        self._start = start
        self._is_changed = False

    @workflow.signal(name=CHANGED)
    def change(self) -> None:
        """Have it read anew when the run is due: something happened to it."""
        self._is_changed = True

    @workflow.run
    async def run(self, start: WorkflowRequest) -> str:
        """Wake when the run is due until it is over; return the status it ended with."""
        coming = await self._look()
        while not (coming and coming.status):
            if workflow.info().is_continue_as_new_suggested() or self._has_many_events:
                workflow.continue_as_new(start)
            if coming is None:  # the database or a worker failed again and again
                await self._is_woken(AFTER_A_FAILURE.total_seconds())
                coming = await self._look()
            elif await self._is_woken(coming.seconds):
                coming = await self._look()
            else:
                coming = await self._take(coming.task_queue)
        return coming.status

    @property
    def _has_many_events(self) -> bool:
        return workflow.info().get_current_history_length() >= self._start.most_events

    async def _is_woken(self, seconds: float | None) -> bool:
        """Sleep; say whether a signal came, before the time or during the last activity."""
        if seconds == 0:
            return self._is_changed
        try:
            await workflow.wait_condition(lambda: self._is_changed, timeout=seconds)
        except TimeoutError:
            return False
        return True

    def _given(self) -> list[object]:
        """Return what both activities are called with; an older version's pass over what a newer one adds."""
        return [self._start.sequence_id]

    async def _look(self) -> ComingAnswer | None:
        """Return what comes next by the database; None where it cannot be read now."""
        self._is_changed = False
        try:
            coming: ComingAnswer = await workflow.execute_local_activity(
                LOOK,
                args=self._given(),
                result_type=ComingAnswer,
                start_to_close_timeout=A_LOOK,
                retry_policy=RetryPolicy(initial_interval=FIRST_PAUSE, maximum_attempts=TRIES),
            )
        except ActivityError:
            return None
        return coming

    async def _take(self, task_queue: str) -> ComingAnswer | None:
        """Have what is due done; return what comes next, None where no worker could do it."""
        try:
            coming: ComingAnswer = await workflow.execute_activity(
                TAKE,
                args=self._given(),
                task_queue=task_queue,
                result_type=ComingAnswer,
                schedule_to_start_timeout=IN_LINE,
                start_to_close_timeout=A_TAKE,
                heartbeat_timeout=timedelta(seconds=self._start.silent_after),
                retry_policy=RetryPolicy(
                    initial_interval=FIRST_PAUSE, maximum_interval=LONGEST_PAUSE, maximum_attempts=TRIES
                ),
            )
        except ActivityError:
            return None
        return coming
