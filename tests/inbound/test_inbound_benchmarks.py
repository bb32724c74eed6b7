"""The benchmarks of the reader in their short form: races, kills, and times as ratios of two of the same run.

Their full form is `python -m benchmarks.reading`; the figures are in docs/figures.md.
"""

from __future__ import annotations

import os

import pytest
from tests.world.benchmarks import run_benchmark
from tests.world.dovecot import has_dovecot


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
    assert said in run_benchmark("reading", "--quick", part)
