"""The benchmark of imports in its short form; `python -m benchmarks.importing` takes in 200,000 rows a kind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.secrecy.hearing import heard

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(os.name != "posix", reason="what a process needed is asked of POSIX")
def test_a_short_import_of_each_kind_is_whole_little_in_memory_and_nothing_when_killed() -> None:
    command = [sys.executable, "-m", "benchmarks.importing", "--rows", "600"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, heard("what the benchmark said", done.stdout + done.stderr)
    assert "600 rows of CSV" in done.stdout and "600 rows of XLSX" in done.stdout
    assert done.stdout.count("killed as it began to save") == done.stdout.count("killed while the file was") == 2
