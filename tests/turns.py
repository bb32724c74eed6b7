"""Which tests run at the same time where several processes share them, and in which order.

A test marked ``alone`` compares how long things take, or how much of the processor they use. It runs while no
other test of the run does, whatever the number of processes and the order of the tests. All of them come first,
one after the other, because each time the other processes have to end what they do and then wait. After them comes
what takes longest, so that no process is left with a long test when the others have ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

ALONE = "alone: measures, so that nothing else of the run may be on the processor meanwhile"
# Files with tests of six seconds or more, the longest first. Each begins early, in one of the processes.
LONGEST = (
    "test_page_screens.py",
    "test_page_browser.py",
    "test_budgets.py",
    "test_page_large.py",
    "test_handover_kill.py",
    "test_demo.py",
    "test_cli_start.py",
    "test_page_exchange.py",
    "test_kill.py",
    "test_inbound_benchmarks.py",
    "test_awkward_people.py",
    "test_worker_processes.py",
    "test_review_screen.py",
    "test_importing_benchmark.py",
    "test_inbound_imap.py",
    "test_panel_browser.py",
)
SHORT = (
    3  # tests with which a process begins that has none to do alone, so that those need not wait for a long one
)
_kept: list[ExitStack] = []


@contextmanager
def turn(folder: Path, *, alone: bool, more: bool = False) -> Iterator[None]:
    """Hold the block until no test runs that must be alone, or, for one of those, until none runs at all.

    Two locks on files of a folder that all processes share. The room is shared by all tests but those that want it
    for themselves. Who waits for it holds the door, so that nobody comes in before and the room gets empty. With
    ``more`` the next test of this process must be alone too, and keeps what this one has.
    """
    held = _kept.pop() if _kept else _entered(folder, alone=alone)
    try:
        yield
    finally:
        if more:
            _kept.append(held)
        else:
            held.close()


def _entered(folder: Path, *, alone: bool) -> ExitStack:
    import fcntl

    held = ExitStack()
    door = held.enter_context((folder / "door.lock").open("w"))
    room = held.enter_context((folder / "room.lock").open("w"))
    fcntl.flock(door, fcntl.LOCK_EX)
    fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
    if not alone:
        fcntl.flock(door, fcntl.LOCK_UN)
    return held


def is_alone(item: pytest.Item | None) -> bool:
    """Say whether nothing else may run during a test; not where there is none."""
    return item is not None and item.get_closest_marker("alone") is not None


def arranged(items: Sequence[pytest.Item], *, processes: int) -> list[pytest.Item]:
    """Return the tests in the order in which the processes do them, each of which begins with an equal part."""
    rest: dict[str, list[pytest.Item]] = {}
    heads: list[list[pytest.Item]] = [
        [item for item in items if is_alone(item)],
        *([] for _ in range(1, processes)),
    ]
    for item in items:
        if not is_alone(item):
            rest.setdefault(item.path.name, []).append(item)
    for number, name in enumerate([name for name in LONGEST if name in rest], start=1):
        heads[number % processes] += rest.pop(name)
    others = [item for group in rest.values() for item in group]
    results: list[pytest.Item] = []
    for number, head in enumerate(heads):
        part = (len(items) - len(results)) // (processes - number)
        fill = max(part - len(head), 0)
        before = min(SHORT, fill) if number else 0
        results += [*others[:before], *head, *others[before:fill]]
        del others[:fill]
    return [*results, *others]


def shared_folder(config: pytest.Config) -> Path | None:
    """Return the folder that the processes of a run share, or None where there is one process alone."""
    if not hasattr(config, "workerinput"):
        return None
    factory: pytest.TempPathFactory = config._tmp_path_factory  # type: ignore[attr-defined]
    return factory.getbasetemp().parent
