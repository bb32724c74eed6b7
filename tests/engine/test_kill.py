"""A worker that is killed at every point of the protocol mails nobody twice and loses nobody silently."""

from __future__ import annotations

import os

import pytest
from tests.world.benchmarks import run_benchmark


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the benchmark forks")
@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_the_promise_holds_when_a_worker_is_killed_at_every_point(journal: str) -> None:
    said = run_benchmark("kill", "--messages", "60", "--kills", "26", "--journal", journal)
    assert "mailed twice                       0" in said
