"""The records that approvals are checked with, as rows of a database on PostgreSQL that all hosts share.

They are asked for beside the transactions of the store, also while one is open in the same thread: a signature is
verified in the transaction that takes an e-mail. So they have connections of their own; waiting for one of the
store's could wait for itself.

Versions before these rows had a file of each record on every host. The first host that asks for one that the
database lacks gives its own file to it, and renames the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import StoreUnwritableError
from sequences_mcp.ports.safekeeping import OF_HOST, KeptRecord, Safekeeping
from sequences_mcp.store.postgres import connection as connections

if TYPE_CHECKING:
    from sequences_mcp.store.safekeeping import FolderRecords

PATIENCE = 10.0
NUL = "\0"
_READ = "SELECT text FROM kept_record WHERE name = %s"
_WRITE = (
    "INSERT INTO kept_record (name, text) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET text = excluded.text"
)
_BEGIN = "INSERT INTO kept_record (name, text) VALUES (%s, %s) ON CONFLICT (name) DO NOTHING"
_SWAP = "UPDATE kept_record SET text = %s WHERE name = %s AND text = %s"
_DELETE = "DELETE FROM kept_record WHERE name = %s"


class ServerRecords(Safekeeping):
    """The shared records as rows; those of this host stay files of its folder."""

    def __init__(self, workspace: Workspace, url: str, *, beside: FolderRecords) -> None:
        self.workspace = workspace
        self._url = url
        self._files = beside

    def has(self, record: KeptRecord) -> bool:
        """Say whether there is such a record; StoreError."""
        return self._files.has(record) if record in OF_HOST else self.read(record) is not None

    def read(self, record: KeptRecord) -> str | None:
        """Return the text of a record; StoreError."""
        if record in OF_HOST:
            return self._files.read(record)
        try:
            row, _ = self._ask(_READ, record.value)
        except psycopg.errors.UndefinedTable:  # nobody has opened this database yet: its schema is older, or none
            return None
        return self._given(record) if row is None else str(row[0])

    def _given(self, record: KeptRecord) -> str | None:
        """Give this host's file of an earlier version to the database, and return what counts from then on."""
        if not self._files.has(record):
            return None
        text = self._files.read(record)
        if text is not None and NUL in text:  # damaged: the server can hold no such text
            return text
        if text is None or not self.swap(record, None, text):
            return self.read(record)
        self._files.put_aside(record)
        return text

    def write(self, record: KeptRecord, text: str) -> None:
        """Store a record; StoreError."""
        if record in OF_HOST:
            self._files.write(record, text)
        else:
            self._change(_WRITE, record.value, text)

    def swap(self, record: KeptRecord, before: str | None, text: str) -> bool:
        """Store a record where it still is ``before``; StoreError."""
        if record in OF_HOST:
            return self._files.swap(record, before, text)
        if before is None or NUL in before:
            return self._change(_BEGIN, record.value, text) > 0
        return self._change(_SWAP, text, record.value, before) > 0

    def delete(self, record: KeptRecord) -> None:
        """Delete a record; StoreError."""
        if record in OF_HOST:
            self._files.delete(record)
        else:
            self._change(_DELETE, record.value)

    def title(self, record: KeptRecord) -> str:
        """Return the row of a record, or its file."""
        if record in OF_HOST:
            return self._files.title(record)
        return f"the row {record.value} of kept_record in {connections.shown(self._url)}"

    def _change(self, sql: str, *values: str) -> int:
        try:
            return self._ask(sql, *values)[1]
        except psycopg.errors.UndefinedTable as error:
            raise StoreUnwritableError(
                f"The database {connections.shown(self._url)} was not opened by this version yet.",
                next_step="Run `sequences-mcp doctor`, which brings it up to date; then do this again.",
            ) from error

    def _ask(self, sql: str, *values: str) -> tuple[connections.PostgresRow | None, int]:
        """Return the first row of an answer, and how many rows were read or changed.

        A connection that the server has ended meanwhile is replaced: each statement has the same effect when it is
        executed again, but for one that was stored and whose answer was lost, which then reads as not stored.
        """
        with connections.Pool.for_records(self._url) as pool:
            for left in connections.pauses(PATIENCE):
                connection = pool.take(left)
                try:
                    pool.require_here(connection)
                    cursor = connection.execute(sql.encode(), values)
                    row = cursor.fetchone() if cursor.description else None
                    return row, cursor.rowcount
                except psycopg.errors.UndefinedTable:
                    raise
                except psycopg.Error as error:
                    if not connections.is_lost(error, connection):
                        raise connections.server_error(error, pool.name) from error
                    connection.close()
                finally:
                    pool.give_back(connection)
            raise connections.unreachable(pool.name)
