"""The files of chat clients: what setup writes into them, what it leaves alone, and how uninstall takes it out."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from benchmarks.wire import Child
from tests.client_setup.conftest import Home

from sequences_mcp.client_setup import json_text
from sequences_mcp.client_setup.clients import CLIENTS, ChatProgram
from sequences_mcp.settings import TABLE

README = Path(__file__).parents[2] / "README.md"

CLAUDE_DESKTOP = """{
    "globalShortcut": "Alt+Space",
    "mcpServers": {
        "filesystem": {
            "command": "npx",
            "args": ["-y", "@modelcontextprotocol/server-filesystem", "/Users/you/Desktop"]
        }
    },
    "preferences": { "menuBarEnabled": true, "note": "näher ✓ \\u00e9" }
}
"""
CLAUDE_CODE = """{"numStartups":41,"tipsHistory":{"theme-command":8},"projects":{"/x":{"mcpServers":{}}},
 "oauthAccount":{"emailAddress":"ada@lovelace.example"}}"""
CURSOR = '{\n\t"mcpServers": {\n\t\t"linear": { "url": "https://mcp.linear.app/mcp" },\n\t}\n}\n'
VS_CODE = """// My servers
{
  "inputs": [
    // asked once
    { "id": "key", "type": "promptString", "password": true, },
  ],
  "servers": {
    /* of the team */
    "github": {
      "type": "http",
      "url": "https://api.githubcopilot.com/mcp/" // no "sequences": {} here
    } // the last one
  }
}
"""
GEMINI = '{\r\n  // colours\r\n  "theme": "Default",\r\n  "mcpServers": {}\r\n}\r\n'
CODEX = """# Codex
model = "gpt-5"  # the newest

[mcp_servers.context7]
command = "npx"
args = ["-y", "@upstash/context7-mcp"]

[mcp_servers.context7.env]
MODE = "x" # why

[profiles.deep]
model_reasoning_effort = "high"
"""
REAL = {
    "claude-desktop": CLAUDE_DESKTOP,
    "claude-code": CLAUDE_CODE,
    "cursor": CURSOR,
    "vscode": VS_CODE,
    "windsurf": '\ufeff{ "mcpServers": { "a": { "command": "b" } } }',
    "gemini-cli": GEMINI,
    "codex": CODEX,
}
EMPTY = dict.fromkeys(CLIENTS, "")
BROKEN = {
    "claude-desktop": '{ "mcpServers": { "a": 1, } }',
    "claude-code": '{ "mcpServers": ',
    "cursor": '{ "mcpServers": [] }',
    "vscode": '{ "servers": {}, "servers": {} }',
    "windsurf": "null",
    "gemini-cli": '{ "mcpServers": { "a": {} } } }',
    "codex": "[mcp_servers\n",
}


def content(client: ChatProgram, text: str) -> dict[str, Any]:
    """Return what a file says."""
    text = text.removeprefix("\ufeff")
    return tomllib.loads(text) if client.form == "toml" else json_text.read_json(text, lenient=True).content


@pytest.mark.parametrize("name", CLIENTS)
def test_the_server_is_put_in_and_all_else_stays(home: Home, name: str) -> None:
    client, before = CLIENTS[name], REAL[name]
    file = home.has(name, before)
    said = home.run("setup", "--client", name, "--yes")
    assert said.status == 0, said
    after = file.read_bytes().decode()
    entry = content(client, after)[client.key].pop("sequences")
    assert Path(entry["command"]).is_absolute() and Path(entry["command"]).exists()
    assert str(file) in said.out and entry["command"] in said.out
    written = content(client, after)
    written[client.key].pop("sequences")
    was = content(client, before)
    assert written == {client.key: {}, **was}
    # Each line of before is still there, as it was and in its order; one may have got a comma at its end.
    lines = iter(after.splitlines())
    for line in before.splitlines():
        if "{}" in line or line.startswith("\ufeff") or name == "claude-code":
            continue
        assert any(
            new in (line, line.replace(" // the last one", ", // the last one")) or new == line + ","
            for new in lines
        )
    (copy,) = file.parent.glob(f"{file.name}.*.bak")
    assert copy.read_bytes().decode() == before and copy.stat().st_mode & 0o077 == 0


def test_what_the_lines_of_the_readme_write_starts_the_server(home: Home) -> None:
    lines = re.findall(r"^\|[^|]+\| `sequences-mcp (setup [^`]+)` \|$", README.read_text("utf-8"), re.MULTILINE)
    entries = []
    for line, client in zip(lines, CLIENTS.values(), strict=True):
        assert home.run(*line.split()).status == 0
        entries.append(content(client, home.file(client.name).read_text())[client.key]["sequences"])
        assert entries[-1].get("env", {}).keys() <= {setting.name for setting in TABLE}
    assert {(one["command"], *one["args"]) for one in entries} == {(entries[0]["command"], *entries[0]["args"])}
    command = [entries[0]["command"], *entries[0]["args"]]
    with Child(command, settings={**entries[0].get("env", {}), "SEQUENCES_DATA_DIR": str(home.data)}) as child:
        assert child.list_tools()


@pytest.mark.parametrize("name", CLIENTS)
@pytest.mark.parametrize("texts", [REAL, EMPTY], ids=["real", "empty"])
def test_uninstall_makes_the_file_again_what_it_was(home: Home, name: str, texts: dict[str, str]) -> None:
    home.has(name, texts[name])
    before = home.all_files()
    assert home.run("setup", "--client", name, "--yes").status == 0
    said = home.run("uninstall", "--yes")
    assert said.status == 0 and home.all_files() == before
    assert "What stays: the data folder" in said.out and str(home.data) in said.out


@pytest.mark.parametrize("name", CLIENTS)
def test_a_file_that_was_not_there_is_made_and_taken_away_again(home: Home, name: str) -> None:
    said = home.run("setup", "--client", name, "--yes")
    assert said.status == 0, said
    client = CLIENTS[name]
    assert content(client, home.file(name).read_text()) == {
        client.key: {"sequences": content(client, home.file(name).read_text())[client.key]["sequences"]}
    }
    assert home.run("uninstall", "--yes").status == 0
    assert home.all_files() == {}


@pytest.mark.parametrize("name", CLIENTS)
def test_twice_changes_nothing_the_second_time(home: Home, name: str) -> None:
    home.has(name, REAL[name])
    assert home.run("setup", "--client", name, "--yes").status == 0
    before = home.all_files()
    said = home.run("setup", "--client", name, "--yes")
    assert said.status == 0 and ": has it" in said.out
    assert home.all_files() == before


@pytest.mark.parametrize("name", CLIENTS)
def test_after_others_changed_the_file_only_the_entry_is_taken_out(home: Home, name: str) -> None:
    client, file = CLIENTS[name], home.has(name, REAL[name])
    assert home.run("setup", "--client", name, "--yes").status == 0
    text = file.read_bytes().decode()
    changed = f"{text}\n# later\n" if client.form == "toml" else f"{text}\n \n"
    file.write_text(changed, newline="")
    assert home.run("uninstall", "--yes").status == 0
    left = file.read_bytes().decode()
    assert "sequences" not in content(client, left).get(client.key, {})
    assert content(client, left) == content(client, REAL[name])
    assert left.rstrip() == REAL[name].rstrip() or client.form == "toml"
    assert "# later" in left or client.form != "toml"


@pytest.mark.parametrize("name", CLIENTS)
def test_a_file_that_is_broken_is_left_alone_and_the_block_is_printed(home: Home, name: str) -> None:
    home.has(name, BROKEN[name])
    before = home.all_files()
    said = home.run("setup", "--client", name, "--yes")
    assert said.status == 1 and "is left as it is" in said.out
    assert "command" in said.out and "sequences" in said.out
    assert home.all_files() == before


def test_what_keeps_a_file_from_being_written_is_said(home: Home) -> None:
    read_only = home.has("cursor", REAL["cursor"])
    read_only.chmod(0o444)
    home.file("windsurf").mkdir(parents=True)
    dangling = home.file("gemini-cli")
    dangling.parent.mkdir()
    dangling.symlink_to(home.folder / "nowhere" / "settings.json")
    looping = home.file("claude-code")
    looping.symlink_to(looping)
    home.has("vscode", "").write_bytes(b"\xff\xfe{\x00}\x00")
    home.has("codex", "mcp_servers = 3\n")
    before = home.all_files()
    said = home.run("setup", "--client", "all", "--yes", "--json")
    assert said.status == 1
    rows = {row["client"]: row for row in json.loads(said.out)["clients"]}
    assert {name: row["problem"] for name, row in rows.items()} == {
        "cursor": "it may only be read",
        "windsurf": "it is no file",
        "gemini-cli": "it is a link that leads nowhere",
        "claude-code": rows["claude-code"]["problem"],
        "vscode": "it is not UTF-8",
        "codex": '"mcp_servers" in it holds no entries',
    }
    assert rows["claude-code"]["problem"]
    assert home.all_files() == before


def test_a_link_stays_one_and_the_file_it_leads_to_keeps_its_mode(home: Home) -> None:
    target = home.folder / "dotfiles" / "cursor.json"
    target.parent.mkdir()
    target.write_text(REAL["cursor"])
    target.chmod(0o640)
    link = home.file("cursor")
    link.parent.mkdir()
    link.symlink_to(target)
    assert home.run("setup", "--client", "cursor", "--yes").status == 0
    assert link.is_symlink() and '"sequences"' in target.read_text()
    assert target.stat().st_mode & 0o777 == 0o640
    assert home.run("uninstall", "--yes").status == 0
    assert link.is_symlink() and target.read_text() == REAL["cursor"]


def test_an_entry_of_that_name_that_starts_another_program_is_told_and_stays_at_uninstall(home: Home) -> None:
    text = '{"mcpServers": {"sequences": {"command": "other", "args": ["run"]}}}'
    file = home.has("cursor", text)
    said = home.run("uninstall", "--yes")
    assert said.status == 0 and "starts another program and stays" in said.out
    assert file.read_text() == text
    said = home.run("setup", "--client", "cursor", "--yes")
    assert said.status == 0 and "starts another program there now, and is replaced" in said.out
    assert "other" not in file.read_text()


def test_an_earlier_command_of_this_server_is_replaced(home: Home) -> None:
    earlier = '"sequences": { "command": "uvx", "args": ["sequences-mcp@0.1.0"] }'
    text = f'{{\n  "mcpServers": {{\n    {earlier}, "a": {{}}\n  }}\n}}\n'
    file = home.has("cursor", text)
    said = home.run("setup", "--client", "cursor", "--yes")
    assert said.status == 0 and "another program" not in said.out
    assert list(json.loads(file.read_text())["mcpServers"]) == ["sequences", "a"]
    assert home.run("uninstall", "--yes").status == 0
    assert file.read_text() == text


@pytest.mark.parametrize("name", CLIENTS)
def test_a_file_that_setup_made_stays_with_what_others_put_in_since(home: Home, name: str, tmp_path: Path) -> None:
    client, file = CLIENTS[name], home.file(name)
    assert home.run("setup", "--client", name, "--yes").status == 0
    text = file.read_text()
    if client.form == "toml":
        theirs = f'{text}\n[{client.key}.linear]\ncommand = "npx"  # of the team\n'
    else:
        theirs = json_text.with_member(text, (client.key, "linear"), {"command": "npx"}, lenient=False)
    file.write_text(theirs)
    moved = {"SEQUENCES_DATA_DIR": str(tmp_path / "elsewhere")}
    (tmp_path / "elsewhere").mkdir()
    (home.data / "clients.json").rename(tmp_path / "elsewhere" / "clients.json")
    assert home.run("setup", "--client", name, "--yes", **moved).status == 0
    assert "elsewhere" in file.read_text()
    assert home.run("uninstall", "--yes", **moved).status == 0
    assert content(client, file.read_text()) == {client.key: {"linear": {"command": "npx"}}}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_file_that_only_setup_wrote_into_is_taken_away_after_a_second_setup(
    home: Home, name: str, tmp_path: Path
) -> None:
    assert home.run("setup", "--client", name, "--yes").status == 0
    moved = {"SEQUENCES_DATA_DIR": str(tmp_path / "elsewhere")}
    (tmp_path / "elsewhere").mkdir()
    (home.data / "clients.json").rename(tmp_path / "elsewhere" / "clients.json")
    assert home.run("setup", "--client", name, "--yes", **moved).status == 0
    assert home.run("uninstall", "--yes", **moved).status == 0
    assert not home.file(name).exists()


def test_a_file_of_others_stays_though_an_earlier_version_noted_it_as_made(home: Home) -> None:
    assert home.run("setup", "--client", "cursor", "--yes").status == 0
    file, memory = home.file("cursor"), home.data / "clients.json"
    text = json_text.with_member(file.read_text(), ("mcpServers", "a"), {"command": "x"}, lenient=False)
    file.write_text(text)
    noted = json.loads(memory.read_text())
    noted["files"][str(file)]["digest"] = hashlib.sha256(text.encode()).hexdigest()
    memory.write_text(json.dumps(noted))
    assert home.run("uninstall", "--yes").status == 0
    assert json.loads(file.read_text()) == {"mcpServers": {"a": {"command": "x"}}}


def test_a_moved_data_folder_goes_with_the_entry(home: Home, tmp_path: Path) -> None:
    home.has("cursor", "{}")
    moved = str(tmp_path / "elsewhere")
    assert home.run("setup", "--client", "cursor", "--yes", SEQUENCES_DATA_DIR=moved).status == 0
    entry = json.loads(home.file("cursor").read_text())["mcpServers"]["sequences"]
    assert entry["env"] == {"SEQUENCES_DATA_DIR": moved}


def test_nothing_is_written_without_a_yes(home: Home) -> None:
    home.has("cursor", REAL["cursor"])
    before = home.all_files()
    said = home.run("setup", "--client", "cursor")
    assert said.status == 2 and "Give --yes." in said.err
    assert home.all_files() == before


def test_the_clients_of_this_machine_are_listed(home: Home) -> None:
    home.has("cursor", REAL["cursor"])
    home.has("codex", CODEX)
    said = home.run("setup", "--list", "--json")
    assert [row["client"] for row in json.loads(said.out)["clients"]] == ["cursor", "codex"]
    assert home.run("setup", "--list").out.count("not yet") == 2
    printed = home.run("setup", "--print").out
    assert '"mcpServers"' in printed and "[mcp_servers.sequences]" in printed
    assert not home.data.exists()
