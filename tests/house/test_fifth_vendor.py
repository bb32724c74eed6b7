"""Another vendor is a folder of its own and its name in one list: one is planted so, and used.

Ids, settings, what list_providers says, the database and a start are tried in a process of the planted tree.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.house.house_tree import ROOT, SRC
from tests.secrecy import planted

FIFTH = Path(__file__).parent / "fifth_vendor"
LIST = ("from sequences_mcp.vendors import clarky, kalent, topo", "for vendor in (kalent, clarky, topo)")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Plant the vendor in a copy of the package, start somebody there, and return what was told."""
    tree = tmp_path_factory.mktemp("planted")
    shutil.copytree(ROOT / SRC, tree / SRC, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(FIFTH / "pigeon", tree / SRC / "vendors/pigeon")
    registry = tree / SRC / "vendors/registry.py"
    text = registry.read_text(encoding="utf-8")
    for line in LIST:
        assert line in text
        text = text.replace(line, line.replace("topo", "topo, pigeon"))
    registry.write_text(text, encoding="utf-8")
    (tree / "data").mkdir()
    run = subprocess.run(
        [sys.executable, FIFTH / "use.py", tree / "data", planted.TOPO_KEY.value],
        env={**os.environ, "PYTHONPATH": str(tree / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found: Mapping[str, Any] = json.loads(run.stdout)
    return found


def test_its_ids_and_settings_are_known(told: Mapping[str, Any]) -> None:
    assert told["id"] == "pigeon:post"
    assert told["terms"] == "https://api.pigeon.example/v1, from the loft pigeon:loft_9"


def test_what_it_can_do_is_told_and_what_it_cannot_is_refused(told: Mapping[str, Any]) -> None:
    assert list(told["providers"]) == ["local", "pigeon"]
    assert told["providers"]["pigeon"] == ["starts", "blueprints", "sequences", "flies from pigeon:loft_9"]
    assert told["refused"] == "Pigeon has no way to list tasks over its API."


def test_a_start_of_it_is_kept_and_followed(told: Mapping[str, Any]) -> None:
    assert told["stopped"] is None
    assert told["run"] == ["pigeon", "pigeon:run_0", "FLYING"]
