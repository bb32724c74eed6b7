"""The benchmark of imports in its short form; `python -m benchmarks.importing` takes in 200,000 rows a kind."""

from __future__ import annotations

import os

import pytest
from tests.world.benchmarks import run_benchmark


@pytest.mark.skipif(os.name != "posix", reason="what a process needed is asked of POSIX")
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_short_import_of_each_kind_is_whole_little_in_memory_and_nothing_when_killed(kind: str) -> None:
    said = run_benchmark("importing", "--rows", "600", kind)
    assert f"600 rows of {kind.upper()}" in said
    assert said.count("killed as it began to save") == said.count("killed while the file was") == 1
