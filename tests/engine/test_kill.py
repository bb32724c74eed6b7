"""A worker that is killed at every point of the protocol mails nobody twice and loses nobody silently."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.secrecy.hearing import heard

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "kill.py"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the benchmark forks")
@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_the_promise_holds_when_a_worker_is_killed_at_every_point(journal: str) -> None:
    command = [sys.executable, str(BENCHMARK), "--messages", "60", "--kills", "26", "--journal", journal]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, heard("what the benchmark said", done.stdout + done.stderr)
    assert "mailed twice                       0" in done.stdout
