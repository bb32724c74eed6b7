"""In which order the tests run where several processes share them, and which are left to a run of their own.

A test marked ``alone`` compares how long things take, or how much of the processor they use, so that nothing else
may be on the processor meanwhile. ``addopts`` in pyproject.toml leaves these out: ``python -m pytest -m alone``
runs them one after the other, as CI does after all others.

Three kinds of files begin in processes of their own, so that the processors always have something to do. The
tests in a browser are done by the first process, because each that has one starts a browser and its driver. What
waits for other programs or for time limits is done by the second, one after another: where several processes
waited at once, nothing was left to do meanwhile. What computes longest begins early in the others, so that none
of them is left with a long test when the rest has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import pytest

T = TypeVar("T")
ALONE = "alone: measures, so that nothing else may be on the processor meanwhile: python -m pytest -m alone"
# Files that wait for most of the time that they take, five seconds or more, the longest first.
WAITING = (
    "test_temporal.py",
    "test_postgres_failover.py",
    "test_kill_temporal.py",
    "test_handover_kill.py",
    "test_channels_smtp.py",
    "test_inbound_benchmarks.py",
    "test_mail_connect.py",
    "test_page_connections.py",
    "test_one_configuration.py",
    "test_postgres_faults.py",
    "test_budgets.py",
    "test_serve_command.py",
    "test_cli_start.py",
    "test_mail_server_faults.py",
    "test_vendor_start_ends.py",
    "test_kill.py",
    "test_importing_benchmark.py",
    "test_inbound_imap.py",
    "test_certificates.py",
)
# The same, for the process that has the browser, when it is done with that.
WAITING_TOO = ("test_vendor_start_faults.py", "test_sign_in.py", "test_story.py", "test_processes.py")
# Other files with tests of some seconds, which compute.
LONG = (
    "test_page_large.py",
    "test_demo.py",
    "test_http_load.py",
    "test_prelude_answers.py",
    "test_awkward_people.py",
    "test_addresses.py",
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
    begun = 1 + max(processes // 4, 1)
    waiting, computing = range(1, begun)[: processes - 1] or [0], range(begun, processes) or [0]
    browsing = {item.path.name for item in items if BROWSER in getattr(item, "fixturenames", ())}
    for name in (*sorted(browsing), *(name for name in WAITING_TOO if name in rest)):
        heads[0] += rest.pop(name)
    for number, name in enumerate(name for name in WAITING if name in rest):
        heads[waiting[number % len(waiting)]] += rest.pop(name)
    for number, name in enumerate(name for name in LONG if name in rest):
        heads[computing[number % len(computing)]] += rest.pop(name)
    others = [item for group in rest.values() for item in group]
    results: list[pytest.Item] = []
    for number, head in enumerate(heads):
        part = (len(items) - len(results)) // (processes - number)
        fill = max(part - len(head), 0)
        results += [*head, *others[:fill]]
        del others[:fill]
    return [*results, *others]
