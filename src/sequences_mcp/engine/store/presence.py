"""Who uses a data folder: every open database holds a shared lock, which keeps a restore off it.

Where the system has no such locks (Windows), a file that is open cannot be replaced anyway.
"""

from __future__ import annotations

import os
from pathlib import Path

from sequences_mcp.errors import ConflictError, StoreBusyError

LOCK_NAME = "sequences.lock"


def share(folder: Path) -> int | None:
    """Keep a restore off the folder until the returned descriptor is closed; StoreBusyError during one."""
    try:
        lock = _opened(folder)
    except OSError:  # a folder that cannot be written: the database itself says so better
        return None
    if lock is not None and not _locked(lock, alone=False):
        os.close(lock)
        raise StoreBusyError("A backup is being restored.", next_step="Try again when that is done.")
    return lock


def take_alone(folder: Path) -> int | None:
    """Keep everybody off a folder's database until the returned descriptor is closed; ConflictError if in use."""
    lock = _opened(folder)
    if lock is not None and not _locked(lock, alone=True):
        os.close(lock)
        raise ConflictError(
            f"A server, a worker or the review page is using {folder}.",
            next_step="Stop it (close the chat's host, end `sequences-mcp work`), then restore again.",
        )
    return lock


def _opened(folder: Path) -> int | None:
    if os.name != "posix":
        return None
    return os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)


def _locked(lock: int, *, alone: bool) -> bool:
    import fcntl

    try:
        fcntl.flock(lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
