"""A test that measures runs while no other test of the run does, and no test waits for ever."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests import turns

ROOT = Path(__file__).parents[2]
TESTS = """
import time
from pathlib import Path
import pytest

def interval(request, name):
    came = time.monotonic_ns()
    seen = sum(range(200_000))
    Path(request.config.rootpath, f"{name}.seen").write_text(f"{came} {time.monotonic_ns()}")
    assert seen

@pytest.mark.parametrize("number", range(40))
def test_others(request, number):
    interval(request, f"other{number}")

@pytest.mark.alone
@pytest.mark.parametrize("number", range(4))
def test_measures(request, number):
    interval(request, f"alone{number}")
"""


@dataclass(frozen=True)
class Listed:
    """A test in a list of tests, as far as its order depends on it."""

    path: Path
    number: int
    alone: bool = False

    def get_closest_marker(self, name: str) -> str | None:
        """Return a mark of the test."""
        return name if self.alone and name == "alone" else None


def test_what_measures_comes_first_and_what_takes_longest_begins_each_part() -> None:
    first, second = turns.LONGEST[:2]
    names = ("test_a.py", first, "test_b.py", second, "test_c.py")
    items: Any = [Listed(Path(name), number, alone=number == 7) for name in names for number in range(20)]
    order: Any = turns.arranged(items, processes=4)
    assert len(order) == len(items) and set(order) == set(items)
    assert all(item.alone for item in order[:5])
    parts = [order[begin : begin + 25] for begin in range(0, 100, 25)]
    assert [item.path.name for item in parts[1][turns.SHORT :][:19]] == [first] * 19
    assert [item.path.name for item in parts[2][turns.SHORT :][:19]] == [second] * 19
    for name in names:  # what a file shares is made once
        numbers = [item.number for item in order if item.path.name == name and not item.alone]
        assert numbers == sorted(numbers)


def test_every_file_that_begins_early_is_there_once() -> None:
    for name in turns.LONGEST:
        assert len(list((ROOT / "tests").rglob(name))) == 1, name


@pytest.mark.skipif(sys.platform == "win32", reason="the locks are those of POSIX")
def test_what_measures_has_the_machine_to_itself(tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    (tmp_path / "test_turns_taken.py").write_text(TESTS, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "xdist",
        "-n",
        "3",
        "--dist",
        "worksteal",
        "-p",
        "tests.conftest",
    ]
    command += ["-c", os.devnull, "--rootdir", str(tmp_path), "-p", "no:cacheprovider"]
    command += ["--basetemp", str(tmp_path / "run"), str(tmp_path)]
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environ)
    assert "44 passed" in ran.stdout, ran.stdout + ran.stderr
    seen = {file.stem: tuple(map(int, file.read_text().split())) for file in tmp_path.glob("*.seen")}
    assert len(seen) == 44
    for name in filter(lambda name: name.startswith("alone"), seen):
        came, went = seen[name]
        assert [other for other, (a, b) in seen.items() if other != name and a < went and came < b] == []
