"""A whole database copied into an empty one of the other kind: each row compared, and the audit's chain verified.

The target gets everything in one transaction, or a file that takes its name at the end: whatever ends the copy
half way leaves nothing there. The source is held alone meanwhile. Once the target is committed the source is
marked, and whoever opens it from then on is told where it went.

Rows are compared by their canonical form: the values of each, in the order of the names of the columns, in the
order of the primary key. Both kinds of database give the same, so that two with one dump hold the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing
from datetime import datetime
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from shutil import copyfileobj
from typing import Any, TypeAlias, cast

from sequences_mcp.domain import database_address
from sequences_mcp.domain.workspace import GUARDS_FILE, LAW_FILE, Workspace
from sequences_mcp.errors import ConflictError, InvalidArgumentsError, StoreDamagedError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.ports.safekeeping import SHARED, KeptRecord
from sequences_mcp.private_files import replacing
from sequences_mcp.store import journals
from sequences_mcp.store.audit import AuditRepository
from sequences_mcp.store.database import Database
from sequences_mcp.store.lineage import was_moved
from sequences_mcp.store.safekeeping import FolderRecords

OWN_OF_EACH = frozenset(
    {"migration", "lineage", "moved_database", "kept_record", "erasing", "last_commit", "handing_over"}
)
"""Tables that are about one database or its place, and not copied as they are."""
RowValues: TypeAlias = "tuple[Any, ...]"
Progress: TypeAlias = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class TableLayout:
    """A table: its columns by name, and those of its primary key in their order."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dump:
    """How many rows a table has, and the SHA-256 of their canonical form."""

    rows: int
    digest: str


class Side(ABC):
    """One of the two databases, open and held alone; everything raises StoreError and its kinds."""

    title: str

    @abstractmethod
    def tables(self) -> dict[str, TableLayout]:
        """Return its tables by name."""

    @abstractmethod
    def read(self, table: TableLayout) -> Generator[RowValues, None, None]:
        """Yield the rows of a table in the order of its primary key."""

    @abstractmethod
    def rows(self, name: str, /, **values: Any) -> list[Any]:
        """Return all rows of a named statement."""

    @abstractmethod
    def lineage(self) -> dict[str, Any] | None:
        """Return the row that tells which place of which host it belongs to; None where there is none."""

    @abstractmethod
    def records(self) -> Mapping[KeptRecord, str]:
        """Return what approvals are checked with."""

    @abstractmethod
    def mark_moved(self, place: str, *, now: datetime) -> None:
        """Note where it went, refuse every later change, and make that last."""


class EmptySide(Side):
    """The database that gets the rows; nothing lasts before ``finish``."""

    @abstractmethod
    def order(self, tables: Iterable[TableLayout]) -> list[TableLayout]:
        """Return tables in an order in which each follows those that it refers to."""

    @abstractmethod
    def refuses(self, value: Any) -> bool:
        """Say whether it cannot store a value that the source has."""

    @abstractmethod
    def fill(self, table: TableLayout, rows: Iterator[RowValues]) -> None:
        """Store rows in an empty table."""

    @abstractmethod
    def take_place(self, lineage: Mapping[str, Any] | None, records: Mapping[KeptRecord, str]) -> None:
        """Store where it belongs and what approvals are checked with, and set what counts rows."""

    @abstractmethod
    def finish(self) -> None:
        """Commit all of it."""


@dataclass(frozen=True, slots=True)
class MoveReport:
    """What was moved, or would be: the number of rows by table; ``source`` and ``target`` for people to read."""

    source: str
    target: str
    rows: Mapping[str, int]
    records: tuple[str, ...]
    digest: str
    audit_rows: int

    @property
    def total(self) -> int:
        """All rows."""
        return sum(self.rows.values())


def require_here(source: Side) -> None:
    """Raise StoreUnwritableError where somebody else has moved the source, before it was held alone."""
    for row in source.rows("lineage.moved"):
        raise was_moved(row, title=source.title)


def checked(source: Side, target: EmptySide | None, *, progress: Progress) -> MoveReport:
    """Read all of a source and return what a move would copy; ConflictError for what could not be."""
    broken = AuditRepository(cast("Database", source)).verify()
    if broken is not None:
        raise StoreDamagedError(
            f"Row {broken} of the audit of {source.title} does not fit its chain: a copy could not be verified.",
            next_step="Nothing was moved. `sequences-mcp doctor` says more; a backup from before may be whole.",
        )
    dumps = {}
    for table in copied_tables(source).values():
        dumps[table.name] = dump_of(source, table, target=target)
        progress(table.name, dumps[table.name].rows)
    return _report(source, target.title if target else "", dumps)


def copy_database(source: Side, target: EmptySide, *, keeps_place: bool, progress: Progress) -> MoveReport:
    """Copy everything, compare every row, verify the chain, and commit the target.

    ``keeps_place``: the data folder with its journals stays the same one; another gets copies of them.
    Raises ConflictError for rows that the target cannot hold and StoreDamagedError where the copy differs; then
    the target is as it was.
    """
    tables = copied_tables(source)
    if tables != copied_tables(target):
        raise StoreDamagedError(
            f"{source.title} and {target.title} do not have the same tables.",
            next_step="Nothing was moved. Open each with this version first: `sequences-mcp doctor`.",
        )
    dumps = {}
    for table in target.order(tables.values()):
        with closing(source.read(table)) as rows:
            watched = _Watched(_accepted(table, rows, target))
            target.fill(table, iter(watched))
        dumps[table.name] = watched.dump
        progress(table.name, watched.dump.rows)
    lineage = source.lineage()
    if lineage is not None and not keeps_place:
        lineage = {**lineage, "file": None}  # its copy is another file, in which nothing is new
    target.take_place(lineage, source.records())
    for table in tables.values():
        if dump_of(target, table) != dumps[table.name]:
            raise _differs(source, target, table)
    if target.records() != source.records():
        raise _unequal(source, target, "what approvals are checked with")
    if (broken := AuditRepository(cast("Database", target)).verify()) is not None:
        raise _unequal(source, target, f"row {broken} of the audit")
    target.finish()
    return _report(source, target.title, dumps)


def dumped(side: Side) -> dict[str, Dump]:
    """Return the canonical dump of each table."""
    return {name: dump_of(side, table) for name, table in copied_tables(side).items()}


def copied_tables(side: Side) -> dict[str, TableLayout]:
    """Return the tables whose rows are copied, by name."""
    return {name: table for name, table in sorted(side.tables().items()) if name not in OWN_OF_EACH}


def dump_of(side: Side, table: TableLayout, *, target: EmptySide | None = None) -> Dump:
    """Return the canonical dump of a table; ConflictError for a row that a ``target`` cannot hold."""
    with closing(side.read(table)) as rows:
        watched = _Watched(rows if target is None else _accepted(table, rows, target))
        for _ in watched:
            pass
    return watched.dump


class _Watched:
    """Rows on their way, whose dump is known once all have passed."""

    def __init__(self, rows: Iterable[RowValues]) -> None:
        self._rows = rows
        self._digest = sha256()
        self._number = 0

    def __iter__(self) -> Iterator[RowValues]:
        for row in self._rows:
            self._number += 1
            self._digest.update(repr(row).encode("utf-8", "surrogatepass"))
            yield row

    @property
    def dump(self) -> Dump:
        """The dump of the rows that have passed."""
        return Dump(self._number, self._digest.hexdigest())


def _accepted(table: TableLayout, rows: Iterable[RowValues], target: EmptySide) -> Iterator[RowValues]:
    for row in rows:
        if any(map(target.refuses, row)):
            named = dict(zip(table.columns, row, strict=True))
            column = next(name for name, value in named.items() if target.refuses(value))
            where = ", ".join(f"{name} {named[name]!r}" for name in table.key if not target.refuses(named[name]))
            raise ConflictError(
                f"{target.title} cannot hold a text of {table.name}.{column} ({where}): it has a NUL character.",
                next_step="Nothing was moved. Save that text anew without it; then move again.",
                data={"table": table.name, "column": column},
            )
        yield row


def _differs(source: Side, target: Side, table: TableLayout) -> StoreDamagedError:
    """Return the error for the first row of a table that is not the same on both sides."""
    places = [table.columns.index(name) for name in table.key]
    with closing(source.read(table)) as mine, closing(target.read(table)) as theirs:
        different = next((pair for pair in zip_longest(mine, theirs) if pair[0] != pair[1]), None)
    if different is not None:
        row = different[0] or different[1]
        return _unequal(source, target, f"row {', '.join(str(row[place]) for place in places)} of {table.name}")
    return _unequal(source, target, f"the table {table.name}")


def _unequal(source: Side, target: Side, what: str) -> StoreDamagedError:
    return StoreDamagedError(
        f"After the copy from {source.title}, {what} was not the same in {target.title}.",
        next_step="Nothing was moved: the source goes on as before. Please report this.",
    )


def _report(source: Side, target: str, dumps: Mapping[str, Dump]) -> MoveReport:
    whole = sha256("".join(f"{name} {dump.rows} {dump.digest}\n" for name, dump in sorted(dumps.items())).encode())
    return MoveReport(
        source=source.title,
        target=target,
        rows={name: dump.rows for name, dump in sorted(dumps.items())},
        records=tuple(record.value for record in source.records()),
        digest=whole.hexdigest(),
        audit_rows=dumps["audit"].rows,
    )


def records_in(folder: Path) -> dict[KeptRecord, str]:
    """Return what approvals are checked with in a folder; InvalidArgumentsError for a file that is no text."""
    files, results = FolderRecords(Workspace(folder)), {}
    for record in SHARED:
        try:
            text = files.read(record)
        except (OSError, ValueError) as error:
            raise InvalidArgumentsError(
                f"{files.title(record)} cannot be read: {error}.",
                next_step="Nothing was moved. Put it right.",
            ) from error
        if text is not None:
            results[record] = text
    return results


def copy_journals(folder: Path, target: Path) -> None:
    """Give another folder the journals of this one, and what its guards go by, where it has none itself."""
    for name in (journals.SENT, journals.SUPPRESSIONS, GUARDS_FILE, LAW_FILE):
        if (folder / name).is_file() and not (target / name).exists():
            with (folder / name).open("rb") as read, replacing(target / name) as file:
                copyfileobj(read, file)


def put_records_aside(folder: Path) -> None:
    """Rename the files whose texts are in a database now."""
    files = FolderRecords(Workspace(folder))
    for record in filter(files.has, SHARED):
        files.put_aside(record)


def holds_the_same(source: Side, other: Side) -> bool:
    """Say whether two databases hold the same: a move that ended between its two commits is then finished."""
    return copied_tables(source) == copied_tables(other) and dumped(source) == dumped(other)


def place_of(target: str | Path, *, host: str) -> str:
    """Return an address as it is written in settings.toml, without passwords, or a folder of a host.

    SettingsError for an address that is none.
    """
    if isinstance(target, Path):
        return f"the folder {target} on {host}"
    from sequences_mcp.store.postgres.connection import shown

    shown(target)
    return database_address.without_passwords(target)


def source_of(folder: Path, url: str | None) -> AbstractContextManager[Side]:
    """Return what holds the database of a data folder alone, or with ``url`` the one on a server."""
    if url is None:
        from sequences_mcp.store.sqlite.moving import file_as_source

        return file_as_source(folder)
    from sequences_mcp.store.postgres.moving import server_as_source

    return server_as_source(url, folder)


def target_of(
    folder: Path, target: str | Path, *, source: str, now: datetime, is_empty: bool = True
) -> AbstractContextManager[EmptySide]:
    """Return what fills an empty database at an address or in a folder; ``folder`` is the data folder of now.

    ``source`` is what is moved, for people to read. ConflictError, with ``target`` in its data, where the target
    holds anything, unless not ``is_empty``.
    """
    if isinstance(target, Path):
        from sequences_mcp.store.sqlite.moving import file_as_target

        return file_as_target(target, source=source, now=now, is_empty=is_empty)
    from sequences_mcp.store.postgres.moving import server_as_target

    return server_as_target(target, folder, now=now, is_empty=is_empty)
