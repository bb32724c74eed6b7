"""Who uses a data folder: every open database holds a shared lock, so that a restore can wait for nobody to be there.

Where the system has no such locks (Windows), a file that is open cannot be replaced anyway.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from sequences_mcp.errors import ConflictError, StoreBusyError

LOCK_NAME = "sequences.lock"


def share(folder: Path) -> IO[bytes] | None:
    """Say that the database of a folder is in use until the returned file is closed; StoreBusyError in a restore."""
    try:
        lock = _opened(folder)
    except OSError:  # a folder that cannot be written: the database itself says so better
        return None
    if lock is not None and not _locked(lock, alone=False):
        lock.close()
        raise StoreBusyError("A backup is being restored.", next_step="Try again when that is done.")
    return lock


def take_alone(folder: Path) -> IO[bytes] | None:
    """Keep everybody off the database of a folder until the returned file is closed; ConflictError if in use."""
    lock = _opened(folder)
    if lock is not None and not _locked(lock, alone=True):
        lock.close()
        raise ConflictError(
            f"A server, a worker or the review page is using {folder}.",
            next_step="Stop it (close the chat's host, end `sequences-mcp work`), then restore again.",
        )
    return lock


def _opened(folder: Path) -> IO[bytes] | None:
    if os.name != "posix":
        return None
    return os.fdopen(os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600), "r+b")


def _locked(lock: IO[bytes], *, alone: bool) -> bool:
    import fcntl

    try:
        fcntl.flock(lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
