"""A data folder of a test and the one clock of the tests: all that the engine alone needs, and light to import."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sequences_mcp.store.sqlite.database import FILE_NAME, SqliteDatabase
from sequences_mcp.store.sqlite.schema import migrations

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday


@dataclass
class Clock:
    """What every part that is told the time is given."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def forward(self, **span: float) -> None:
        """Move on by a span of time."""
        self.now += timedelta(**span)


def with_schema(folder: Path) -> Path:
    """Return a data folder that has a database: where there is none, one of the newest schema, as yet unopened.

    Making it from nothing takes longer than most tests, so that it is made once a process and copied. The tests of
    the store make theirs from nothing.
    """
    file = folder / FILE_NAME
    if not file.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_bytes(_empty_database())
    return folder


@cache
def _empty_database() -> bytes:
    with TemporaryDirectory() as made:
        # With no lineage: each copy begins its own.
        SqliteDatabase.open(Path(made), now=NOON, steps=migrations()).close()
        return (Path(made) / FILE_NAME).read_bytes()
