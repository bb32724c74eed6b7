"""Append-only files beside the database, one JSON object a line, each line on the disk before the call returns.

They outlive the database: what they say is compared with it at every start, so that an older copy of the database
that was put back, or a new one, does not forget what was sent and who must never be contacted.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from sequences_mcp.domain.workspace import SENT_JOURNAL, SUPPRESSION_JOURNAL
from sequences_mcp.private_files import on_disk, replacing, sync_folder

log = logging.getLogger(__name__)
SENT, SUPPRESSIONS = SENT_JOURNAL, SUPPRESSION_JOURNAL
_HEADER = 512  # bytes that certainly hold the first line


def append_line(path: Path, record: Mapping[str, Any]) -> tuple[int, int]:
    """Add one line, for its owner alone, and return when it is on the disk. Raises OSError.

    A line that an earlier crash or a full disk left without its end is ended first; readers pass over it. Returns
    where what was added begins in the file, and where it ends.
    """
    return append_lines(path, [record])


def append_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
    """Add lines as ``append_line`` adds one, together: the disk is waited for once."""
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        lines = b"".join(map(_line, records))
        if _is_torn(descriptor):
            lines = b"\n" + lines
        if os.write(descriptor, lines) != len(lines):
            raise OSError(f"{path.name} was only written in part")
        end = os.lseek(descriptor, 0, os.SEEK_CUR)  # behind its own line, whatever others add meanwhile
        on_disk(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        sync_folder(path.parent)
    return end - len(lines), end


def append_if_possible(path: Path, record: Mapping[str, Any]) -> None:
    """Add one line; what prevents it is logged, for a file whose lines are added anew at the next start."""
    try:
        append_line(path, record)
    except OSError as error:
        log.warning("%s cannot be written: %s", path.name, error)


def rewrite_in_place(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> int:
    """Rewrite the lines that ``change`` returns otherwise, each at its length; return how many. Raises OSError.

    Such a line must not become longer: it is filled up with spaces. The file stays the same one with the same
    size, and other processes may add lines meanwhile.
    """
    try:
        file = path.open("r+b")
    except FileNotFoundError:
        return 0
    changed, place = 0, 0
    with file:
        for line in file.read().splitlines(keepends=True):
            record = _read(line)
            if record is not None and (after := change(record)) != record:
                text = json.dumps(after, separators=(",", ":")).encode()
                bare = len(line.rstrip(b"\n"))
                if len(text) > bare:
                    text = json.dumps(after, separators=(",", ":"), ensure_ascii=False).encode()
                if len(text) > bare:
                    raise OSError(f"a line of {path.name} would become longer")
                file.seek(place)
                file.write(text.ljust(bare))
                changed += 1
            place += len(line)
        file.flush()
        on_disk(file.fileno())
    return changed


def begin_journal(path: Path, record: Mapping[str, Any]) -> None:
    """Make a journal whose first line is this record, whole or not at all. Raises OSError."""
    with replacing(path) as file:
        file.write(_line(record))
    sync_folder(path.parent)


def journal_tail(path: Path, offset: int) -> tuple[list[dict[str, Any]], int]:
    """Return the whole lines from a byte on, and the byte after the last of them.

    A file that is shorter than ``offset`` is another one and is read from its beginning. No file is an empty one.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset if offset <= os.fstat(file.fileno()).st_size else 0)
            begun = file.tell()
            data = file.read()
    except FileNotFoundError:
        return [], 0
    whole = data[: data.rfind(b"\n") + 1]
    return [record for line in whole.splitlines() if (record := _read(line)) is not None], begun + len(whole)


def first_line(path: Path) -> dict[str, Any] | None:
    """Return the first line, empty where it cannot be read, or None where there is no file."""
    try:
        with path.open("rb") as file:
            return _read(file.read(_HEADER).partition(b"\n")[0]) or {}
    except FileNotFoundError:
        return None


def journal_size(path: Path) -> int:
    """Return how many bytes a journal has; 0 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:  # cut off by a crash: what it was to record had not been done yet
        return None
    return record if isinstance(record, dict) else None


def _is_torn(descriptor: int) -> bool:
    end = os.lseek(descriptor, 0, os.SEEK_END)
    if not end:
        return False
    os.lseek(descriptor, end - 1, os.SEEK_SET)
    return os.read(descriptor, 1) != b"\n"
