"""What measures is left to a run of its own, and what takes longest begins early."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests import turns

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Listed:
    """A test in a list of tests, as far as its order depends on it."""

    path: Path
    number: int
    fixturenames: tuple[str, ...] = ()


def test_a_process_has_what_is_seen_one_what_waits_and_the_others_begin_with_what_computes_longest() -> None:
    waits, computes, also = turns.WAITING[0], *turns.LONG[:2]
    names = ("test_a.py", waits, also, computes)
    items: Any = [Listed(Path(name), number) for name in names for number in range(20)]
    items += [
        Listed(Path(f"test_seen_{end}.py"), number, (turns.BROWSER,)) for end in "xyz" for number in range(4)
    ]
    items += [Listed(Path("test_c.py"), number) for number in range(8)]
    order: Any = turns.arranged(items, processes=4)
    assert len(order) == len(items) and set(order) == set(items)
    parts = [order[begin : begin + 25] for begin in range(0, 100, 25)]
    assert [{item.path.name for item in part[:20]} for part in parts[1:]] == [{waits}, {computes}, {also}]
    assert [item.path.name for item in parts[0][:12:4]] == ["test_seen_x.py", "test_seen_y.py", "test_seen_z.py"]
    for name in names:  # what a file shares is made once
        numbers = [item.number for item in order if item.path.name == name]
        assert numbers == sorted(numbers)


@pytest.mark.parametrize("processes", [1, 2, 3, 5, 8, 32])
def test_however_many_processes_there_are_each_test_is_done_once(processes: int) -> None:
    names = [*turns.WAITING, *turns.WAITING_TOO, *turns.LONG, "test_a.py"]
    items: Any = [Listed(Path(name), number) for name in names for number in range(3)]
    items += [Listed(Path("test_seen.py"), 0, (turns.BROWSER,))]
    order = turns.arranged(items, processes=processes)
    assert len(order) == len(items) and set(order) == set(items)


def test_each_process_begins_to_read_the_tests_elsewhere_and_reads_them_all() -> None:
    read = [turns.begun_at([*"abcdefg"], number, 4) for number in range(4)]
    assert len({order[0] for order in read}) == 4
    assert all(sorted(order) == [*"abcdefg"] for order in read)


def test_every_file_that_begins_early_is_there_once() -> None:
    for name in (*turns.WAITING, *turns.WAITING_TOO, *turns.LONG):
        assert len(list((ROOT / "tests").rglob(name))) == 1, name


def test_what_measures_runs_by_itself_after_all_others(pytestconfig: pytest.Config) -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]
    assert options["addopts"][-2:] == ["-m", "not alone"]
    run = (ROOT / ".ci" / "run").read_text("utf-8")
    together, alone = ('"$python" -m pytest -q -n auto --durations=20', '"$python" -m pytest -q -m alone')
    assert run.index(together) < run.index(alone)
    assert any(line.startswith("alone: ") for line in pytestconfig.getini("markers"))
