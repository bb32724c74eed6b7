"""Another program keeps a read transaction open while a real server sends and is told to hold back.

The benchmark holds the database for 80 seconds; the same, here, as long as a server takes to answer a few calls.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from benchmarks.held_database import holds, measured

from sequences_mcp.store.sqlite.connection import choose_journal


@pytest.mark.skipif(
    choose_journal(sqlite3.sqlite_version_info[:3]).mode == "wal",
    reason="with a write-ahead log no reader holds a writer up",
)
async def test_what_holds_back_and_the_receipt_of_an_email_outlast_another_programs_read(tmp_path: Path) -> None:
    found = await measured(tmp_path / "data", 0.0)
    assert holds(found), found
