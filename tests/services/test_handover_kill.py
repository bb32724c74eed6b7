"""Workers that are killed while they hand starts over enrol nobody twice and leave nobody behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.secrecy.hearing import heard

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the benchmark forks")
def test_the_promise_holds_when_workers_are_killed_at_every_point() -> None:
    command = [sys.executable, "-m", "benchmarks.handover", "--plans", "120", "--kills", "14"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, heard("what the benchmark said", done.stdout + done.stderr)
    assert "enrolled twice                     0" in done.stdout
