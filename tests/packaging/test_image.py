"""The Dockerfile copies what is there and starts what exists; the workflows may do no more than they have to."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from scripts.image import steps

from sequences_mcp.cli import command_line

ROOT = Path(__file__).resolve().parents[2]
STEPS = list(steps((ROOT / "Dockerfile").read_text("utf-8")))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_what_it_copies_is_in_the_repository_and_let_through() -> None:
    allowed = (ROOT / ".dockerignore").read_text("utf-8").split()
    copied = [step.words.split()[:-1] for step in STEPS if step.name == "COPY" and "--from" not in step.words]
    for name in (name for names in copied for name in names):
        assert (ROOT / name).exists() and f"!{name}" in allowed


def test_it_starts_the_worker_without_rights_on_a_data_folder_of_its_own() -> None:
    by_name = {step.name: step.words for step in STEPS}
    (program,), (command,) = json.loads(by_name["ENTRYPOINT"]), json.loads(by_name["CMD"])
    group = command_line()
    assert Path(program).name == "sequences-mcp" and group.get_command(click.Context(group), command)
    assert by_name["USER"] == "10001" and by_name["VOLUME"] == '["/data"]'
    assert "SEQUENCES_DATA_DIR=/data" in by_name["ENV"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_says_what_it_may_do(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "\npermissions:\n  contents: read\n" in text and "- run: bash .ci/run\n" in text
    assert "secrets." not in text  # publishing needs no stored token
    assert ("id-token: write" in text) is (path.name == "release.yml")
