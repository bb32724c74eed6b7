"""In which order the tests run where several processes share them, and which are left to a run of their own.

A test marked ``alone`` compares how long things take, or how much of the processor they use, so that nothing else
may be on the processor meanwhile. ``addopts`` in pyproject.toml leaves these out: ``python -m pytest -m alone``
runs them one after the other, as CI does after all others. What takes longest begins early, so that no process is
left with a long test when the others have ended. The tests in a browser are done by the first of the processes,
because each that has one starts a browser and its driver of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import pytest

T = TypeVar("T")
ALONE = "alone: measures, so that nothing else may be on the processor meanwhile: python -m pytest -m alone"
# Files with tests of six seconds or more, the longest first. Each begins early, in one of the processes.
LONGEST = (
    "test_temporal.py",
    "test_page_large.py",
    "test_handover_kill.py",
    "test_page_browser.py",
    "test_kill_temporal.py",
    "test_postgres_failover.py",
    "test_page_screens.py",
    "test_importing_benchmark.py",
    "test_inbound_benchmarks.py",
    "test_awkward_people.py",
    "test_demo.py",
    "test_cli_start.py",
    "test_panel_browser.py",
    "test_kill.py",
    "test_review_screen.py",
    "test_page_exchange.py",
    "test_inbound_imap.py",
    "test_budgets.py",
)
BROWSER = "running_browser"  # the fixture


def number_of(config: pytest.Config) -> tuple[int, int] | None:
    """Return which of how many processes this is that share the tests, from 0; None where they are not shared."""
    facts = getattr(config, "workerinput", None)
    return facts and (int(facts["workerid"].removeprefix("gw")), facts["workercount"])


def begun_at(parts: list[T], number: int, processes: int) -> list[T]:
    """Return the parts in a circle, from where the process of this number begins."""
    first = len(parts) * number // processes
    return [*parts[first:], *parts[:first]]


def arranged(items: Sequence[pytest.Item], *, processes: int) -> list[pytest.Item]:
    """Return the tests in the order in which the processes do them, each of which begins with an equal part."""
    rest: dict[str, list[pytest.Item]] = {}
    for item in items:
        rest.setdefault(item.path.name, []).append(item)
    heads: list[list[pytest.Item]] = [[] for _ in range(processes)]
    browsing = {item.path.name for item in items if BROWSER in getattr(item, "fixturenames", ())}
    long = [name for name in LONGEST if name in rest and name not in browsing]
    for name in sorted(browsing, key=lambda name: (name not in LONGEST, name)):
        heads[0] += rest.pop(name)
    for number, name in enumerate(long):
        heads[-1 - number % processes] += rest.pop(name)
    others = [item for group in rest.values() for item in group]
    results: list[pytest.Item] = []
    for number, head in enumerate(heads):
        part = (len(items) - len(results)) // (processes - number)
        fill = max(part - len(head), 0)
        results += [*head, *others[:fill]]
        del others[:fill]
    return [*results, *others]
