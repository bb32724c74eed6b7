"""What a person at a terminal expects of any command: readable help, completion, JSON, typing twice."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.terminal import PASSPHRASE, Terminal
from tests.secrecy import planted
from tests.secrecy.hearing import heard

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.review.page import serving


def test_review_without_a_command_prints_its_help_on_several_lines(terminal: Terminal) -> None:
    said = terminal.run("review")
    assert (said.status, said.err) == (0, "")
    lines = said.out.splitlines()
    assert len(lines) > 10
    assert any(line.strip().startswith("set-passphrase") for line in lines)
    assert "⟨" not in said.out


def test_doctor_gives_the_same_as_json_for_programs(terminal: Terminal) -> None:
    terminal.settings["SENDER"] = ""
    said = terminal.run("doctor", "--json")
    found = json.loads(said.out)
    assert (said.status, found["healthy"]) == (1, False)
    [sender] = [line for line in found["lines"] if line["about"] == "sender"]
    assert sender["ok"] is False
    assert "SEQUENCES_SENDER is not set" in sender["text"]
    assert {line["ok"] for line in found["lines"]} == {True, False, None}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_and_completes(terminal: Terminal, shell: str) -> None:
    if shell == "bash" and shutil.which("bash") is None:
        pytest.skip("no bash here")
    said = terminal.run("completion", shell)
    assert said.status == 0
    assert "_SEQUENCES_MCP_COMPLETE" in said.out
    words = {
        "bash": {"COMP_WORDS": "sequences-mcp review set", "COMP_CWORD": "2"},
        "zsh": {"COMP_WORDS": "sequences-mcp review set", "COMP_CWORD": "2"},
        "fish": {"COMP_WORDS": "sequences-mcp review set", "COMP_CWORD": "set"},
    }[shell]
    completed = subprocess.run(
        [sys.executable, "-m", "sequences_mcp"],
        env={**os.environ, **words, "_SEQUENCES_MCP_COMPLETE": f"{shell}_complete"},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    heard("what completion said", completed.stdout + completed.stderr)
    assert "set-passphrase" in completed.stdout


def typed(folder: Path, *answers: str) -> tuple[int, str]:
    """Choose a passphrase at a terminal of its own, typing these answers; return status and what was shown."""
    import pty

    child, keyboard = pty.fork()
    if child == 0:
        environ = {**os.environ, "SEQUENCES_DATA_DIR": str(folder)}
        os.execve(sys.executable, [sys.executable, "-m", "sequences_mcp", "review", "set-passphrase"], environ)
    shown = b""
    waiting = list(answers)
    while True:
        try:
            piece = os.read(keyboard, 1024)
        except OSError:  # Linux's way to say that the terminal's program has ended
            break
        if not piece:
            break
        shown += piece
        if waiting and piece.rstrip().endswith(b":"):
            os.write(keyboard, waiting.pop(0).encode() + b"\n")
    os.close(keyboard)
    _, status = os.waitpid(child, 0)
    text = shown.decode()
    heard("what a terminal showed", text)
    return os.waitstatus_to_exitcode(status), text


@pytest.mark.skipif(os.name != "posix", reason="a terminal of its own is POSIX's")
def test_a_new_passphrase_is_typed_twice_and_both_have_to_be_the_same(tmp_path: Path) -> None:
    status, shown = typed(tmp_path / "data", PASSPHRASE, planted.MISTYPED.value)
    assert status == 2
    assert "not the same" in shown
    assert not (tmp_path / "data" / "passphrase.json").exists()
    status, shown = typed(tmp_path / "data", PASSPHRASE, PASSPHRASE)
    assert (status, "The passphrase is set." in shown) == (0, True)
    assert PASSPHRASE not in shown


def test_the_way_to_reset_a_passphrase_is_in_the_help_and_works(terminal: Terminal) -> None:
    assert "remove passphrase.json and proof.json" in " ".join(
        terminal.run("review", "set-passphrase", "--help").out.split()
    )
    file = terminal.with_passphrase()
    assert terminal.run("review", "set-passphrase", "--passphrase-file", file).status == 2
    for name in ("passphrase.json", "proof.json"):
        (terminal.data / name).unlink(missing_ok=True)
    assert terminal.run("review", "set-passphrase", "--passphrase-file", file).status == 0
    assert "BAD" not in terminal.run("doctor").out


@pytest.mark.skipif(os.name != "posix", reason="rights are POSIX's")
def test_the_lock_of_the_page_is_private_like_its_neighbours(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        taken = serving.take_page_lock(Workspace(tmp_path / "data"))
        assert taken is not None
        taken.release()
    finally:
        os.umask(before)
    assert stat.S_IMODE(Workspace(tmp_path / "data").page_lock.stat().st_mode) == 0o600
