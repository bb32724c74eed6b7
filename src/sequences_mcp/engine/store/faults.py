"""What SQLite complains about, in the words of this product."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sequences_mcp.errors import (
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreUnwritableError,
)

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNWRITABLE = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
}


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn every error of the driver inside the block into one of the StoreError family."""
    try:
        yield
    except sqlite3.Error as error:
        raise store_error(error, path) from error


def is_busy(error: sqlite3.Error) -> bool:
    """Say whether another connection is in the way."""
    return _code(error) in _BUSY


def store_error(error: sqlite3.Error, path: Path) -> StoreError:
    """Return the product's error for one of the driver's."""
    code = _code(error)
    if code in _BUSY:
        who = holder(path)
        other = "A database browser or backup tool has to close its query. Then try again."
        return StoreBusyError(
            f"{who or 'Another process'} has been holding the database {path.name} for too long.",
            next_step=f"Nothing was changed. {other if who else 'Try again in a few seconds.'}",
        )
    if code in _DAMAGED:
        return damaged(path, str(error))
    if code in _UNWRITABLE:
        return StoreUnwritableError(
            f"The database {path} cannot be written: {error}.",
            next_step="Check the folder's permissions and the free space on its disk.",
        )
    return StoreError(
        f"The database refused the change: {error}.",
        next_step="Nothing was changed. Run `sequences-mcp doctor` and report what it prints.",
    )


def holder(path: Path) -> str | None:
    """Return which other program has a lock on the database, where the system tells: its name and process."""
    try:
        number = f":{path.stat().st_ino} "
        lines = Path("/proc/locks").read_text("ascii").splitlines()
        pids = {int(line.split()[4]) for line in lines if number in line and "->" not in line} - {os.getpid()}
        for pid in sorted(pids):
            name = Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip()
            return f"The program {name!r} (process {pid})"
    except (OSError, ValueError, IndexError):
        return None
    return None


def damaged(path: Path, why: str) -> StoreDamagedError:
    """Return the error for a file that is no sound database."""
    return StoreDamagedError(
        f"{path} is not a sound database: {why}.",
        next_step="Nothing will be sent. `sequences-mcp restore FILE` puts a backup in its place; do not copy one "
        "over it by hand.",
    )


def _code(error: sqlite3.Error) -> int:
    # The low byte is the primary code: https://www.sqlite.org/rescode.html
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
