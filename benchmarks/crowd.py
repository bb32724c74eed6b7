"""A database with a crowd asleep in it: copies of one real person's sequence, each due a year from now."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

YEAR = 365 * 24 * 3600 * 1_000_000
FIRST = 1_000_000_000  # above every number the product gave out

CONTACTS = {
    "no": f"{FIRST} + i",
    "id": "'local:ct_' || printf('%026d', i)",
    "email": "'person.' || i || '@crowd.example'",
    "email_key": "'person.' || i || '@crowd.example'",
}
SEQUENCES = {
    "no": f"{FIRST} + i",
    "id": "'local:seq_' || printf('%026d', i)",
    "contact_no": f"{FIRST} + i",
    "ordinal": "i",
    "status": "'ACTIVE'",
    "anchor": "created_at",
    "next_run_at": ":due + i",
}
STEPS = {"no": f"{FIRST} + i", "sequence_no": f"{FIRST} + i", "key": "printf('%026d', i)", "state": "'planned'"}


def fall_asleep(database: Path, count: int) -> None:
    """Add so many sleeping sequences, modelled on the only person in the file, who has one step."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        due = int(time.time() * 1_000_000) + YEAR
        for table, changed in (("contact", CONTACTS), ("sequence", SEQUENCES), ("step_run", STEPS)):
            _copy(connection, table, changed, {"count": count, "due": due})


def _copy(
    connection: sqlite3.Connection, table: str, changed: Mapping[str, str], values: Mapping[str, int]
) -> None:
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    cells = [changed.get(column, column) for column in columns]
    connection.execute(
        f"WITH RECURSIVE crowd (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM crowd WHERE i < :count) "
        f"INSERT INTO {table} ({', '.join(columns)}) "
        f"SELECT {', '.join(cells)} FROM {table}, crowd WHERE {table}.no < {FIRST}",
        values,
    )
