"""Temporal as the clock of this process: connected, served by workers, told what changed, compared with the runs.

Everything here may fail and be done again: what Temporal is told are ids, and what it is not told in time it is
told later, because the row up to which it was told is in the database. While it does not answer nothing leaves by
itself; every other part of the product goes on, since none of them speaks with Temporal.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from time import monotonic
from typing import ClassVar, TypeVar

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    VersioningBehavior,
    WorkerDeploymentVersion,
    WorkflowIDConflictPolicy,
)
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker as TemporalWorker
from temporalio.worker import WorkerDeploymentConfig

from sequences_mcp import __version__
from sequences_mcp.domain.entries import ScheduleEntry
from sequences_mcp.engine.supervisor import MAILBOX, Heartbeat
from sequences_mcp.engine.temporal import TemporalAddress
from sequences_mcp.engine.temporal.calls import ReadingCalls, TakingCalls, TaskQueues, ThreadCalls, serve_worker
from sequences_mcp.engine.temporal.client import (
    ANSWER_WITHIN,
    UNAVAILABLE,
    temporal_client,
    temporal_words,
    unavailable,
)
from sequences_mcp.engine.temporal.workflow import CHANGED, MOST_EVENTS, REVISION, RunWorkflow, WorkflowRequest
from sequences_mcp.engine.worker import FREE, Worker
from sequences_mcp.errors import ClockUnavailableError, ConflictError, StoreBusyError, StoreError
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.ports.vendor import gather_limited
from sequences_mcp.store.unit_of_work import Store

T = TypeVar("T")
log = logging.getLogger(__name__)
TRY_AGAIN, TELL_EVERY, A_MOMENT = 5.0, 1.0, 0.2  # seconds
COMPARE_EVERY = timedelta(minutes=5)
COMING = 3 * COMPARE_EVERY  # how long before it is due a run has to have its workflow
DRAIN = timedelta(seconds=20)
AT_ONCE, AT_A_TIME, MOST_AT_ONCE = 20, 500, 10_000
MOST_PAGES = 10  # of workflows that are under way, for each comparison
BUILD = f"{__version__}-r{REVISION}"
"""This program's version, as Temporal knows it."""
ATTRIBUTES = ("SequencesPlan", "SequencesBlueprint", "SequencesContact")
"""Search attributes by which people look for workflows, each a keyword with one of the product's random ids."""
_REFUSED = (RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.PERMISSION_DENIED)


async def _lacking_attributes(client: Client) -> list[str]:
    """Return which of the search attributes the namespace has not; RPCError."""
    request = ListSearchAttributesRequest(namespace=client.namespace)
    listed = await client.operator_service.list_search_attributes(request, timeout=ANSWER_WITHIN)
    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    return [name for name in ATTRIBUTES if listed.custom_attributes.get(name) != keyword]


async def has_attributes(client: Client) -> bool:
    """Say whether workflows may be begun with the search attributes. Raises RPCError where nothing answers."""
    try:
        return not await _lacking_attributes(client)
    except RPCError as error:
        if error.status in _REFUSED:
            return False
        raise


async def register_attributes(address: TemporalAddress) -> list[str]:
    """Register the search attributes that the namespace lacks; return their names. ClockUnavailableError."""
    client = await temporal_client(address)
    try:
        lacking = await _lacking_attributes(client)
        if lacking:
            kinds = dict.fromkeys(lacking, IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD)
            request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=kinds)
            await client.operator_service.add_search_attributes(request, timeout=ANSWER_WITHIN)
    except RPCError as error:
        if error.status is RPCStatusCode.UNAVAILABLE:
            raise unavailable(address, error) from error
        raise ClockUnavailableError(
            f"Temporal at {address.words} registers no search attributes here: {temporal_words(error)}.",
            next_step=f"Have whoever runs it create {', '.join(ATTRIBUTES)}, each a Keyword, in its namespace. "
            "Everything else works without them.",
        ) from error
    return lacking


@dataclass(frozen=True, slots=True)
class RunSignals:
    """What workflows are told, each by the id of its run."""

    client: Client
    queues: TaskQueues
    silent_after: float = 60.0
    most_events: int = MOST_EVENTS
    has_attributes: bool = False

    async def begin(self, entries: Iterable[ScheduleEntry], *, changed: bool) -> int:
        """Begin the workflows that are missing; return how many were looked at. With ``changed`` all look anew.

        A workflow that is under way keeps its timer. Raises RPCError.
        """
        return await self._each(entries, lambda entry: self._begin(entry, changed=changed))

    async def tell_over(self, ids: Iterable[str]) -> int:
        """Have the workflows of runs that are over or gone look, and so end; those that ended are passed over."""
        return await self._each(ids, self._tell)

    async def _each(self, each: Iterable[T], act: Callable[[T], Awaitable[None]]) -> int:
        return len(await gather_limited([partial(act, item) for item in each], at_once=AT_ONCE))

    async def _begin(self, entry: ScheduleEntry, *, changed: bool) -> None:
        try:
            await self._start(entry, changed=changed, attributes=self.has_attributes)
        except RPCError as error:  # what is not registered any more is refused with the whole start
            if not self.has_attributes or error.status is not RPCStatusCode.INVALID_ARGUMENT:
                raise
            await self._start(entry, changed=changed, attributes=False)

    async def _start(self, entry: ScheduleEntry, *, changed: bool, attributes: bool) -> None:
        values = zip(ATTRIBUTES, (entry.plan_id, entry.blueprint_id, entry.contact_id), strict=True)
        pairs = [SearchAttributePair(SearchAttributeKey.for_keyword(name), value) for name, value in values]
        await self.client.start_workflow(
            RunWorkflow.run,
            WorkflowRequest(entry.id, self.silent_after, self.most_events),
            id=entry.id,
            task_queue=self.queues.workflows,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=CHANGED if changed else None,
            search_attributes=TypedSearchAttributes(pairs) if attributes else None,
            rpc_timeout=ANSWER_WITHIN,
        )

    async def _tell(self, sequence_id: str) -> None:
        try:
            handle = self.client.get_workflow_handle(sequence_id)
            await handle.signal(CHANGED, rpc_timeout=ANSWER_WITHIN)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def under_way(self) -> set[str] | None:
        """Return the ids of this database's workflows that are under way, None where none are listed."""
        try:
            listed = self.client.list_workflows(self._running, page_size=AT_A_TIME)
            return {flow.id async for flow in listed if flow.status is WorkflowExecutionStatus.RUNNING}
        except RPCError as error:
            if error.status in _REFUSED:
                return None
            raise

    async def some_under_way(self, after: bytes | None) -> tuple[list[str], bytes | None]:
        """Return ids of at most ``MOST_PAGES`` pages of this database's workflows, and where the next ones begin.

        ``after`` is where an earlier call ended; None begins with the first page, and comes after the last one.
        """
        listed = self.client.list_workflows(self._running, page_size=AT_A_TIME, next_page_token=after)
        ids: list[str] = []
        try:
            for _ in range(MOST_PAGES):
                await listed.fetch_next_page()
                ids += [flow.id for flow in listed.current_page or ()]
                if not listed.next_page_token:
                    return ids, None
        except RPCError as error:
            if error.status not in (*_REFUSED, RPCStatusCode.INVALID_ARGUMENT):
                raise
            return ids, None  # it lists none, or does not know any more where the last call ended
        return ids, listed.next_page_token

    @property
    def _running(self) -> str:
        return f'TaskQueue = "{self.queues.workflows}" AND ExecutionStatus = "Running"'

    async def end(self, workflow_id: str, *, why: str) -> None:
        """End a workflow whose run is over or gone."""
        try:
            await self.client.get_workflow_handle(workflow_id).terminate(reason=why, rpc_timeout=ANSWER_WITHIN)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise


@dataclass(slots=True, kw_only=True)
class TemporalClock:
    """The clock of one process; ``serve`` runs it in a thread of its own.

    ``reading`` has the thread with a store of the clock's own, ``taking`` those of the mailboxes' workers by the
    fingerprint of their settings and their queue. ``mark`` names this process in the database, ``build`` its
    program's version in Temporal.
    """

    takes: ClassVar = frozenset({MAILBOX, FREE})  # the queues whose runs are taken as the clock calls for them
    address: TemporalAddress
    reading: ThreadCalls[Store]
    taking: Mapping[tuple[str, str], ThreadCalls[Worker]]
    mark: str
    silent_after: float = 60.0
    most_events: int = MOST_EVENTS
    build: str = BUILD
    clock: Callable[[], datetime] = field(init=False)
    silent_since: datetime | None = field(default=None, init=False)
    ended: threading.Event = field(default_factory=threading.Event, init=False)
    queues: TaskQueues = field(init=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _compared_at: float = field(default=float("-inf"), init=False)
    _next_page: bytes | None = field(default=None, init=False)

    def serve(self, *, stop: threading.Event, clock: Callable[[], datetime], after: float = 0.0) -> None:
        """Serve Temporal from ``after`` seconds until told to stop; then let what is under way come to its end."""
        self._stop, self.clock = stop, clock
        try:
            if not stop.wait(after):
                asyncio.run(self._serve())
        finally:
            self.ended.set()

    def called(self, fingerprint: str, queue: str) -> Callable[[Worker, threading.Event], None] | None:
        """Return what has a mailbox's worker take the runs that this clock calls for, in place of ``Worker.run``.

        None for a queue in which it calls for none.
        """
        calls = self.taking.get((fingerprint, queue))
        return None if calls is None else partial(serve_worker, calls=calls)

    def serve_reading(self, store: Store, pulse: Heartbeat, stop: threading.Event) -> None:
        """Read for the clock, in the thread that opened the store, and show how the clock is. StoreError."""

        def show(store: Store, acted: bool) -> None:
            store.require_in_place()
            if self.silent_since is None:
                pulse.beat(acted=acted)
            else:
                pulse.trouble(self._silence(store, self.silent_since))

        self.reading.serve(store, stop, meanwhile=show)

    def _silence(self, store: Store, since: datetime) -> str:
        waiting = store.upkeep.overdue(before=self.clock()).number
        due = (
            f"{waiting} due run{'s wait' if waiting != 1 else ' waits'} for it"
            if waiting
            else "nothing is due yet"
        )
        return f"Temporal at {self.address.words} has not answered since {since:%Y-%m-%d %H:%M:%S} UTC; {due}"

    async def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                self.queues = await self._read(TaskQueues.of_database)
                client = await temporal_client(self.address)
                async with self.at_work(client):
                    await self._keep_telling(
                        RunSignals(
                            client,
                            self.queues,
                            self.silent_after,
                            self.most_events,
                            has_attributes=await has_attributes(client),
                        )
                    )
            except (ClockUnavailableError, *UNAVAILABLE) as error:
                self._is_silent(error)
                await self._pause(TRY_AGAIN)
            except StoreError as error:  # the thread that has the store open says so and opens it again
                log.warning("The clock cannot read the database: %s", error)
                await self._pause(TRY_AGAIN)

    async def _pause(self, seconds: float) -> None:
        """Wait, or until told to stop."""
        until = monotonic() + seconds
        while not self._stop.is_set() and (left := until - monotonic()) > 0:
            await asyncio.sleep(min(left, A_MOMENT))

    async def _read(self, act: Callable[[Store], T]) -> T:
        """Return what is read in the store's thread; StoreBusyError when told to stop before that is there."""
        call = asyncio.ensure_future(self.reading.call(act))
        try:
            while not (await asyncio.wait({call}, timeout=A_MOMENT))[0]:
                if self._stop.is_set():
                    raise StoreBusyError(
                        "The clock was told to stop.", next_step="It begins again with the worker."
                    )
        finally:
            call.cancel()  # where nobody waits for it any longer; one that has ended stays as it is
        return call.result()

    @asynccontextmanager
    async def at_work(self, client: Client) -> AsyncIterator[None]:
        """Carry out workflows and activities inside the block; at its end, those under way are waited for."""
        reading = ReadingCalls(self.reading, self.queues, self.clock)
        # Without a version, Temporal's library makes one of the source of everything that is loaded: for seconds.
        deployment = WorkerDeploymentConfig(
            version=WorkerDeploymentVersion(self.queues.deployment, self.build),
            use_worker_versioning=self.address.versioning,
            default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE
            if self.address.versioning
            else VersioningBehavior.UNSPECIFIED,
        )
        async with AsyncExitStack() as working:
            for (fingerprint, queue), calls in self.taking.items():
                taking = TakingCalls(calls, self.queues)
                await working.enter_async_context(
                    TemporalWorker(
                        client,
                        task_queue=self.queues.of(fingerprint, queue),
                        activities=[taking.take],
                        max_concurrent_activities=2,  # one is done, the next is at hand
                        deployment_config=deployment,
                        graceful_shutdown_timeout=DRAIN,
                    )
                )
            await working.enter_async_context(
                TemporalWorker(
                    client,
                    task_queue=self.queues.workflows,
                    workflows=[RunWorkflow],
                    activities=[reading.look],
                    no_remote_activities=True,
                    deployment_config=deployment,
                    graceful_shutdown_timeout=DRAIN,
                )
            )
            yield

    async def _keep_telling(self, signals: RunSignals) -> None:
        while not self._stop.is_set():
            try:
                if monotonic() - self._compared_at >= COMPARE_EVERY.total_seconds():
                    await self.compare(signals)
                    self._compared_at = monotonic()
                more = await self.tell(signals)
                self.silent_since = None
            except UNAVAILABLE as error:
                self._is_silent(error)
                await self._pause(TRY_AGAIN)
            except StoreError as error:  # the thread that has the store open says so and opens it again
                log.warning("The clock cannot read what changed: %s", error)
                await self._pause(TRY_AGAIN)
            else:
                await self._pause(0.0 if more else TELL_EVERY)

    def _is_silent(self, error: BaseException) -> None:
        if self.silent_since is None:
            self.silent_since = self.clock()
            log.warning("Temporal at %s does not answer: %s", self.address.target, temporal_words(error))

    async def tell(self, signals: RunSignals) -> bool:
        """Tell the workflows what changed since they were told last; say whether there is more.

        RPCError, StoreError. A row is only passed once Temporal has it: whatever fails before that is told again.
        """
        if await self._read(lambda store: store.schedule.begin_feed()):
            await self.begin_all(signals)
        news = await self._read(self._changed)
        if news is None:
            return False
        known, last = news
        await signals.begin([entry for entry in known if not entry.is_over], changed=True)
        await signals.tell_over([entry.id for entry in known if entry.is_over])
        await self._read(lambda store: store.schedule.pass_on(self.mark, up_to=last))
        return bool(known)

    def _changed(self, store: Store) -> tuple[list[ScheduleEntry], int] | None:
        changed = store.schedule.changed(self.mark, now=self.clock(), size=AT_A_TIME)
        if changed is None:
            return None
        ids, last = changed
        return [entry for item in ids if (entry := store.schedule.of_run(item)) is not None], last

    async def compare(self, signals: RunSignals) -> int:
        """Begin the workflows that are missing of the runs that are due soon; return how many were looked at.

        Workflows whose run is over or gone are told to look, by which they end.
        """
        entries = await self._read(
            lambda store: list(islice(store.schedule.coming(before=self.clock() + COMING), MOST_AT_ONCE))
        )
        await self._tell_strays(signals)
        return await signals.begin(entries, changed=False)

    async def _tell_strays(self, signals: RunSignals) -> None:
        """Have those look whose run is over or gone, of the next pages of workflows under way.

        They are not terminated: each reads the database itself, and goes on where its run is live after all.
        """
        ids, self._next_page = await signals.some_under_way(self._next_page)
        for first in range(0, len(ids), AT_A_TIME):
            part = ids[first : first + AT_A_TIME]
            await signals.tell_over(await self._read(lambda store, part=part: _without_live_run(store, part)))  # type: ignore[misc]

    async def begin_all(self, signals: RunSignals) -> int:
        """Begin the workflows that are missing of all live runs; return how many there are."""
        number, after = 0, 0
        while entries := await self._read(
            lambda store, after=after: store.schedule.live(after=after, size=AT_A_TIME)  # type: ignore[misc]
        ):
            number += await signals.begin(entries, changed=True)
            after = entries[-1].number
        return number


async def make_current(address: TemporalAddress, queues: TaskQueues, *, build: str = BUILD) -> str:
    """Have Temporal give what is due to workers of this version from now on; return that.

    Raises ConflictError where none has shown itself there, ClockUnavailableError.
    """
    client = await temporal_client(address)
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name=queues.deployment,
        build_id=build,
        identity="sequences-mcp",
        ignore_missing_task_queues=True,  # of mailboxes that were taken out of the settings, or set otherwise
    )
    try:
        await client.workflow_service.set_worker_deployment_current_version(request, timeout=ANSWER_WITHIN)
    except RPCError as error:
        if error.status is RPCStatusCode.UNAVAILABLE:
            raise unavailable(address, error) from error
        raise ConflictError(
            f"Temporal at {address.words} does not make {build} the current version: {temporal_words(error)}.",
            next_step="Start a worker of this version with `temporal_versioning` on; then do this again.",
        ) from error
    return build


def _without_live_run(store: Store, ids: Iterable[str]) -> list[str]:
    entries = ((item, store.schedule.of_run(item)) for item in ids)
    return [item for item, entry in entries if entry is None or entry.is_over]


@dataclass(frozen=True, slots=True)
class ReconcileTally:
    """How many live runs there are, how many of them had no workflow, and how many workflows had no live run.

    ``missing`` and ``ended`` are None where Temporal does not list workflows: all runs were then offered one.
    """

    live: int
    missing: int | None
    ended: int | None


async def reconcile(address: TemporalAddress, store: Store) -> ReconcileTally:
    """Begin the workflows that live runs lack, and end those whose run is over or gone.

    Whatever happens beside it is told by the feed. ClockUnavailableError, StoreError.
    """
    client = await temporal_client(address)
    try:
        signals = RunSignals(client, TaskQueues.of_database(store), has_attributes=await has_attributes(client))
        under_way = await signals.under_way()
        store.schedule.begin_feed()
        live = missing = after = 0
        while entries := store.schedule.live(after=after, size=AT_A_TIME):
            lacking = [entry for entry in entries if under_way is None or entry.id not in under_way]
            await signals.begin(lacking, changed=True)
            live, missing, after = live + len(entries), missing + len(lacking), entries[-1].number
        if under_way is None:
            return ReconcileTally(live, None, None)
        ended = 0
        for sequence_id in under_way:
            entry = store.schedule.of_run(sequence_id)
            if entry is None or entry.is_over:
                await signals.end(sequence_id, why=f"its run is {entry.status if entry else 'gone'}")
                ended += 1
    except UNAVAILABLE as error:
        raise unavailable(address, error) from error
    return ReconcileTally(live, missing, ended)
