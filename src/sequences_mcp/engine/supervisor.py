"""Keeps a worker running after faults, and publishes its state for other processes."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

from sequences_mcp.domain.workers import WorkerPresence, WorkerState
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import SequencesError, StoreError
from sequences_mcp.lazy_dataclasses import dataclass, field, replace
from sequences_mcp.private_files import replacing
from sequences_mcp.store.unit_of_work import Store


def elapsed() -> float:
    """Return seconds since some instant. ``time.monotonic`` alone stands still while Linux or macOS sleeps."""
    for name in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC"):
        if (clock := getattr(time, name, None)) is not None:
            return float(time.clock_gettime(clock))
    return time.monotonic()


MAILBOX = "mailbox"
VENDORS = "vendors"  # the queue in which approved starts are handed over; the others are the worker's
READER = "reader"  # the queue of what a mailbox is read by
EVERY = timedelta(seconds=30)
FORGOTTEN_AFTER = timedelta(days=1)
PATIENCE = 0.3  # seconds to wait for other processes: what is shown now is shown again in a moment


@dataclass(slots=True)
class Heartbeat:
    """Publishes the state of one worker. Nothing here raises: a full disk must not stop the worker.

    ``store`` is the worker's own while it is open; without one, or where it cannot be written, a file is.
    """

    workspace: Workspace
    label: str
    clock: Callable[[], datetime]
    serves: tuple[str, ...] = ()
    sends: str = ""
    store: Store | None = None
    _state: WorkerState | None = field(default=None, init=False)
    _written: datetime | None = field(default=None, init=False)

    def beat(self, *, acted: bool = False) -> None:
        """Show that it is alive and well, and whether it did something."""
        now = self.clock()
        before = self._at(now)
        state = replace(before, last_act=now if acted else before.last_act, error=None, error_since=None)
        is_first = acted and before.last_act is None  # else it would be said to have done nothing yet
        self._tell(state, now, always=before.error is not None or is_first)

    def trouble(self, error: str) -> None:
        """Show what stands in its way."""
        now = self.clock()
        state = self._at(now)
        since = state.error_since if state.error else now
        self._tell(replace(state, error=error[:500], error_since=since), now, always=state.error != error[:500])

    def end(self) -> None:
        """Take away what was shown, while the store is open and after it."""
        if self.store is not None:
            with suppress(StoreError), self.store.hasty(PATIENCE):
                self.store.workers.remove(host=host_name(), process=os.getpid(), label=self.label)
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
        self._written = None

    def _at(self, now: datetime) -> WorkerState:
        if self._state is None:
            self._state = WorkerState(
                host=host_name(),
                process=os.getpid(),
                label=self.label,
                since=now,
                beat=now,
                serves=self.serves,
                sends=self.sends,
            )
        return replace(self._state, beat=now)

    def _tell(self, state: WorkerState, now: datetime, *, always: bool) -> None:
        self._state = state
        if not always and self._written is not None and timedelta(0) <= now - self._written < EVERY:
            return
        if self._kept_in_database(state, now):
            self._written = now
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            return
        with suppress(OSError):
            # Not `parents`: a data folder that has vanished must not be made anew by whoever worked in it.
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            with replacing(self._path) as file:
                file.write(json.dumps(state.as_stored(), default=lambda at: at.isoformat()).encode())
            self._written = now

    def _kept_in_database(self, state: WorkerState, now: datetime) -> bool:
        if self.store is None:
            return False
        try:
            self.store.require_in_place()
            with self.store.hasty(PATIENCE):
                self.store.workers.keep(state, forgotten_before=now - FORGOTTEN_AFTER)
        except StoreError:
            return False
        return True

    @property
    def _path(self) -> Path:
        return self.workspace.workers / f"{os.getpid()}-{self.label}.json"


def worker_states(store: Store, *, now: datetime) -> tuple[WorkerState, ...]:
    """Return every worker that has shown itself within a day, the silent ones too; forget older files.

    Inside a snapshot the files are read once.
    """
    return store.once("worker states", lambda: _worker_states(store, now))


def _worker_states(store: Store, now: datetime) -> tuple[WorkerState, ...]:
    results = {(worker.host, worker.process, worker.label): worker for worker in store.workers.all()}
    for in_file in in_files(store.workspace, now=now):
        known = results.get((in_file.host, in_file.process, in_file.label))
        if known is None or known.beat < in_file.beat:
            results[in_file.host, in_file.process, in_file.label] = in_file
    return tuple(result for result in results.values() if abs(now - result.beat) < FORGOTTEN_AFTER)


def alive(store: Store, *, now: datetime) -> tuple[WorkerState, ...]:
    """Return every worker that has shown itself lately."""
    return awake(worker_states(store, now=now), now=now)


def awake(states: Iterable[WorkerState], *, now: datetime) -> tuple[WorkerState, ...]:
    """Return those workers of a reading that have shown themselves lately."""
    return tuple(state for state in states if not state.is_silent(now))


def served(workers: Iterable[WorkerState]) -> frozenset[str]:
    """Return the fingerprints of the settings for which any of these workers sends or hands over."""
    return frozenset(item for worker in workers if worker.queue in (MAILBOX, VENDORS) for item in worker.serves)


def at_work(store: Store, *, now: datetime) -> list[WorkerPresence]:
    """Return who does the due work now: one for each process."""
    results: dict[tuple[str, int], list[WorkerState]] = {}
    for worker in alive(store, now=now):
        results.setdefault((worker.host, worker.process), []).append(worker)
    return [
        WorkerPresence(
            host=host,
            process=process,
            since=min(worker.since for worker in states),
            seen=max(worker.beat for worker in states),
            last_act=max((worker.last_act for worker in states if worker.last_act), default=None),
            sends=" and as ".join(worker.sends for worker in states if worker.queue == MAILBOX and worker.sends),
            hands_over=next((worker.sends for worker in states if worker.queue == VENDORS), ""),
            serves=served(states),
        )
        for (host, process), states in results.items()
    ]


_INSTANTS = ("since", "beat", "last_act", "error_since")


def host_name() -> str:
    """Return the host name of this machine."""
    return socket.gethostname()


def in_files(workspace: Workspace, *, now: datetime) -> Iterator[WorkerState]:
    """Yield every worker whose database could not be written when it last showed itself."""
    try:
        files = sorted(workspace.workers.iterdir())
    except OSError:  # no worker had to write one yet
        return
    for path in [file for file in files if file.suffix == ".json"]:
        state = _read(path)
        if state is not None and abs(now - state.beat) < FORGOTTEN_AFTER:
            yield state
        elif state is not None:
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _read(path: Path) -> WorkerState | None:
    try:
        facts = json.loads(path.read_bytes())
        for name in _INSTANTS:
            facts[name] = facts[name] and datetime.fromisoformat(facts[name])
        return WorkerState.of_stored(facts)
    except (OSError, ValueError, TypeError, KeyError):  # written by another version, or just being replaced
        return None


log = logging.getLogger(__name__)
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0


def keep_working(
    opened: Callable[[], AbstractContextManager[Callable[[threading.Event], None]]],
    stop: threading.Event,
    *,
    pulse: Heartbeat,
    pause: Callable[[int], float] = lambda failures: min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE),
) -> None:
    """Open a worker and let it run until told to stop; after any fault wait, and open it again.

    ``opened`` gives what works until the event it is called with is set; ``pause`` is how many seconds to wait
    after so many faults in a row.
    """
    failures = 0
    while not stop.is_set():
        begun = monotonic()
        try:
            with opened() as run:
                run(stop)
        except SequencesError as error:
            failures = 1 if monotonic() - begun > LONGEST_PAUSE else failures + 1
            pulse.trouble(str(error))
            log.warning("The worker begins again in %.0f s: %s", pause(failures), error)
        except Exception as error:  # whatever it is, due work must not end for good because of it
            failures = 1 if monotonic() - begun > LONGEST_PAUSE else failures + 1
            pulse.trouble(f"{type(error).__name__}: {error}")
            log.exception("The worker begins again in %.0f s", pause(failures))
        if not stop.is_set():
            stop.wait(pause(max(failures, 1)))
    pulse.end()
