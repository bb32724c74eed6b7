"""The connections to a file: threads of one process take turns with them, and none leads to another file."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.world.data_folder import sqlite_of
from tests.world.engine import START

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import StoreBusyError, StoreError, StoreUnwritableError
from sequences_mcp.store.sqlite.connection import choose_journal, connect
from sequences_mcp.store.sqlite.pool import ConnectionPool
from sequences_mcp.store.unit_of_work import Store


def opened(folder: Path) -> Store:
    return Store.open(Workspace(folder), now=START, busy_seconds=0.05)


def used(store: Store, name: str = "a") -> int:
    """Write and read."""
    with store.transaction() as work:
        work.suppressions.add(("domain", f"{name}.example"), reason="asked", actor=Actor("test"), now=START)
    return store.suppressions.page(page=1, size=1).total_count


def handles(folder: Path) -> int:
    """Return how many handles of the database this process has."""
    database = Workspace(folder).database
    return sum(handle.exists() and handle.samefile(database) for handle in Path("/proc/self/fd").iterdir())


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux tells of a process's open files so")
def test_threads_share_two_connections_and_get_more_only_while_they_work_at_once(tmp_path: Path) -> None:
    def in_a_thread() -> int:
        with opened(tmp_path) as mine:
            used(mine, "b")
            return handles(tmp_path)

    with opened(tmp_path) as store, ThreadPoolExecutor(1) as thread:
        sqlite_of(store)
        used(store)
        assert handles(tmp_path) == thread.submit(in_a_thread).result() == 2
        with opened(tmp_path) as other:
            with store.transaction(), pytest.raises(StoreBusyError), other.transaction():
                pytest.fail("two transactions at once")
            assert handles(tmp_path) == 3
            with store.snapshot(), other.snapshot():
                assert handles(tmp_path) == 4
    assert handles(tmp_path) == 0


def test_what_was_needed_for_a_moment_is_closed_after_it(tmp_path: Path) -> None:
    opened(tmp_path).close()
    database, journal = Workspace(tmp_path).database, choose_journal((3, 40, 1), "delete")
    first = connect(database, journal=journal, read_only=False, busy_seconds=1)
    connections = ConnectionPool(database, journal, first, spare_for=0.0)
    connections.users = 1
    two = [connections.take(read_only=False, busy_seconds=1) for _ in range(2)]
    assert two[0] is first
    for connection in two:
        connections.give_back(connection, read_only=False)
    assert connections.take(read_only=False, busy_seconds=1) is two[1]
    with pytest.raises(Exception, match="closed database"):
        first.execute("SELECT 1")
    two[1].close()


def test_a_connection_that_is_opened_later_never_leads_to_another_file(tmp_path: Path) -> None:
    with opened(tmp_path) as store, opened(tmp_path) as other, store.snapshot():
        database = sqlite_of(store).path
        copy = shutil.copy(database, tmp_path / "copy")
        database.unlink()
        with pytest.raises(StoreUnwritableError):
            other.suppressions.page(page=1, size=1)
        assert not database.exists()
        Path(copy).rename(database)
        with pytest.raises(StoreUnwritableError, match="Another file has taken the place"):
            other.suppressions.page(page=1, size=1)
        with opened(tmp_path) as again:
            assert used(again) == 1


def test_whoever_opens_it_anew_after_an_error_of_the_file_gets_connections_of_their_own(tmp_path: Path) -> None:
    with opened(tmp_path) as store, opened(tmp_path) as other:
        assert sqlite_of(store).connections is sqlite_of(other).connections
        with pytest.raises(StoreError), store.transaction():
            store.database._command("SELECT no_such_function()")
        with opened(tmp_path) as again:
            assert sqlite_of(again).connections is not sqlite_of(store).connections
            assert used(store) == used(other, "b") - 1 == used(again, "c") - 2 == 1


def test_an_open_database_is_for_its_thread_until_it_is_closed(tmp_path: Path) -> None:
    with opened(tmp_path) as store, ThreadPoolExecutor(1) as thread:
        assert used(store) == 1
        with pytest.raises(StoreError, match="another thread"):
            thread.submit(used, store, "b").result()
        with store.transaction(), pytest.raises(StoreError, match="another thread"):
            thread.submit(used, store, "c").result()
    with pytest.raises(StoreError, match="is closed"):
        used(store)
