"""Where each client's file is on each system, and how a client starts this server there."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from sequences_mcp.client_setup.clients import CLIENTS, Machine, clients_here, start_command, starts_this_server

HOME = Path("/home/you")
PLACES = {
    ("Darwin", "claude-desktop"): "Library/Application Support/Claude/claude_desktop_config.json",
    ("Linux", "claude-desktop"): ".config/Claude/claude_desktop_config.json",
    ("Windows", "claude-desktop"): "AppData/Roaming/Claude/claude_desktop_config.json",
    ("Darwin", "claude-code"): ".claude.json",
    ("Windows", "cursor"): ".cursor/mcp.json",
    ("Darwin", "vscode"): "Library/Application Support/Code/User/mcp.json",
    ("Linux", "vscode"): ".config/Code/User/mcp.json",
    ("Windows", "vscode"): "AppData/Roaming/Code/User/mcp.json",
    ("Linux", "windsurf"): ".codeium/windsurf/mcp_config.json",
    ("Darwin", "gemini-cli"): ".gemini/settings.json",
    ("Linux", "codex"): ".codex/config.toml",
}


@pytest.mark.parametrize(("system", "client"), PLACES)
def test_each_client_has_its_place_on_each_system(system: str, client: str) -> None:
    file, _ = CLIENTS[client].places(Machine(system=system, home=HOME, environ={}))
    assert file == HOME / PLACES[system, client]


MOVED = {
    "XDG_CONFIG_HOME": ("Linux", "vscode", "Code/User/mcp.json"),
    "APPDATA": ("Windows", "claude-desktop", "Claude/claude_desktop_config.json"),
    "CLAUDE_CONFIG_DIR": ("Darwin", "claude-code", ".claude.json"),
    "CODEX_HOME": ("Linux", "codex", "config.toml"),
}


@pytest.mark.parametrize("variable", MOVED)
def test_a_variable_of_the_client_or_the_system_moves_it(variable: str) -> None:
    system, client, below = MOVED[variable]
    machine = Machine(system=system, home=HOME, environ={variable: "/elsewhere"})
    assert CLIENTS[client].places(machine)[0] == Path("/elsewhere") / below


def test_claude_desktop_as_a_package_of_windows_reads_the_file_of_its_container(tmp_path: Path) -> None:
    inside = tmp_path / "AppData/Local/Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming/Claude"
    inside.mkdir(parents=True)
    (tmp_path / "AppData/Roaming/Claude").mkdir(parents=True)
    machine = Machine(system="Windows", home=tmp_path, environ={})
    ((client, file),) = clients_here(machine)
    assert (client.name, file) == ("claude-desktop", inside / "claude_desktop_config.json")


def test_a_machine_without_clients_has_none(tmp_path: Path) -> None:
    assert not list(clients_here(Machine(system="Linux", home=tmp_path, environ={})))


def test_the_command_is_the_script_beside_the_interpreter_or_the_interpreter(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    assert start_command(python, which=lambda name: None) == (str(python), "-m", "sequences_mcp")
    script = python.with_name("sequences-mcp")
    script.touch()
    assert start_command(python, which=lambda name: None) == (str(script),)


def test_what_ran_out_of_a_cache_is_started_by_what_fills_it() -> None:
    of_uv = Path("/home/you/.cache/uv/archive-v0/abc/bin/python")
    of_pipx = Path("/home/you/.cache/pipx/abc/bin/python")
    there = {"uvx": "/usr/bin/uvx", "pipx": "/usr/bin/pipx"}.get
    assert start_command(of_uv, which=there) == ("/usr/bin/uvx", "sequences-mcp")
    assert start_command(of_pipx, which=there) == ("/usr/bin/pipx", "run", "sequences-mcp")
    assert start_command(of_uv, which={"uv": "/bin/uv"}.get) == ("/bin/uv", "tool", "run", "sequences-mcp")


OURS = [
    {"command": "sequences-mcp"},
    {"command": "uvx", "args": ["sequences-mcp"]},
    {"command": "uvx", "args": ["sequences-mcp@0.1.0"], "env": {}},
    {"command": "C:\\Users\\you\\Scripts\\sequences-mcp.exe", "args": []},
    {"command": "/usr/bin/python3", "args": ["-m", "sequences_mcp"]},
]


@pytest.mark.parametrize("entry", OURS, ids=lambda entry: PurePosixPath(str(entry["command"])).name)
def test_an_entry_of_this_server_is_recognised(entry: object) -> None:
    assert starts_this_server(entry)
    others: tuple[object, ...] = (None, [], "sequences-mcp", {"command": "other-sequences-mcp"}, {"args": 3})
    for other in (*others, {"command": ["x"]}):
        assert not starts_this_server(other)
