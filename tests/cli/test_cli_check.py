"""``check FILE``: the guards on a file, for people and for scripts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.cli.terminal import Terminal
from tests.world.product import MAIL

BAD = {**MAIL, "content": "Hi {{firstName}},\nlook at [company]."}


def written(terminal: Terminal, *steps: dict[str, Any]) -> str:
    """Write a blueprint file and return its path."""
    return terminal.write("blueprint.json", json.dumps(list(steps), indent=1))


def test_a_sound_file_is_told_so_with_exit_status_0(terminal: Terminal) -> None:
    file = written(terminal, MAIL)
    assert terminal.run("check", file) == (0, f"{file}: nothing found.\n", "")
    assert not terminal.data.exists()  # looking at a file makes no database


def test_findings_are_told_by_line_and_column_with_exit_status_1(terminal: Terminal) -> None:
    file = written(terminal, BAD)
    said = terminal.run("check", file)
    assert (said.status, said.err) == (1, "")
    lines = said.out.splitlines()
    assert lines[0].startswith(f"{file}:7:18: error variables.spelling: ")
    assert "⟦{{firstName}}⟧" in lines[1]
    assert lines[2] == "    fix: {{firstname}}"
    assert lines[3].startswith(f"{file}:7:")
    assert lines[-1] == "2 findings."


def test_warnings_alone_end_with_exit_status_0(terminal: Terminal) -> None:
    said = terminal.run("check", written(terminal, {**MAIL, "subject": "[Remote] Senior Engineer"}))
    assert (said.status, said.err) == (0, "")
    assert " warning placeholders.ambiguous: " in said.out


def test_a_file_with_a_mark_at_its_beginning_is_read(terminal: Terminal) -> None:
    file = terminal.write("marked.json", "\ufeff" + json.dumps([MAIL]))
    assert terminal.run("check", file).status == 0


def test_the_house_policy_holds_for_files_too(terminal: Terminal) -> None:
    file = written(terminal, MAIL)
    terminal.settings["GUARDS"] = terminal.write("house.toml", 'forbidden = ["short call"]\n')
    assert terminal.run("check", file).status == 1
    terminal.settings["GUARDS"] = terminal.write("house.toml", "forbidden = 7\n")
    broken = terminal.run("check", file)
    assert (broken.status, broken.err.count("\n")) == (2, 1)
    assert "forbidden must be a list of phrases" in broken.err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'[{"id": }]', "Line 1, column 9: this is not JSON"),
        (b"\xff\xfe[]", "is not UTF-8 (byte 0)"),
        (b"{}", "The file holds no steps."),
    ],
)
def test_a_file_that_cannot_be_read_ends_with_exit_status_2(
    terminal: Terminal, content: bytes, words: str
) -> None:
    file = terminal.folder / "broken.json"
    file.write_bytes(content)
    said = terminal.run("check", str(file))
    assert (said.status, said.out) == (2, "")
    assert words in said.err


def test_no_file_and_no_command_are_told_in_the_usual_way(terminal: Terminal) -> None:
    assert terminal.run("check", str(terminal.folder / "none.json")).status == 2
    assert terminal.run("send").status == 2
    assert "Outreach sequences over MCP" in terminal.run("--help").out


def test_nothing_in_a_file_commands_the_terminal(terminal: Terminal) -> None:
    odd = {**BAD, "id": "\x1b[2J", "name": "\x1b[31m", "content": "Hi \x1b]0;owned\x07 {{firstName}} \u202e"}
    unknown = {**MAIL, "id": "two", "type": "\x1b[1m", "\x1b[7m": 1}
    file = terminal.write("name\x1b[2J.json", json.dumps([odd, unknown]))
    said = terminal.run("check", file)
    assert (said.status, "name⟨U+001B⟩[2J.json:1:" in said.out) == (1, True)
    assert not set(said.out) & set("\x1b\x07\u202e")
