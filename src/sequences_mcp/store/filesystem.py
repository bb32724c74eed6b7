"""The data folder: its locks between processes, its file system and free space, and who may read its files."""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from sequences_mcp.domain.workspace import PRIVATE_FOLDERS, Workspace
from sequences_mcp.errors import ConflictError, StoreBusyError, StoreUnwritableError


def share_folder(folder: Path) -> int | None:
    """Lock the folder against a restore until the descriptor is closed; StoreBusyError during one."""
    try:
        lock = _opened(folder)
    except OSError:  # a folder that cannot be written: opening the database raises the error that says so
        return None
    if lock is not None and not _locked(lock, alone=False):
        os.close(lock)
        raise StoreBusyError("A backup is being restored.", next_step="Try again when that is done.")
    return lock


def take_alone(folder: Path) -> int | None:
    """Lock a folder's database for this process alone until the descriptor is closed; ConflictError if in use."""
    lock = _opened(folder)
    if lock is not None and not _locked(lock, alone=True):
        os.close(lock)
        raise ConflictError(
            f"A server, a worker or the review page is using {folder}.",
            next_step="Stop it (close the chat's host, end `sequences-mcp work`), then do this again.",
        )
    return lock


def want_turn(folder: Path) -> int | None:
    """Show, until the descriptor is closed or the process ends, that a change waits which must not wait long.

    None where it cannot be shown: the change then waits for its turn like any other.
    """
    return _shown(folder, alone=False)


def is_turn_wanted(folder: Path) -> bool:
    """Say whether a change waits here that must not wait until a long one is stored; False if nobody can tell."""
    if os.name != "posix" or not Workspace(folder).turn_lock.exists():
        return False
    lock = _shown(folder, alone=True)
    if lock is not None:
        os.close(lock)
    return lock is None


def _shown(folder: Path, *, alone: bool) -> int | None:
    try:
        lock = _opened(folder, Workspace(folder).turn_lock)
    except OSError:
        return None
    if lock is None or _locked(lock, alone=alone):
        return lock
    os.close(lock)
    return None


def _opened(folder: Path, lock: Path | None = None) -> int | None:
    if os.name != "posix":
        return None
    return os.open(lock or Workspace(folder).database_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _locked(lock: int, *, alone: bool) -> bool:
    import fcntl

    try:
        fcntl.flock(lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


# Their locks are not reliable: https://www.sqlite.org/howtocorrupt.html, 2.1
NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "ncpfs", "davfs", "ceph"})
NETWORK_FUSE = ("fuse.sshfs", "fuse.rclone", "fuse.gvfsd-fuse", "fuse.s3fs", "fuse.davfs", "fuse.google-drive")
LASTING_NUMBERS = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "tmpfs", "overlay"})
_GET_VERSION = 0x80087601  # FS_IOC_GETVERSION of linux/fs.h
_OWN_FILE = re.compile(r"\.(?:db(?:-wal|-shm|-journal)?(?:\.\S+)?|csv|json|log|lock|mark|new|eml|tmp|toml)$")
RESERVE = 8 * 1024 * 1024


def network_type(folder: Path, mounts: str) -> str | None:
    """Return the type of the network file system that holds ``folder``, or None.

    ``folder`` is absolute; ``mounts`` is the text of Linux's ``/proc/mounts``, empty where there is none.
    """
    kind = type_of(folder, mounts)
    return kind if kind in NETWORK or kind.startswith(NETWORK_FUSE) else None


def type_of(folder: Path, mounts: str) -> str:
    """Return the type of the file system that holds ``folder``, empty where ``mounts`` does not tell."""
    best, kind, inside = "", "", f"{folder}/"
    for line in mounts.splitlines():
        _, point, this, *_ = [*line.split(" "), "", "", ""]
        point = point.replace("\\040", " ").rstrip("/")
        if this and inside.startswith(f"{point}/") and len(point) >= len(best):
            best, kind = point, this
    return kind


def number_of(path: Path) -> str | None:
    """Return what tells a file from a copy of it here, or None where it or anything lasting about it is missing.

    A file keeps its inode number when it is moved within a file system and when it is written to; a number that is
    used again comes with another generation or birth. Never for the database itself: closing any file of it would
    drop SQLite's locks (https://www.sqlite.org/howtocorrupt.html, 2.2).
    """
    try:
        if sys.platform == "linux" and _type_at(path.parent, path.parent.stat().st_dev) not in LASTING_NUMBERS:
            return None
        with path.open("rb") as file:
            result = os.fstat(file.fileno())
            born = getattr(result, "st_birthtime", None) or _generation(file.fileno())
    except FileNotFoundError:
        return None
    return f"{result.st_ino}.{born}"


@lru_cache(maxsize=64)
def _type_at(folder: Path, device: int) -> str:
    """Return the type of the file system of a folder, which is the same as long as its device is."""
    return type_of(folder.resolve(), _mounts())


def _generation(descriptor: int) -> int:
    """Return how often an inode number was used, where the file system counts that; else 0."""
    if sys.platform != "linux":
        return 0
    import fcntl

    try:
        return int.from_bytes(fcntl.ioctl(descriptor, _GET_VERSION, bytes(8)), sys.byteorder)
    except OSError:
        return 0


def enforce_private(folder: Path) -> None:
    """Take everybody else's rights away from the folder and from this product's files in it, outbox included.

    What belongs to somebody else stays as it is; `doctor` tells of it.
    """
    if os.name != "posix":
        return
    with suppress(OSError):
        if stat.S_IMODE(folder.stat().st_mode) & 0o077:
            folder.chmod(0o700)
    for inside in (folder, *(folder / name for name in PRIVATE_FOLDERS)):
        with suppress(OSError), os.scandir(inside) as entries:
            for entry in entries:
                _take_rights(entry)


def _take_rights(entry: os.DirEntry[str]) -> None:
    if entry.is_symlink() or not (entry.name in PRIVATE_FOLDERS or _OWN_FILE.search(entry.name)):
        return
    with suppress(OSError):
        mode = stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode)
        if mode & 0o077:
            Path(entry.path).chmod(0o700 if entry.is_dir(follow_symlinks=False) else 0o600)


def make_folder(folder: Path) -> None:
    """Make the folder, for its owner alone, where there is none.

    Raises StoreUnwritableError when it cannot be made or is on a network file system.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(f"The data folder {folder} cannot be made: {error.strerror or error}.") from error
    kind = network_type(folder.resolve(), _mounts())
    if kind is not None:
        raise _unwritable(
            f"The data folder {folder} is on a network file system ({kind}), where locks do not hold."
        )


def keep_private(path: Path) -> None:
    """Let nobody but its owner read a file; StoreUnwritableError when it belongs to someone else."""
    try:
        path.chmod(0o600)
    except OSError as error:
        raise _unwritable(f"{path} belongs to someone else: {error.strerror or error}.") from error


def has_room(folder: Path) -> bool:
    """Say whether the disk could still take the commit that has to follow a send."""
    return shutil.disk_usage(folder).free > RESERVE


def _mounts() -> str:
    try:
        return Path("/proc/mounts").read_text("utf-8", "replace")
    except OSError:
        return ""


def _unwritable(message: str) -> StoreUnwritableError:
    return StoreUnwritableError(
        message, next_step="Set SEQUENCES_DATA_DIR to a folder on a local disk that this user may write."
    )
