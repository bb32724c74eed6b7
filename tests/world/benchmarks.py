"""A benchmark in its short form, run by a test as a program of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.secrecy.hearing import heard
from tests.world.loaded import python

ROOT = Path(__file__).parents[2]
HANGS = 4 * 3600.0  # seconds: far beyond the slowest machine, it only ends what would never end


def run_benchmark(name: str, *options: str) -> str:
    """Run ``python -m benchmarks.<name>`` and return what it printed; AssertionError where it failed.

    It leads a process group, so that whatever it started ends with it, also where the test is interrupted.
    """
    command = [*python(), "-m", f"benchmarks.{name}", *options]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        out, errors = process.communicate(timeout=HANGS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert process.returncode == 0, heard(f"what {name} said", out + errors)
    return heard(f"what {name} said", out)
