"""A test that measures runs while no other test of the run does, and no test waits for ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
