"""The benchmarks of the reader in their short form: races, kills, and times as ratios of two of the same run.

Their full form is `python -m benchmarks.reading`; the figures are in docs/figures.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.secrecy.hearing import heard
from tests.world.dovecot import has_dovecot

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not has_dovecot(), reason="Dovecot is not installed")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the benchmark forks")
@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("races", "0 follow-ups later than one poll interval"),
        ("kills", "0 mailed twice, 0 answers lost, 0 acted on twice"),
        ("two", "0 mailed twice, 0 answers lost, 0 acted on twice"),
        ("poll", "nothing new"),
        ("classify", "what a message is"),
        ("first", "MB of memory more"),
    ],
)
def test_the_short_form_of_each_benchmark_of_the_reader_holds(part: str, said: str) -> None:
    command = [sys.executable, "-m", "benchmarks.reading", "--quick", part]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, heard("what the benchmark said", done.stdout + done.stderr)
    assert said in done.stdout
