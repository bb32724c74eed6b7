"""A SQLite database as the source or the target of a move (``store.moving``)."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import ConflictError
from sequences_mcp.ports.safekeeping import KeptRecord
from sequences_mcp.private_files import on_disk, sync_folder
from sequences_mcp.store import moving
from sequences_mcp.store.filesystem import make_folder, take_alone
from sequences_mcp.store.moving import EmptySide, RowValues, Side, TableLayout
from sequences_mcp.store.safekeeping import FolderRecords
from sequences_mcp.store.sqlite.connection import translated
from sequences_mcp.store.sqlite.schema import migrations, upgrade
from sequences_mcp.store.statements import statement, to_micros

UNFINISHED = ".moving"  # ends the name of a file that is being filled
_OF_LINEAGE = ("mark", "machine", "file", "sent_read", "suppressions_read")


class _SqliteSide(Side):
    """An open file."""

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self.path = Workspace(folder).database
        self.title = str(self.path)
        self._connection = connection

    def tables(self) -> dict[str, TableLayout]:
        """Return the tables of the file."""
        results = {}
        for (name,) in self._query("SELECT name FROM sqlite_schema WHERE type = 'table'"):
            columns = self._query(f"PRAGMA table_info({name})")
            key = sorted((row[5], row[1]) for row in columns if row[5])
            results[name] = TableLayout(
                name, tuple(sorted(row[1] for row in columns)), tuple(column for _, column in key)
            )
        return results

    def read(self, table: TableLayout) -> Generator[RowValues, None, None]:
        """Yield the rows of a table, read as they are wanted."""
        columns, key = _names(table.columns), _names(table.key)
        with translated(self.path):
            yield from self._connection.execute(f"SELECT {columns} FROM {table.name} ORDER BY {key}")  # noqa: S608 - names of the schema

    def rows(self, name: str, /, **values: Any) -> list[Any]:
        """Return all rows of a named statement."""
        with translated(self.path), closing(self._connection.cursor()) as cursor:
            cursor.row_factory = sqlite3.Row
            return cursor.execute(statement(name), values).fetchall()

    def lineage(self) -> dict[str, Any] | None:
        """Return the one row of its lineage."""
        rows = self.rows("lineage.present")
        return {name: rows[0][name] for name in _OF_LINEAGE} if rows else None

    def records(self) -> Mapping[KeptRecord, str]:
        """Return the files of the folder."""
        return moving.records_in(self.folder)

    def mark_moved(self, place: str, *, now: datetime) -> None:
        """Note where it went; the files of its records are renamed."""
        self._query("INSERT INTO moved_database (only, place, at) VALUES (1, ?, ?)", (place, to_micros(now)))
        self._query("COMMIT")
        moving.put_records_aside(self.folder)

    def _query(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with translated(self.path):
            return self._connection.execute(sql, values).fetchall()


class _NewFile(_SqliteSide, EmptySide):
    """A file under another name, which becomes the folder's database at the end."""

    def __init__(
        self, folder: Path, connection: sqlite3.Connection, unfinished: Path, *, aside: Path | None = None
    ) -> None:
        super().__init__(folder, connection)
        self._unfinished = unfinished
        self._aside = aside
        self._records: Mapping[KeptRecord, str] = {}

    def order(self, tables: Iterable[TableLayout]) -> list[TableLayout]:
        """Return them as they come: references are checked at the end."""
        return list(tables)

    def refuses(self, value: Any) -> bool:
        """Say that all is taken: whatever a server has a file can hold."""
        return False

    def fill(self, table: TableLayout, rows: Iterator[RowValues]) -> None:
        """Store rows."""
        marks = ", ".join("?" for _ in table.columns)
        with translated(self.path):
            self._connection.execute(f"DELETE FROM {table.name}")  # noqa: S608 - names of the schema
            self._connection.executemany(
                f"INSERT INTO {table.name} ({_names(table.columns)}) VALUES ({marks})",  # noqa: S608 - names of the schema
                rows,
            )

    def take_place(self, lineage: Mapping[str, Any] | None, records: Mapping[KeptRecord, str]) -> None:
        """Store where it belongs; the records are written as files once all is there."""
        if lineage is not None:
            values = tuple(lineage[name] for name in _OF_LINEAGE)
            self._query(f"INSERT INTO lineage (only, {_names(_OF_LINEAGE)}) VALUES (1, ?, ?, ?, ?, ?)", values)  # noqa: S608 - names of the schema
        self._records = records

    def records(self) -> Mapping[KeptRecord, str]:
        """Return those that are about to be written."""
        return self._records

    def finish(self) -> None:
        """Check the references, bring the file to the disk, and give it its name."""
        [wrong] = self._query("SELECT count(*) FROM pragma_foreign_key_check")[0]
        if wrong:
            raise ConflictError(
                f"{wrong} rows refer to rows that are not there.",
                next_step="Nothing was moved. Please report this.",
            )
        self._query("COMMIT")
        self._connection.close()
        with self._unfinished.open("rb+") as file:
            on_disk(file.fileno())
        files = FolderRecords(Workspace(self.folder))
        for record, text in self._records.items():
            files.write(record, text)
        if self._aside is not None:
            self.path.replace(self._aside)
        self._unfinished.replace(self.path)
        sync_folder(self.folder)


@contextmanager
def file_as_source(folder: Path) -> Iterator[Side]:
    """Hold a folder's database alone, and yield it; ConflictError where anything uses it."""
    path = Workspace(folder).database
    with _alone(folder), closing(_connected(path)) as connection:
        with translated(path):
            connection.execute("BEGIN IMMEDIATE")
        yield _SqliteSide(folder, connection)


@contextmanager
def file_as_target(folder: Path, *, source: str, now: datetime, is_empty: bool = True) -> Iterator[EmptySide]:
    """Yield a new database for a folder, whose name it takes when it is finished; else nothing stays of it.

    A database that is there already is put aside where it was moved to ``source``; ConflictError where not. Unless
    ``is_empty`` the one that is there is yielded, to be read.
    """
    make_folder(folder)
    path = Workspace(folder).database
    if not is_empty:
        with _alone(folder), closing(_connected(path)) as connection:
            yield _NewFile(folder, connection, path)
        return
    unfinished = path.with_name(f"{path.name}{UNFINISHED}")
    with _alone(folder):
        aside = _require_free(path, source, now=now)
        unfinished.unlink(missing_ok=True)
        try:
            with closing(sqlite3.connect(unfinished, isolation_level=None)) as connection, translated(path):
                unfinished.chmod(0o600)
                connection.execute("PRAGMA journal_mode = memory")
                connection.execute("PRAGMA synchronous = off")  # brought to the disk at the end, or thrown away
                upgrade(connection, path, now=now, steps=migrations())
                connection.execute("PRAGMA foreign_keys = off")
                connection.execute("BEGIN IMMEDIATE")
                yield _NewFile(folder, connection, unfinished, aside=aside)
        finally:
            unfinished.unlink(missing_ok=True)


def _require_free(path: Path, source: str, *, now: datetime) -> Path | None:
    """Return the name that the moved database of before gets; None where there is none."""
    if not path.exists():
        return None
    with closing(_connected(path)) as connection, suppress(sqlite3.Error):
        rows = connection.execute("SELECT place FROM moved_database").fetchall()
        if rows and rows[0][0] == source:
            return path.with_name(f"{path.name}.replaced-{now:%Y%m%dT%H%M%SZ}")
    raise ConflictError(
        f"There is a database in {path.parent} already.",
        next_step="Nothing was moved. Give a folder without one.",
        data={"target": str(path)},
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    lock = take_alone(folder)
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


def _connected(path: Path) -> sqlite3.Connection:
    with translated(path):
        return sqlite3.connect(path, timeout=10, isolation_level=None)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
