"""What the tests themselves do beside an open database leaves SQLite's locks on it alone.

POSIX gives up all locks of a process on a file when it closes any descriptor of it, whoever opened that:
https://www.sqlite.org/howtocorrupt.html, 2.2. Another process could then write into an open transaction.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest
from tests.secrecy.hearing import heard
from tests.secrecy.watch import Watch
from tests.world.data_folder import NOON, with_schema

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.store.sqlite.database import FILE_NAME, SqliteDatabase

ANOTHER_PROGRAM = """
import sqlite3, sys
try:
    sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None).execute("BEGIN IMMEDIATE")
except sqlite3.OperationalError as error:
    print(error)
else:
    print("it may write")
"""


def what_another_program_is_told(path: Path) -> str:
    """Return what SQLite answers a program that wants to write now."""
    command = [sys.executable, "-c", ANOTHER_PROGRAM, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return heard("another program", done.stdout).strip()


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_the_search_for_secrets_leaves_a_transaction_its_lock(tmp_path: Path, journal: str) -> None:
    path = tmp_path / FILE_NAME
    watch = Watch()
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(f"PRAGMA journal_mode = {journal}")
        database.execute("CREATE TABLE thing (name TEXT)")
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO thing VALUES ('a row')")
        watch._search_files("a test", tmp_path)
        assert what_another_program_is_told(path) == "database is locked"
        database.execute("COMMIT")
        assert what_another_program_is_told(path) == "it may write"
    watch.close_files()


@pytest.mark.skipif(sys.platform == "win32", reason="locks belong to the handle there")
def test_reading_a_database_as_any_other_file_would_drop_it(tmp_path: Path) -> None:
    """What the watch is careful about is so on this system."""
    path = with_schema(tmp_path) / FILE_NAME
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        path.read_bytes()
        assert what_another_program_is_told(path) == "it may write"


def test_threads_that_open_a_new_data_folder_at_once_find_one_sound_database(tmp_path: Path) -> None:
    threads, rounds = 4, 25
    together = Barrier(threads)

    def opened(number: int) -> list[str]:
        found = []
        try:
            for turn in range(rounds):
                folder = tmp_path / str(turn)
                together.wait()
                with closing(SqliteDatabase.open(Workspace(with_schema(folder)), now=NOON)) as database:
                    database.check()
                    found.append(f"{(folder / FILE_NAME).stat().st_ino}")
        except BaseException:
            together.abort()  # the others end with this one
            raise
        return found

    with ThreadPoolExecutor(threads) as pool:
        seen = list(pool.map(opened, range(threads)))
    assert all(len(set(of_turn)) == 1 for of_turn in zip(*seen, strict=True))
