"""A backup is one private file with the database, its journals and the person's files; a restore puts it back.

The database is copied by SQLite's own backup, while others use it, and before the journals: whatever left during
the backup is in a journal and not in the database, which is the side that a restore can make good.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sequences_mcp.domain.workspace import BACKED_UP
from sequences_mcp.errors import ConflictError, InvalidArgumentsError, StoreTooNewError, StoreUnwritableError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.private_files import replacing, sync_folder
from sequences_mcp.store import journals
from sequences_mcp.store.filesystem import make_folder, take_alone
from sequences_mcp.store.lineage import is_cut
from sequences_mcp.store.sqlite.database import FILE_NAME
from sequences_mcp.store.sqlite.schema import APPLICATION_ID, migrations

MANIFEST = "backup.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreSummary:
    """What a restore did: where the database of before is kept, and whether the folder knew itself what was sent.

    ``made_at`` is when the backup was made, ``erased_again`` how many people it had who were erased since.
    """

    replaced: Path | None
    journal_was_here: bool
    made_at: str
    erased_again: int = 0


def back_up(folder: Path, target: Path, *, now: datetime, settings: Mapping[str, str]) -> None:
    """Write a backup of a data folder into a new file; ``settings`` are kept in it for people to read.

    Raises ConflictError where there is no database or the file exists, StoreUnwritableError.
    """
    source = folder / FILE_NAME
    if not source.is_file():
        raise ConflictError(f"There is no database in {folder}.", next_step="Check SEQUENCES_DATA_DIR.")
    with _writing(target):
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file, tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            copy = Path(scratch) / FILE_NAME
            _copied(source, copy)
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.write(copy, FILE_NAME)
                for name in (journals.SENT, journals.SUPPRESSIONS, *BACKED_UP):
                    if (folder / name).is_file():
                        archive.write(folder / name, name)
                manifest = {"made_at": now.isoformat(timespec="seconds"), "settings": dict(settings)}
                archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def opened(backup: Path) -> Iterator[Path]:
    """Yield a private folder with what is in a backup, checked; InvalidArgumentsError for what is none."""
    with tempfile.TemporaryDirectory() as scratch:
        inside = Path(scratch)
        try:
            with zipfile.ZipFile(backup) as archive:
                for name in {FILE_NAME, MANIFEST, journals.SENT, journals.SUPPRESSIONS, *BACKED_UP}:
                    if name in archive.namelist():
                        (inside / name).write_bytes(archive.read(name))
        except (OSError, zipfile.BadZipFile, RuntimeError) as error:
            raise _no_backup(backup, str(error)) from error
        _check(inside / FILE_NAME, backup)
        yield inside


def put_back(folder: Path, inside: Path, *, now: datetime) -> RestoreSummary:
    """Put an opened backup into a data folder that nobody uses.

    What the folder itself knows of what was sent, of whom never to contact, and of the person's passphrase stays.
    Raises ConflictError where it is in use or belongs to another database.
    """
    make_folder(folder)
    lock = take_alone(folder)
    try:
        is_whole = not is_cut(folder)
        present = journals.first_line(folder / journals.SENT)
        theirs = journals.first_line(inside / journals.SENT)
        if present is not None and theirs is not None and present != theirs:
            raise ConflictError(
                f"This backup is of another data folder than {folder}.",
                next_step="Set SEQUENCES_DATA_DIR to a folder that is empty, and restore it there.",
            )
        with _writing(folder):
            _merge_journals(folder, inside)
            for name in BACKED_UP:
                if (inside / name).is_file() and not (folder / name).exists():
                    _place(inside / name, folder / name)
            replaced = _set_aside(folder, now)
            _place(inside / FILE_NAME, folder / FILE_NAME)
            sync_folder(folder)
    finally:
        if lock is not None:
            os.close(lock)
    made_at = str(_manifest(inside).get("made_at", "an unknown time"))
    return RestoreSummary(replaced=replaced, journal_was_here=present is not None and is_whole, made_at=made_at)


def _copied(source: Path, copy: Path) -> None:
    with closing(sqlite3.connect(source, timeout=30)) as database, closing(sqlite3.connect(copy)) as target:
        database.backup(target, pages=1024)
        target.execute("PRAGMA journal_mode = delete")  # one file, without a log beside it
    copy.chmod(0o600)


def _check(database: Path, backup: Path) -> None:
    if not database.is_file():
        raise _no_backup(backup, "it holds no database")
    try:
        with closing(sqlite3.connect(database)) as opened_one:
            (application,) = opened_one.execute("PRAGMA application_id").fetchone()
            (version,) = opened_one.execute("PRAGMA user_version").fetchone()
            (verdict,) = opened_one.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        raise _no_backup(backup, str(error)) from error
    if application != APPLICATION_ID or verdict != "ok":
        raise _no_backup(backup, verdict if verdict != "ok" else "its database is another program's")
    if version > len(migrations()):
        raise StoreTooNewError(
            f"The backup has schema {version}; this program knows schemas up to {len(migrations())}.",
            next_step="Update sequences-mcp (`pip install -U sequences-mcp`), then restore it.",
        )


def _merge_journals(folder: Path, inside: Path) -> None:
    """Keep the longer journal of what was sent, and both of whom never to contact, by their instants."""
    sent = folder / journals.SENT
    if journals.journal_size(inside / journals.SENT) > journals.journal_size(sent):
        _place(inside / journals.SENT, sent)
    never = folder / journals.SUPPRESSIONS
    mine, theirs = journals.journal_tail(never, 0)[0], journals.journal_tail(inside / journals.SUPPRESSIONS, 0)[0]
    missing = [item for item in theirs if item not in mine]
    if missing:
        lines = sorted([*mine, *missing], key=_instant)
        whole = inside / "merged.log"
        whole.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
        _place(whole, never)


def _instant(record: Mapping[str, Any]) -> int:
    return int(record.get("at", 0))


def _set_aside(folder: Path, now: datetime) -> Path | None:
    """Rename the database that is there, with its log, and return where it is kept; None where there is none."""
    present = folder / FILE_NAME
    if not present.exists():
        return None
    path = folder / f"{FILE_NAME}.replaced-{now:%Y%m%dT%H%M%SZ}"
    for rest in ("-wal", "-shm", "-journal"):
        beside = folder / f"{FILE_NAME}{rest}"
        if beside.exists():
            beside.rename(folder / f"{path.name}{rest}")
    present.rename(path)
    return path


def _place(source: Path, target: Path) -> None:
    with source.open("rb") as read, replacing(target) as file:
        shutil.copyfileobj(read, file)


def _manifest(inside: Path) -> dict[str, Any]:
    try:
        result = json.loads((inside / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return result if isinstance(result, dict) else {}


def _no_backup(backup: Path, why: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(
        f"{backup} is no backup of sequences-mcp: {why}.",
        next_step="Give a file that `sequences-mcp backup` has written.",
    )


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise ConflictError(f"{target} exists already.", next_step="Give another name.") from error
    except (OSError, sqlite3.Error) as error:
        raise StoreUnwritableError(
            f"{target} cannot be written: {error}.",
            next_step="Check the folder's permissions and the free space on its disk.",
        ) from error
