"""The product on a folder of a test: one way to open it, with a clock that the test moves."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.world.clock import NOON

from sequences_mcp.store.sqlite.database import FILE_NAME, SqliteDatabase
from sequences_mcp.store.sqlite.schema import migrations


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
