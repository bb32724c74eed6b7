"""A process that has everything loaded and forks one worker after another, each with a death of its own.

A start then takes what opening the database takes, and no imports, so that kills are dense.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeAlias

from benchmarks.kill import ANYWHEN, POINTS, Round, dying, nowhere

At: TypeAlias = Callable[[str], None]
"""What is told each point of the sending protocol that a worker comes to."""
PATIENCE = 1800.0
VISITS = (1, 1, 1, 2, 3)  # how often a worker comes to its point before it dies there
AN_INSTANT = 0.4  # seconds of a worker's work within which it dies at any instant


@dataclass(frozen=True, slots=True)
class Deaths:
    """Where workers died, and what ended others, by the name of its error."""

    killed: Counter[str]
    failed: Counter[str]

    @classmethod
    def of(cls, host: subprocess.Popen[str]) -> Deaths:
        """Wait for a process that calls ``keep_working``, and return what it printed."""
        try:
            said, _ = host.communicate(timeout=PATIENCE * 2)
        finally:
            host.kill()
        if not said:
            raise RuntimeError(f"a process that keeps workers ended with {host.returncode}")
        found = json.loads(said)
        return cls(Counter(found["killed"]), Counter(found["failed"]))

    @classmethod
    def together(cls, several: Iterable[Deaths]) -> Deaths:
        """Return the sum of what several processes printed."""
        total = cls(Counter(), Counter())
        for one in several:
            total.killed.update(one.killed)
            total.failed.update(one.failed)
        return total


@contextmanager
def meanwhile(threads: Sequence[threading.Thread], *, done: threading.Event) -> Iterator[None]:
    """Have threads break things inside the block; ``done`` ends them, also where the block fails."""
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()


def keep_working(
    work: Callable[[At], None], *, kills: int, seed: int, in_turn: Sequence[str] = (), start: float = PATIENCE
) -> None:
    """Fork a worker after another until one has nothing left to do, each to die while there are kills left.

    They die at points drawn by chance, or at those ``in_turn``, each at its first visit. One that is to die at any
    instant and comes to no point within ``start`` seconds dies then. Prints the deaths as JSON.
    """
    _load(work)
    gc.freeze()  # so that no worker's garbage collector touches, and so copies, what all of them share
    chance = random.Random(seed)
    killed, failed = Counter[str](), Counter[str]()
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        death = _drawn(chance, in_turn, killed.total()) if killed.total() < kills else None
        status, error = _forked(work, death, start)
        if death is not None and os.WIFSIGNALED(status):
            killed[death.point] += 1
        elif not status:
            break
        else:
            failed[error or "no word"] += 1
            time.sleep(0.2)  # the server was away while it started
    else:
        failed["out of patience"] += 1
    print(json.dumps({"killed": killed, "failed": failed}))


def _load(work: Callable[[At], None]) -> None:
    """Have a worker do one step, and import what it has imported until then, before others are forked."""
    told, tells = os.pipe()
    child = os.fork()
    if not child:
        os.close(told)

        def at(point: str) -> None:
            if point == "sent":
                with os.fdopen(tells, "w") as pipe:
                    pipe.write(" ".join(sys.modules))
                os._exit(0)

        with suppress(Exception):  # the server may be away; then each worker loads what it needs
            work(at)
        os._exit(0)
    os.close(tells)
    with os.fdopen(told) as pipe:
        loaded = pipe.read().split()
    os.waitpid(child, 0)
    for name in loaded:
        with suppress(ImportError):
            importlib.import_module(name)


def _drawn(chance: random.Random, in_turn: Sequence[str], number: int) -> Round:
    if in_turn:
        return Round(in_turn[number % len(in_turn)], 1)
    point = chance.choice((*POINTS, ANYWHEN))
    return Round(point, chance.uniform(0.0, AN_INSTANT) if point == ANYWHEN else chance.choice(VISITS))


def _forked(work: Callable[[At], None], death: Round | None, start: float) -> tuple[int, str]:
    """Fork a worker, and kill it where it is to die at any instant; return how it ended, and its error's name."""
    told, tells = os.pipe()
    child = os.fork()  # this process has one thread and no connection: nothing is carried over
    if not child:
        os.close(told)
        try:
            work(_ending(death, tells))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is counted under its name
            os.write(tells, type(error).__name__.encode())
            os._exit(1)
        os._exit(0)
    os.close(tells)
    if death is not None and death.point == ANYWHEN:
        select.select([told], [], [], start)
        time.sleep(death.after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with os.fdopen(told, "rb") as pipe:
        return status, pipe.read().decode().strip()


def _ending(death: Round | None, tells: int) -> At:
    """Return what a worker does at each point: nothing, die, or tell at the first that it has begun to work."""
    if death is None:
        return nowhere
    if death.point != ANYWHEN:
        return dying(death)
    is_told = False

    def at(point: str) -> None:
        nonlocal is_told
        if not is_told:
            is_told = True
            os.write(tells, b" ")

    return at
