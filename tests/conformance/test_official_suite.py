"""What the protocol's own conformance suite says of the product's server class, over HTTP and in both eras."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance.fixtures import served
from tests.secrecy.hearing import heard

# Of the extension for long tasks, which neither the SDK nor this server has; the suite does not score them.
NOT_SCORED = "tasks-"
# The older revision is tried with what the newer one gives up: a server that asks for a model's answer, or logs.
pytestmark = pytest.mark.filterwarnings("ignore::mcp.MCPDeprecationWarning")
REPORT = os.environ.get("CONFORMANCE_REPORT")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with the product's tools and the suite's fixtures."""
    if not os.environ.get("CONFORMANCE") or not os.environ.get("NODE_22"):
        pytest.skip("CONFORMANCE and NODE_22 do not name the suite and the node it needs")
    with served(tmp_path_factory.mktemp("data")) as address:
        yield address


def checks(address: str, folder: Path, *arguments: str) -> dict[str, list[dict[str, str]]]:
    """Run scenarios of the suite, and return what it checked by the scenario's name."""
    command = [os.environ["NODE_22"], os.environ["CONFORMANCE"], "server", "--url", address, *arguments]
    ran = subprocess.run([*command, "-o", str(folder)], capture_output=True, text=True, timeout=300)
    heard("the conformance suite", ran.stdout + ran.stderr)
    if REPORT:
        shutil.copytree(folder, Path(REPORT) / arguments[-1], dirs_exist_ok=True)
    # server-NAME-2026-11-27T20-11-39-349Z
    found = {path.parent.name[7:-25]: json.loads(path.read_text()) for path in folder.glob("*/checks.json")}
    assert found, ran.stdout + ran.stderr
    return found


def failed(found: dict[str, list[dict[str, str]]]) -> list[str]:
    return [
        f"{scenario}: {check['id']}: {check.get('errorMessage')}"
        for scenario, made in found.items()
        if not scenario.startswith(NOT_SCORED)
        for check in made
        if check["status"] not in ("SUCCESS", "SKIPPED", "INFO")
    ]


@pytest.mark.parametrize(("revision", "least"), [("2026-07-28", 40), ("2025-11-25", 30)])
def test_every_scored_scenario_of_a_revision_passes(
    address: str, tmp_path: Path, revision: str, least: int
) -> None:
    found = checks(address, tmp_path, "--requirements", revision)
    assert failed(found) == []
    assert len([name for name in found if not name.startswith(NOT_SCORED)]) >= least


@pytest.mark.parametrize("scenario", ["sep-2640-skills-enumeration", "sep-2640-skills-manifest"])
def test_the_skills_are_served_as_the_extension_says(address: str, tmp_path: Path, scenario: str) -> None:
    [made] = checks(address, tmp_path, "--scenario", scenario).values()
    assert [check for check in made if check["status"] != "SUCCESS"] == []
    assert len(made) >= 6
