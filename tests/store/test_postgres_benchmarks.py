"""The benchmarks on PostgreSQL in their short forms: that they run, and what they say."""

from __future__ import annotations

import sys

import pytest
from tests.world.benchmarks import run_benchmark
from tests.world.database_server import server_programs

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(server_programs() is None, reason="PostgreSQL's programs are not here"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what a process needs is read from /proc"),
]


def test_steps_are_done_by_one_worker_and_by_two_on_both_kinds_of_store() -> None:
    said = run_benchmark("steps", "--steps", "8", "--workers", "1", "2", "--rounds", "1")
    assert said.count("steps/s, a step takes") == 4 and said.count("PostgreSQL over SQLite") == 2


def test_the_runs_of_a_company_are_stopped_on_both_kinds_of_store() -> None:
    said = run_benchmark("stop_company", "--runs", "20")
    assert said.count("20 runs of a company stopped on") == 2


def test_rows_are_weighed() -> None:
    assert "step_run" in run_benchmark("sizes_postgres", "--runs", "40", "--sent", "5")


def test_an_idle_worker_stays_within_its_budget() -> None:
    assert "at most 90 resident" in run_benchmark("idle_postgres")
