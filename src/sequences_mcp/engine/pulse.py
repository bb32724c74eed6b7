"""What a worker is doing, in a file of its own that every other process can read: no database needed.

``workers/<process>-<lane>.json`` in the data folder, replaced whole; removed when the worker ends.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

FOLDER = "workers"
VENDORS = "vendors"  # the lane in which approved starts are handed over; the others are the worker's
EVERY = timedelta(seconds=30)
SILENT_AFTER = timedelta(seconds=150)  # an e-mail may take 100 s, and a notice as long
FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerState:
    """One lane of one process: since when, when it last showed itself and did something, what stands in its way.

    ``error`` is None while all is well; ``error_since`` is when it began to stand in the way.
    """

    process: int
    lane: str
    since: datetime
    beat: datetime
    last_act: datetime | None = None
    error: str | None = None
    error_since: datetime | None = None

    def is_silent(self, now: datetime) -> bool:
        """Whether it has not shown itself for longer than any work takes, and is probably gone."""
        return abs(now - self.beat) > SILENT_AFTER  # a clock that was ahead shows nothing either


@dataclass(slots=True)
class Pulse:
    """The file of one worker. A folder that is gone or full is no reason to stop: nothing here raises."""

    data_dir: Path
    lane: str
    clock: Callable[[], datetime]
    _state: WorkerState | None = field(default=None, init=False)
    _written: datetime | None = field(default=None, init=False)

    def beat(self, *, acted: bool = False) -> None:
        """Show that it is alive and well, and whether it did something."""
        now = self.clock()
        state = self._at(now)
        state = replace(state, last_act=now if acted else state.last_act, error=None, error_since=None)
        self._tell(state, now, always=self._at(now).error is not None)

    def trouble(self, error: str) -> None:
        """Show what stands in its way."""
        now = self.clock()
        state = self._at(now)
        since = state.error_since if state.error else now
        self._tell(replace(state, error=error[:500], error_since=since), now, always=state.error != error[:500])

    def end(self) -> None:
        """Take the file away."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _at(self, now: datetime) -> WorkerState:
        if self._state is None:
            self._state = WorkerState(process=os.getpid(), lane=self.lane, since=now, beat=now)
        return replace(self._state, beat=now)

    def _tell(self, state: WorkerState, now: datetime, *, always: bool) -> None:
        self._state = state
        if not always and self._written is not None and timedelta(0) <= now - self._written < EVERY:
            return
        with suppress(OSError):
            # Not `parents`: a data folder that has vanished must not be made anew by whoever worked in it.
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            draft = self._path.with_suffix(".tmp")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(asdict(state), file, default=lambda at: at.isoformat())
            draft.replace(self._path)
            self._written = now

    @property
    def _path(self) -> Path:
        return self.data_dir / FOLDER / f"{os.getpid()}-{self.lane}.json"


def states(data_dir: Path, *, now: datetime) -> tuple[WorkerState, ...]:
    """Return every worker that has shown itself within a day, the silent ones too; forget older files."""
    found = []
    for path in sorted((data_dir / FOLDER).glob("*.json")):
        state = _read(path)
        if state is not None and abs(now - state.beat) < FORGOTTEN_AFTER:
            found.append(state)
        elif state is not None:
            with suppress(OSError):
                path.unlink(missing_ok=True)
    return tuple(found)


def _read(path: Path) -> WorkerState | None:
    try:
        facts = json.loads(path.read_bytes())
        for name in ("since", "beat", "last_act", "error_since"):
            facts[name] = facts[name] and datetime.fromisoformat(facts[name])
        return WorkerState(**facts)
    except (OSError, ValueError, TypeError, KeyError):  # written by another version, or just being replaced
        return None
