"""The migration that takes the vendors' names out of the schema leaves every row, index and trigger as it was."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.world.data_folder import NOON

from sequences_mcp.store.sqlite.schema import migrations, upgrade
from sequences_mcp.vendors.registry import DESCRIPTIONS

STEPS = migrations()
NUMBER = next(step.version for step in STEPS if step.name == "any_vendor")
TABLES = ("sequence", "vendor_operation")
AT_TOPO = """
INSERT INTO sequence (id, plan_no, version_no, contact_no, ordinal, status, variables, time_zone, warnings,
                      created_at, updated_at, lane, provider, handover)
SELECT 'local:seq_topo', plan_no, version_no, contact_no, 99, 'FOUND', '{}', 'UTC', 0, 1, 1, 'free', ?, '{}'
FROM sequence LIMIT 1
"""
OPERATION = """
INSERT INTO vendor_operation (id, provider, tool, subject, fingerprint, request, state, actor, created_at,
                              lease_expires_at)
VALUES (?, ?, 'stop_sequence', ?, 'f', '{}', 'unknown', 'tester', 1, 1)
"""


def upgraded(database: sqlite3.Connection, path: Path, *, to: int) -> None:
    """Bring an older database as far as one version."""
    upgrade(database, path, now=NOON, steps=STEPS[:to])


@pytest.fixture(params=["schema_6", "schema_20_signed"])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[sqlite3.Connection, Path]]:
    """A database of an older version as it was just before the migration, with a run and a write at a vendor."""
    path = tmp_path / "sequences.db"
    shutil.copy(Path(__file__).parent / str(request.param) / "sequences.db", path)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        upgraded(database, path, to=NUMBER - 1)
        database.execute(AT_TOPO, ["topo"])
        database.execute(OPERATION, ["local:op_1", "topo", "topo:1"])
        yield database, path


def rows(database: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    return database.execute(f"SELECT * FROM {table} ORDER BY no").fetchall()  # a name of TABLES


def columns(database: sqlite3.Connection, table: str) -> list[str]:
    return [str(row[1]) for row in database.execute(f"PRAGMA table_info({table})")]


def indexes_and_triggers(database: sqlite3.Connection) -> set[tuple[str, str, str]]:
    return set(
        database.execute(
            "SELECT type, name, coalesce(sql, '') FROM sqlite_schema WHERE type IN ('index', 'trigger')"
        ).fetchall()
    )


def test_rows_columns_indexes_and_triggers_are_what_they_were(older: tuple[sqlite3.Connection, Path]) -> None:
    database, path = older
    before = {table: (columns(database, table), rows(database, table)) for table in TABLES}
    around = indexes_and_triggers(database)
    upgraded(database, path, to=NUMBER)
    assert {table: (columns(database, table), rows(database, table)) for table in TABLES} == before
    assert all(len(found) > 0 for _, found in before.values())
    assert indexes_and_triggers(database) == around
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_another_vendor_is_kept_afterwards_and_nothing_of_it_is_due(
    older: tuple[sqlite3.Connection, Path],
) -> None:
    database, path = older
    with pytest.raises(sqlite3.IntegrityError):
        database.execute(OPERATION, ["local:op_2", "pigeon", "pigeon:1"])
    upgraded(database, path, to=NUMBER)
    database.execute("UPDATE sequence SET ordinal = 98 WHERE ordinal = 99")
    database.execute(AT_TOPO.replace("seq_topo", "seq_pigeon"), ["pigeon"])
    database.execute(OPERATION, ["local:op_2", "pigeon", "pigeon:1"])
    for wrong in (
        "UPDATE sequence SET next_run_at = 1, status = 'ACTIVE', operation_id = 'o' WHERE provider = 'pigeon'",
        "UPDATE sequence SET provider = 'topo' WHERE provider = 'pigeon'",
        "UPDATE sequence SET status = 'ACTIVE' WHERE provider = 'pigeon'",
        "DELETE FROM sequence WHERE provider = 'pigeon'",
        "UPDATE vendor_operation SET provider = 'local'",
        "DELETE FROM vendor_operation",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            database.execute(wrong)


def test_the_schema_names_no_vendor(tmp_path: Path) -> None:
    path = tmp_path / "sequences.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        upgraded(database, path, to=len(STEPS))
        schema = " ".join(sql for (sql,) in database.execute("SELECT coalesce(sql, '') FROM sqlite_schema"))
    assert not [name for name in DESCRIPTIONS if name in schema.lower()]
