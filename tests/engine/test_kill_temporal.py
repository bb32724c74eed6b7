"""Processes whose clock is Temporal are killed while they send: the e-mail is unknown, and nobody gets it twice.

The short form of ``python -m benchmarks.kill_temporal``, with one kill of the real server beside it.
"""

from __future__ import annotations

import os

import pytest
from tests.world.benchmarks import run_benchmark
from tests.world.temporal import needs_temporal

GAP = ("handed_over", "dot")  # both after the e-mail counts as handed over, and before anybody wrote down ``sent``


@needs_temporal
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the benchmark forks")
def test_an_activity_killed_between_handing_over_and_sent_is_unknown_and_not_done_again() -> None:
    options = ["--messages", "3", "--kills", "2", "--processes", "1", "--restart-every", "8", "--restarts", "1"]
    said = run_benchmark("kill_temporal", *options, "--at", *GAP)
    table = dict(
        line.strip().rsplit(maxsplit=1) for line in said.splitlines() if line.rsplit(maxsplit=1)[-1].isdigit()
    )
    assert [table[f"killed at {point}"] for point in GAP] == ["1", "1"]
    assert (table["people"], table["mailed twice"]) == ("3", "0")
    assert (table["recorded sent, not delivered"], table["neither sent nor unknown"]) == ("0", "0")
    [unknown] = (line.split() for line in said.splitlines() if line.strip().startswith("unknown"))
    assert unknown[1] == "2,"  # one of each kill; the third e-mail was sent
