"""What an older version, or another program, may have left in the database: values that no tool takes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

_TRIGGER = "step_run_text_is_never_changed"
_FACTS = ("first_name", "last_name", "company", "job_title", "location", "notes")


def plant(folder: Path, plain: str, hostile: str) -> None:
    """Put one string in the place of another in every contact and every text of a data folder."""
    with closing(sqlite3.connect(folder / "sequences.db")) as database, database:
        [law] = database.execute("SELECT sql FROM sqlite_master WHERE name = ?", (_TRIGGER,)).fetchone()
        database.execute(f"DROP TRIGGER {_TRIGGER}")
        for table, columns in (("contact", _FACTS), ("step_run", ("subject", "content"))):
            for column in columns:
                database.execute(
                    f"UPDATE {table} SET {column} = replace({column}, ?, ?) WHERE instr({column}, ?)",
                    (plain, hostile, plain),
                )
        database.execute(law)
