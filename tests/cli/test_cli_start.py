"""A server starts whatever is wrong, and says it; a command ends with one line that says why and what to do."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from tests.secrecy.hearing import heard
from tests.world.loaded import product
from tests.world.product import SENDER


def started(folder: Path, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Start the server, or a command, as a host does, and hang up at once."""
    environ = {"SEQUENCES_DATA_DIR": str(folder), "SEQUENCES_SENDER": SENDER} | {
        f"SEQUENCES_{name}": value for name, value in settings.items()
    }
    ended = subprocess.run(
        [*product(), *command],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    heard("what a command said", ended.stdout + ended.stderr)
    return ended


def ends_with_one_line(said: subprocess.CompletedProcess[str], *words: str) -> None:
    """Require a status of 2, nothing on the wire and one line with these words."""
    assert (said.returncode, said.stdout, said.stderr.count("\n")) == (2, "", 1), said.stderr
    assert all(word in said.stderr for word in words), said.stderr


def starts_and_says(said: subprocess.CompletedProcess[str], *words: str) -> None:
    """Require a server that ran until its client left, with these words in its log."""
    assert (said.returncode, said.stdout) == (0, ""), said.stderr
    log = " ".join(said.stderr.split())
    assert all(word in log for word in words), said.stderr


def test_a_server_nobody_talks_to_ends_well(tmp_path: Path) -> None:
    said = started(tmp_path / "data")
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def test_bad_settings_are_named_together(tmp_path: Path) -> None:
    said = started(tmp_path / "data", WINDOW="always", DAILY_CAP="none", WORKR="on")
    names = "SEQUENCES_WINDOW", "SEQUENCES_DAILY_CAP", "SEQUENCES_WORKR: no such setting, did you mean"
    starts_and_says(said, *names)
    ends_with_one_line(started(tmp_path / "data", "work", WINDOW="always"), "SEQUENCES_WINDOW")
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        starts_and_says(started(folder), "Set SEQUENCES_DATA_DIR to a folder")
        ends_with_one_line(started(folder, "work", "--once"), str(folder), "Set SEQUENCES_DATA_DIR to a folder")


def test_a_database_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "sequences.db").mkdir()
    starts_and_says(started(tmp_path), "cannot be written", "permissions")
    ends_with_one_line(started(tmp_path, "review", "list"), "cannot be written", "permissions")


@pytest.mark.parametrize("command", [(), ("work", "--once"), ("review", "list")], ids=["serve", "work", "review"])
def test_a_newer_database_is_left_alone(tmp_path: Path, command: tuple[str, ...]) -> None:
    assert started(tmp_path).returncode == 0
    with closing(sqlite3.connect(tmp_path / "sequences.db")) as database:
        database.execute("PRAGMA user_version = 99")
    before = (tmp_path / "sequences.db").read_bytes()
    says = ends_with_one_line if command else starts_and_says
    says(started(tmp_path, *command), "has schema 99", "Update sequences-mcp")
    assert (tmp_path / "sequences.db").read_bytes() == before


def test_a_locked_database_is_told_as_busy_and_changes_nothing(tmp_path: Path) -> None:
    assert started(tmp_path).returncode == 0
    with closing(sqlite3.connect(tmp_path / "sequences.db")) as database:
        database.execute("BEGIN EXCLUSIVE")
        starts_and_says(started(tmp_path), "sequences.db", "Then try again")


def test_a_broken_guards_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "guards.toml").write_text("forbidden = 1", encoding="utf-8")
    starts_and_says(started(tmp_path), "forbidden must be a list of phrases", "Mend the file")
    ends_with_one_line(started(tmp_path, "review", "list"), "forbidden must be a list of phrases")


def test_work_needs_a_sender(tmp_path: Path) -> None:
    ends_with_one_line(started(tmp_path, "work", "--once", SENDER=""), "SEQUENCES_SENDER is not set")
