"""Files of the data folder that only its owner reads, and the locks beside them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO


def write_private(path: Path, text: str) -> None:
    """Replace a file atomically, readable by its owner alone (mode 0600), and make its folder where there is none.

    See ``replacing``.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(text.encode("utf-8"))


@contextmanager
def replacing(path: Path, *, waits: bool = True) -> Iterator[BinaryIO]:
    """Yield a new file, readable by its owner alone (mode 0600), that takes the place of ``path`` at the end.

    It is made beside it under a random name that nothing has (``O_EXCL``): two writers at once leave the whole
    file of one of them, and nothing that lies there already is written into or deleted. It is on the disk before
    it is renamed, unless nobody waits for that; where the block raises, it is removed. A process that is killed as
    it writes leaves it, as ``.new``; nothing reads that. Raises OSError.
    """
    from tempfile import mkstemp

    descriptor, name = mkstemp(dir=path.parent, prefix=f"{path.stem}.", suffix=".new")  # with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            if waits:
                file.flush()
                on_disk(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def on_disk(descriptor: int) -> None:
    """Return when what was written into a file is on the disk. Raises OSError."""
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync alone leaves the data in the drive's cache there
    else:
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Bring the names of a folder to the disk, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


EXPORTS_KEPT_FOR = timedelta(days=1)
_EXPORT = re.compile(r"[a-z_]{1,30}-(\d{8}T\d{6})Z-[0-9a-f]{8}\.(?:csv|json|[^.]+\.new)")


def export_name(stem: str, suffix: str, *, now: datetime) -> str:
    """Return the name of a new file in the folder of exports, which says when it is made: its day begins then.

    ``stem`` says what it has, in small letters.
    """
    from secrets import token_hex

    return f"{stem}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{token_hex(4)}.{suffix}"


def exports_in(folder: Path) -> list[tuple[Path, datetime]]:
    """Return the files in a folder of exports, each with when it was made; those half written among them."""
    results = []
    with suppress(OSError):
        for path in folder.iterdir():
            if match := _EXPORT.fullmatch(path.name):
                with suppress(ValueError):
                    made_at = datetime.strptime(f"{match[1]}+0000", "%Y%m%dT%H%M%S%z")
                    results.append((path, made_at))
    return results


def delete_exports(folder: Path, *, now: datetime | None = None) -> int:
    """Delete the files in a folder of exports, or with ``now`` those whose time is over; return how many. OSError.

    One from a time more than a day ahead was written by a clock that was wrong, and goes as well.
    """
    over = [path for path, made_at in exports_in(folder) if now is None or abs(now - made_at) > EXPORTS_KEPT_FOR]
    for path in over:
        path.unlink(missing_ok=True)
    return len(over)


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """Hold an advisory lock beside a file, so that one process at a time reads and replaces it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:  # closing it gives the lock up
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
