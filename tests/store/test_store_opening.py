"""Opening the database: the right journal, the right rights, and a clear word when it cannot be."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest
from tests.world.data_folder import sqlite_of
from tests.world.engine import START

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import (
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreTooNewError,
    StoreUnwritableError,
)
from sequences_mcp.store import filesystem
from sequences_mcp.store.sqlite import schema
from sequences_mcp.store.sqlite.connection import JournalMode, choose_journal
from sequences_mcp.store.sqlite.database import FILE_NAME
from sequences_mcp.store.unit_of_work import Store


def open_store(folder: Path, **options: object) -> Store:
    return Store.open(Workspace(folder), now=START, busy_seconds=0.05, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("version", "mode"),
    [
        ((3, 40, 1), "delete"),
        ((3, 44, 5), "delete"),
        ((3, 44, 6), "wal"),
        ((3, 45, 0), "delete"),
        ((3, 50, 6), "delete"),
        ((3, 50, 7), "wal"),
        ((3, 51, 2), "delete"),
        ((3, 51, 3), "wal"),
        ((3, 52, 0), "wal"),
    ],
    ids=str,
)
def test_the_write_ahead_log_is_used_only_where_its_reset_bug_is_repaired(
    version: tuple[int, int, int], mode: str
) -> None:
    choice = choose_journal(version)
    assert choice.mode == mode
    assert choice.synchronous == {"wal": "FULL", "delete": "EXTRA"}[mode]
    assert ".".join(map(str, version)) in choice.why


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_either_journal_can_be_forced_and_is_really_used(tmp_path: Path, journal: JournalMode) -> None:
    with open_store(tmp_path, journal=journal) as store:
        assert sqlite_of(store).journal.mode == journal
        with closing(sqlite3.connect(store.workspace.database)) as other:
            assert other.execute("PRAGMA journal_mode").fetchone() == (journal,)


def test_a_file_can_change_from_one_journal_to_the_other_and_back(tmp_path: Path) -> None:
    modes: tuple[JournalMode, ...] = ("wal", "delete", "wal")
    for journal in modes:
        with open_store(tmp_path, journal=journal) as store:
            assert sqlite_of(store).journal.mode == journal


def test_a_change_of_journal_is_refused_while_another_process_uses_the_file(tmp_path: Path) -> None:
    with open_store(tmp_path, journal="wal"), pytest.raises(StoreBusyError):
        open_store(tmp_path, journal="delete")


def test_folder_and_file_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    with open_store(folder) as store:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(store.workspace.database.stat().st_mode) == 0o600


def test_a_newer_schema_is_refused_with_both_numbers(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, closing(sqlite3.connect(store.workspace.database)) as other:
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreTooNewError, match="99") as caught:
        open_store(tmp_path)
    assert caught.value.data == {"found": 99, "known": len(schema.migrations())}


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as other:
        other.execute("CREATE TABLE recipe (name TEXT)")
        other.commit()
    with pytest.raises(StoreDamagedError, match="another program"):
        open_store(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as other:
        assert other.execute("SELECT name FROM sqlite_schema").fetchall() == [("recipe",)]


@pytest.mark.parametrize("journal", ["wal", "delete"])
@pytest.mark.parametrize("just_before", ["application_id", "user_version", "sqlite_schema"])
def test_another_process_may_make_the_database_while_this_one_looks_at_it(
    tmp_path: Path, journal: str, just_before: str
) -> None:
    path, steps = tmp_path / FILE_NAME, schema.migrations()
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as mine,
        closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other,
    ):
        mine.execute(f"PRAGMA journal_mode = {journal}")
        met: list[str] = []

        def meanwhile(sql: str) -> None:
            if just_before in sql and not met:
                met.append(sql)
                with contextlib.suppress(sqlite3.OperationalError):  # a rollback journal keeps it waiting
                    schema.upgrade(other, path, now=START, steps=steps)

        mine.set_trace_callback(meanwhile)
        schema.upgrade(mine, path, now=START, steps=steps)
        assert met
        assert mine.execute("SELECT count(*) FROM migration").fetchone() == (len(steps),)


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_many_may_make_the_database_at_once(tmp_path: Path, journal: JournalMode) -> None:
    def opened(folder: Path) -> bytes:
        gate.wait()
        with Store.open(Workspace(folder), now=START, journal=journal) as store:
            return store.secret("message_id")

    at_once, rounds = 6, 20
    gate = Barrier(at_once)
    with ThreadPoolExecutor(at_once) as pool:
        for number in range(rounds):
            keys = set(pool.map(opened, [tmp_path / str(number)] * at_once))
            assert len(keys) == 1


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"Dear diary, " * 500)
    with pytest.raises(StoreDamagedError, match="not a sound database"):
        open_store(tmp_path)


def test_a_database_with_a_broken_page_is_refused(tmp_path: Path) -> None:
    with open_store(tmp_path, journal="delete") as store:
        path = store.workspace.database
    data = bytearray(path.read_bytes())
    data[2 * 4096 : 6 * 4096] = b"\xff" * (4 * 4096)
    path.write_bytes(data)
    with pytest.raises(StoreDamagedError):
        open_store(tmp_path)


def test_a_database_that_another_process_holds_is_busy_and_may_be_tried_again(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, closing(sqlite3.connect(store.workspace.database)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError) as caught, store.transaction():
            raise AssertionError("the block must not begin")
    assert caught.value.retryable


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreUnwritableError, match="SEQUENCES_DATA_DIR"):
        open_store(tmp_path / "file" / "data")


@pytest.mark.parametrize(
    ("mounts", "found"),
    [
        ("/dev/vda / ext4 rw 0 0\nhost:/x /home nfs4 rw 0 0", "nfs4"),
        ("/dev/vda / ext4 rw 0 0\nhost:/x /home nfs rw 0 0\n/dev/b /home/ada ext4 rw 0 0", None),
        ("//host/x /home/ada cifs rw 0 0", "cifs"),
        ("me@host: /home/ada fuse.sshfs rw 0 0", "fuse.sshfs"),
        ("host:/x /home/adam nfs rw 0 0", None),
        ("host:/x /home/ada\\040b nfs rw 0 0", None),
        ("", None),
    ],
    ids=["network", "local below network", "windows share", "ssh", "a longer name", "a space", "no table"],
)
def test_a_network_file_system_is_recognised(mounts: str, found: str | None) -> None:
    assert filesystem.network_type(Path("/home/ada/data"), mounts) == found


def test_migrations_are_numbered_without_a_hole_and_recorded(tmp_path: Path) -> None:
    known = schema.migrations()
    with open_store(tmp_path) as store, closing(sqlite3.connect(store.workspace.database)) as other:
        rows = other.execute("SELECT version, name, digest FROM migration").fetchall()
    assert rows == [(one.version, one.name, one.digest) for one in known]


def test_a_hole_in_the_numbers_of_migrations_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "0002_second.sql").write_text("SELECT 1;")
    with pytest.raises(ValueError, match="numbered"):
        schema.migrations(tmp_path)


def test_a_migration_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    known = schema.migrations()
    broken = schema.Migration(len(known) + 1, "broken", "CREATE TABLE half (x);\nCREATE TABLE half (x);")
    with pytest.raises(StoreError):
        open_store(tmp_path, steps=(*known, broken))
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (0,)
        assert other.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
    with open_store(tmp_path):
        pass


def test_a_later_migration_is_applied_to_an_older_file(tmp_path: Path) -> None:
    known = schema.migrations()
    with open_store(tmp_path):
        pass
    sql = "CREATE TABLE later (x INTEGER) STRICT; -- with a remark; and a semicolon\nINSERT INTO later VALUES (1);"
    later = schema.Migration(len(known) + 1, "later", sql)
    with (
        open_store(tmp_path, steps=(*known, later)) as store,
        closing(sqlite3.connect(store.workspace.database)) as other,
    ):
        assert other.execute("SELECT x FROM later").fetchall() == [(1,)]
    with pytest.raises(StoreTooNewError):
        open_store(tmp_path)


def test_a_key_made_with_the_database_stays_the_same(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        key = store.secret("message_id")
    with open_store(tmp_path) as store:
        assert store.secret("message_id") == key
    assert len(key) == 32
