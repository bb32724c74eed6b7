"""Every budget of the product, measured in one run against a bare SDK server, as a table.

    python -m benchmarks.budgets [--quick] [--write]

``--quick`` leaves out what takes minutes: the idle memory and the benchmarks of the single rooms. ``--write`` puts
the table into docs/figures.md. Exit status 1 when a budget is broken. Linux only (memory is read from /proc).
"""

from __future__ import annotations

import argparse
import platform
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import event_loop, first_answers, measure, vendors
from benchmarks.measure import Measured
from benchmarks.wire import ERAS
from scripts.readme import FIGURES, filled, table

ROUNDS = 15
CALLS = 200
CONTACTS = 10_000
SLEEPING = 1_000_000
ROOMS = ("guard_speed", "due", "kill")


def measurements(*, quick: bool) -> Iterator[Measured]:
    """Yield every measurement as it is made."""
    rounds, calls, contacts = (5, 50, 1_000) if quick else (ROUNDS, CALLS, CONTACTS)
    for keys in (measure.NO_KEYS, measure.KEYS):
        yield from (measure.cold_start(era, rounds=rounds, keys=keys) for era in ERAS)
        yield measure.tools_list(keys)
    yield from _first_answers(rounds)
    with tempfile.TemporaryDirectory() as folder:
        with measure.product(folder) as child:
            child.list_tools()
            yield from measure.planning(child, contacts=contacts)
            yield measure.largest_result(child)
        for era in ERAS:
            with measure.product(folder, era=era) as child, measure.bare_server(era) as bare:
                child.list_tools()
                yield from (measure.latency(child, bare, tool, rounds=calls) for tool in measure.COMPARED)
    with vendors.served() as environment:
        yield from (vendors.overhead(environment, era, rounds=calls) for era in ERAS)
    if not quick:
        yield from event_loop.measured(CONTACTS)
        yield measure.idle_memory(sleeping=SLEEPING)


def _first_answers(rounds: int) -> Iterator[Measured]:
    with first_answers.node_modules() as modules:
        for keys in (measure.NO_KEYS, measure.KEYS):
            for era in ERAS:
                yield from first_answers.first_lists(era, rounds=rounds, keys=keys, modules=modules)
    for era in ERAS:
        yield first_answers.first_call_beside_echo(era, rounds=rounds)
        yield from first_answers.first_call(era, rounds=rounds)


def rooms() -> bool:
    """Run the benchmarks of the single rooms, which print their own figures, and say whether all of them hold."""
    codes = []
    for name in ROOMS:
        print(f"\nbenchmarks.{name}", flush=True)
        codes.append(subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode)
    return not any(codes)


def machine() -> str:
    """Return what the figures were measured on."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    cores = sum(line.startswith("processor") for line in _lines("/proc/cpuinfo"))
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    return f"{cores} cores of {model}, {platform.system()}, {versions}, {datetime.now(UTC):%Y-%m-%d}"


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


def markdown(rows: list[Measured]) -> str:
    """Return the table of docs/figures.md, with the machine named."""
    body = table(("what", "found", "at most", "detail"), map(_cells, rows))
    return f"{body}\n\nOn {machine()}; `python -m benchmarks.budgets`."


def _cells(row: Measured) -> list[str]:
    found, allowed = (f"{_number(value)} {row.unit}" for value in (row.found, row.allowed))
    return [row.what, found, allowed, row.detail]


def _number(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def line(row: Measured) -> str:
    """Return one line for a person who watches."""
    mark, found, allowed = "ok  " if row.holds else "OVER", _number(row.found), _number(row.allowed)
    return f"{mark} {row.what:<40}{found:>10} of {allowed:>6} {row.unit:<7} {row.detail}"


def main() -> int:
    """Measure, print each line as it comes, and say whether every budget holds."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--write", action="store_true")
    asked = arguments.parse_args()
    print(machine())
    found = []
    for row in measurements(quick=asked.quick):
        found.append(row)
        print(line(row), flush=True)
    if asked.write:
        text = filled(FIGURES.read_text(encoding="utf-8"), {"measured": markdown(found)})
        FIGURES.write_text(text, encoding="utf-8")
    held = all(row.holds for row in found)
    return 0 if (asked.quick or rooms()) and held else 1


if __name__ == "__main__":
    sys.exit(main())
