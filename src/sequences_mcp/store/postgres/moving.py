"""A database on PostgreSQL as the source or the target of a move (``store.moving``)."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from sequences_mcp.errors import ConflictError, StoreBusyError, StoreError, StoreUnwritableError
from sequences_mcp.ports.safekeeping import KeptRecord
from sequences_mcp.store.moving import EmptySide, RowValues, Side, TableLayout
from sequences_mcp.store.postgres import connection as connections
from sequences_mcp.store.postgres import dialect
from sequences_mcp.store.postgres.database import host_folder
from sequences_mcp.store.postgres.schema import BEGIN, LOCK, WRITING, upgrade_postgres
from sequences_mcp.store.statements import to_micros

PATIENCE = 10.0
DURABLY = "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"
READ_AT_ONCE = 5_000
_HERE = "relnamespace = current_schema()::regnamespace"
_TABLES = f"SELECT relname::text FROM pg_class WHERE relkind = 'r' AND {_HERE}"  # noqa: S608 - our own text
_COLUMNS = (
    "SELECT c.relname::text, a.attname::text, array_position(i.indkey::int2[], a.attnum) FROM pg_class c"  # noqa: S608 - our own text
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    f" LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary WHERE c.relkind = 'r' AND c.{_HERE}"
)
_REFERENCES = (
    "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint"
    " WHERE contype = 'f' AND connamespace = current_schema()::regnamespace"
)
_COUNTERS = (
    "SELECT table_name, column_name, counter FROM (SELECT c.relname::text AS table_name, a.attname::text AS"  # noqa: S608 - our own text
    " column_name, pg_get_serial_sequence(quote_ident(c.relname), a.attname) AS counter FROM pg_class c"
    f" JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 WHERE c.relkind = 'r' AND c.{_HERE}) AS one"
    " WHERE counter IS NOT NULL"
)
# Who begins anew is told that it was moved.
OTHERS_ENDED = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND usename = current_user AND application_name = 'sequences-mcp' AND pid <> pg_backend_pid()"
)
_OF_LINEAGE = ("mark", "machine", "file", "sent_read", "suppressions_read")


class _ServerSide(Side):
    """An open transaction that keeps everybody else from writing."""

    def __init__(self, connection: connections.Connection, title: str, folder: Path) -> None:
        self.title = title
        self._connection = connection
        self._folder = host_folder(folder)

    def tables(self) -> dict[str, TableLayout]:
        """Return the tables of the schema."""
        columns_of: dict[str, dict[str, int | None]] = {}
        for table, column, place in self._query(_COLUMNS):
            columns_of.setdefault(table, {})[column] = place
        results = {}
        for name, columns in columns_of.items():
            key = sorted((place, column) for column, place in columns.items() if place is not None)
            results[name] = TableLayout(name, tuple(sorted(columns)), tuple(column for _, column in key))
        return results

    def read(self, table: TableLayout) -> Generator[RowValues, None, None]:
        """Yield the rows of a table, some thousands at a time."""
        wanted = sql.SQL("SELECT {} FROM {} ORDER BY {}").format(
            _names(table.columns), sql.Identifier(table.name), _names(table.key)
        )
        with (
            connections.driver_errors(self.title),
            self._connection.cursor(name="moved_rows", row_factory=tuple_row) as cursor,
        ):
            cursor.itersize = READ_AT_ONCE
            cursor.execute(wanted)
            yield from cursor

    def rows(self, name: str, /, **values: Any) -> list[Any]:
        """Return all rows of a named statement."""
        text = dialect.in_postgres(dialect.postgres_statement(name))
        with connections.driver_errors(self.title):
            return self._connection.execute(text.encode(), values).fetchall()

    def lineage(self) -> dict[str, Any] | None:
        """Return the row of this host's data folder."""
        rows = self.rows("lineage.present", host_folder=self._folder)
        return {name: rows[0][name] for name in _OF_LINEAGE} if rows else None

    def records(self) -> Mapping[KeptRecord, str]:
        """Return the shared records."""
        known = self._query("SELECT name, text FROM kept_record")
        return {record: text for record in KeptRecord for name, text in known if name == record.value}

    def mark_moved(self, place: str, *, now: datetime) -> None:
        """Note where it went. Programs that have it open, on any host, neither change nor read it any more."""
        why = sql.Literal(f"this database was moved to {place}")
        self._execute('INSERT INTO moved_database ("only", place, at) VALUES (1, %s, %s)', place, to_micros(now))
        for table, changes in (("audit", "INSERT"), ("kept_record", "INSERT OR UPDATE OR DELETE")):
            refusing = f"CREATE TRIGGER {table}_has_moved BEFORE {changes} ON {table} FOR EACH STATEMENT"
            self._execute(sql.SQL(refusing + " EXECUTE FUNCTION refuse({})").format(why))
        self._execute("COMMIT")
        with suppress(StoreError):  # of other users; whoever stays may not change anything
            self._execute(OTHERS_ENDED)

    def _query(self, text: str) -> list[RowValues]:
        with connections.driver_errors(self.title), self._connection.cursor(row_factory=tuple_row) as cursor:
            return cursor.execute(text.encode()).fetchall()

    def _execute(self, text: str | sql.Composed, *values: Any) -> None:
        with connections.driver_errors(self.title):
            self._connection.execute(text.encode() if isinstance(text, str) else text, values or None)


class _EmptyServer(_ServerSide, EmptySide):
    """The open transaction that fills an empty database."""

    def order(self, tables: Iterable[TableLayout]) -> list[TableLayout]:
        """Return tables so that each follows those that its rows refer to."""
        by_name = {table.name: table for table in tables}
        needs: dict[str, set[str]] = {name: set() for name in by_name}
        for table, other in self._query(_REFERENCES):
            if table != other and table in by_name and other in by_name:
                needs[table].add(other)
        results: list[TableLayout] = []
        while needs:
            ready = [name for name, others in needs.items() if not others & needs.keys()]
            results.extend(by_name[name] for name in ready)
            for name in ready or list(needs):  # tables that refer to one another would be told by the server
                del needs[name]
        return results

    def refuses(self, value: Any) -> bool:
        """Say whether a text has a NUL, which PostgreSQL stores in none."""
        return isinstance(value, str) and "\0" in value

    def fill(self, table: TableLayout, rows: Iterator[RowValues]) -> None:
        """Store rows by COPY."""
        if table.name == "secret":  # which every new database has one of
            self._execute("DELETE FROM secret")
        wanted = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), _names(table.columns))
        with (
            connections.driver_errors(self.title),
            self._connection.cursor() as cursor,
            cursor.copy(wanted) as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def take_place(self, lineage: Mapping[str, Any] | None, records: Mapping[KeptRecord, str]) -> None:
        """Store this host's place and the records, and let each counter go on after its highest number."""
        self._execute("DELETE FROM lineage")
        if lineage is not None:
            self._execute(
                "INSERT INTO lineage (folder, mark, machine, file, sent_read, suppressions_read)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                self._folder,
                *(lineage[name] for name in _OF_LINEAGE),
            )
        for record, text in records.items():
            self._execute("INSERT INTO kept_record (name, text) VALUES (%s, %s)", record.value, text)
        for table, column, counter in self._query(_COUNTERS):
            highest = sql.SQL("SELECT setval({}, coalesce(max({}), 0) + 1, false) FROM {}")
            self._execute(highest.format(sql.Literal(counter), sql.Identifier(column), sql.Identifier(table)))
        self._execute("ANALYZE")

    def require_empty(self) -> None:
        """Raise ConflictError where any row is there that opening an empty database does not write."""
        for name in sorted(self.tables()):
            if name in ("migration", "secret", "lineage", "last_commit"):
                continue
            if self._query(f"SELECT 1 FROM {name} LIMIT 1"):  # noqa: S608 - a name of the schema
                raise ConflictError(
                    f"The database {self.title} is not empty: there are rows in {name}.",
                    next_step="Nothing was moved. Name an empty database.",
                    data={"target": self.title},
                )

    def finish(self) -> None:
        """Commit; StoreBusyError where the answer is lost."""
        try:
            self._connection.execute("COMMIT")
        except psycopg.Error as error:
            raise StoreBusyError(
                f"The database {self.title} went away while the copy was stored; whether it was is not known.",
                next_step="Run the same command again: it finds out, and finishes or begins anew.",
            ) from error


@contextmanager
def server_as_source(url: str, folder: Path) -> Iterator[Side]:
    """Keep everybody else from writing, and yield the database; ``folder`` is this host's."""
    with _transaction(url) as (connection, title):
        yield _ServerSide(connection, title, folder)


@contextmanager
def server_as_target(url: str, folder: Path, *, now: datetime, is_empty: bool = True) -> Iterator[EmptySide]:
    """Yield a database with the newest schema, whose rows last when it is finished.

    Raises ConflictError where it holds anything, unless not ``is_empty``; StoreUnwritableError where no table may
    be made there, StoreTooNewError for one of a newer program.
    """
    with _transaction(url) as (connection, title):
        _require_ours(connection, title)
        with connections.driver_errors(title):
            upgrade_postgres(connection, title, now=now)
        target = _EmptyServer(connection, title, folder)
        if is_empty:
            target.require_empty()
        yield target


@contextmanager
def _transaction(url: str) -> Iterator[tuple[connections.Connection, str]]:
    """Begin a transaction that everybody else's writes wait for; what is not committed inside is rolled back."""
    pool = connections.Pool.of(url, most=1)
    try:
        connection = pool.take(PATIENCE)
        try:
            with connections.driver_errors(pool.name):
                connection.execute(
                    f"{BEGIN}; SET LOCAL lock_timeout = {round(PATIENCE * 1000)}; {DURABLY};"
                    " SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;"
                    f" SELECT pg_advisory_xact_lock({LOCK}, {WRITING})".encode()
                )
            yield connection, pool.name
        finally:
            if not connection.closed:
                try:
                    connection.execute("ROLLBACK")
                except psycopg.Error:
                    connection.close()
            pool.give_back(connection)
    finally:
        pool.release()


def _require_ours(connection: connections.Connection, title: str) -> None:
    with connections.driver_errors(title):
        tables = {str(row[0]) for row in connection.execute(_TABLES.encode()).fetchall()}
        [may_create] = connection.execute(
            "SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)"
        ).fetchone() or (False,)
    if tables and not {"migration", "blueprint_version", "audit"} <= tables:
        raise ConflictError(
            f"The database {title} is not empty: it has tables of another program.",
            next_step="Nothing was moved. Name an empty database.",
        )
    if not may_create:
        raise StoreUnwritableError(
            f"The user of {title} may not make tables there.",
            next_step="Nothing was moved. Let the user own the database, or GRANT CREATE on its schema to it.",
        )


def _names(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
