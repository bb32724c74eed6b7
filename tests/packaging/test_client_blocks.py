"""The configuration blocks of the README do what they say when pasted as printed."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.wire import PRODUCT, Child

from sequences_mcp.settings import TABLE

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def servers() -> Iterator[dict[str, Any]]:
    """Yield each server that a JSON block or a `claude mcp add` line of the README configures."""
    for block in re.findall(r"^```json\n(.*?)^```", README, re.DOTALL | re.MULTILINE):
        yield from next(iter(json.loads(block).values())).values()
    for line in re.findall(r"^claude mcp add .+$", README, re.MULTILINE):
        options, command = shlex.split(line.partition(" -- ")[0]), shlex.split(line.partition(" -- ")[2])
        given = (options[at + 1].partition("=") for at, word in enumerate(options) if word == "--env")
        yield {"command": command[0], "args": command[1:], "env": {name: value for name, _, value in given}}


SERVERS = list(servers())


def test_the_readme_configures_three_kinds_of_client() -> None:
    assert len(SERVERS) == 3


@pytest.mark.parametrize("server", SERVERS, ids=["desktop and Cursor", "VS Code", "Claude Code"])
def test_a_block_starts_the_command_with_settings_that_exist(server: dict[str, Any], tmp_path: Path) -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert server["command"] in scripts
    assert server["env"].keys() <= {setting.name for setting in TABLE}
    settings = {**server["env"], "SEQUENCES_DATA_DIR": str(tmp_path)}
    with Child([*PRODUCT, *server.get("args", [])], settings=settings) as child:
        assert child.list_tools()
