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


def test_what_takes_longest_begins_each_part() -> None:
    first, second = turns.LONGEST[:2]
    names = ("test_a.py", first, "test_b.py", second, "test_c.py")
    items: Any = [Listed(Path(name), number) for name in names for number in range(20)]
    order: Any = turns.arranged(items, processes=4)
    assert len(order) == len(items) and set(order) == set(items)
    parts = [order[begin : begin + 25] for begin in range(0, 100, 25)]
    assert [item.path.name for item in parts[0][:20]] == [first] * 20
    assert [item.path.name for item in parts[1][:20]] == [second] * 20
    for name in names:  # what a file shares is made once
        numbers = [item.number for item in order if item.path.name == name]
        assert numbers == sorted(numbers)


def test_every_file_that_begins_early_is_there_once() -> None:
    for name in turns.LONGEST:
        assert len(list((ROOT / "tests").rglob(name))) == 1, name


def test_what_measures_runs_by_itself_after_all_others(pytestconfig: pytest.Config) -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]
    assert options["addopts"][-2:] == ["-m", "not alone"]
    run = (ROOT / ".ci" / "run").read_text("utf-8")
    together, alone = ('"$python" -m pytest -q -n auto --durations=20', '"$python" -m pytest -q -m alone')
    assert run.index(together) < run.index(alone)
    assert any(line.startswith("alone: ") for line in pytestconfig.getini("markers"))
