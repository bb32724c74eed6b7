"""Where a database may live: a folder of its own on a local disk."""

from __future__ import annotations

import shutil
from pathlib import Path

from sequences_mcp.errors import StoreUnwritableError

# Locks on these are advisory at best and lies at worst (https://www.sqlite.org/howtocorrupt.html, 2.1).
NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "ncpfs", "davfs", "ceph"})
NETWORK_FUSE = ("fuse.sshfs", "fuse.rclone", "fuse.gvfsd-fuse", "fuse.s3fs", "fuse.davfs", "fuse.google-drive")
RESERVE = 8 * 1024 * 1024


def network_type(folder: Path, mounts: str) -> str | None:
    """Return the type of the network file system that holds ``folder``, or None.

    ``folder`` is absolute; ``mounts`` is the text of Linux's ``/proc/mounts``, empty where there is none.
    """
    best, kind = "", ""
    for line in mounts.splitlines():
        _, point, this, *_ = [*line.split(" "), "", "", ""]
        point = point.replace("\\040", " ")
        if folder.is_relative_to(point or "-") and len(point) >= len(best):
            best, kind = point, this
    return kind if kind in NETWORK or kind.startswith(NETWORK_FUSE) else None


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
