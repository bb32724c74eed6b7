"""Workers that are killed while they hand starts over enrol nobody twice and leave nobody behind."""

from __future__ import annotations

import os

import pytest
from tests.world.benchmarks import run_benchmark


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the benchmark forks")
def test_the_promise_holds_when_workers_are_killed_at_every_point() -> None:
    said = run_benchmark("handover", "--plans", "72", "--kills", "12")
    assert "enrolled twice                     0" in said
