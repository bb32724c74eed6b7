"""What was read is remembered until anything is committed, by whomever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.world.data_folder import sqlite_of
from tests.world.engine import START

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.store.database import REMEMBERED
from sequences_mcp.store.sqlite.connection import JournalMode
from sequences_mcp.store.unit_of_work import Store


@dataclass
class Reading:
    """Asks a store for its suppressed domains, and counts how often they were really read."""

    store: Store
    read: int = 0

    def __call__(self, key: object = "domains") -> tuple[str, ...]:
        return self.store.remembered(key, self._look)

    def _look(self) -> tuple[str, ...]:
        self.read += 1
        return tuple(row["value"] for row in self.store.database.rows("suppressions.all"))


def add(store: Store, value: str) -> None:
    store.suppressions.add(("domain", value), reason="test", actor=Actor("test"), now=START)


@pytest.fixture(params=["wal", "delete"])
def reading(tmp_path: Path, request: pytest.FixtureRequest) -> Reading:
    journal: JournalMode = request.param
    return Reading(Store.open(Workspace(tmp_path), now=START, journal=journal, busy_seconds=0.2))


def test_what_has_not_changed_is_read_once(reading: Reading) -> None:
    with reading.store as store:
        add(store, "a.example")
        assert [reading() for _ in range(3)] == [("a.example",)] * 3
        with store.snapshot():
            assert reading() == ("a.example",)
    assert reading.read == 1


def own(store: Store) -> None:
    add(store, "b.example")


def anothers(store: Store) -> None:
    with Store.open(store.workspace, now=START, journal=sqlite_of(store).journal.mode) as other:
        add(other, "b.example")


@pytest.mark.parametrize("commit", [own, anothers], ids=["this store", "another process's store"])
def test_a_commit_is_seen_at_once(reading: Reading, commit: Callable[[Store], None]) -> None:
    with reading.store as store:
        assert reading() == ()
        commit(store)
        assert reading() == ("b.example",)


def test_what_a_transaction_did_is_seen_in_it_and_forgotten_with_it(reading: Reading) -> None:
    with reading.store as store:
        assert reading() == ()
        with pytest.raises(ZeroDivisionError), store.transaction():
            add(store, "a.example")
            assert reading() == ("a.example",)
            _ = 1 // 0
        assert reading() == ()


def test_a_snapshot_goes_on_seeing_what_it_saw(reading: Reading) -> None:
    with reading.store as store:
        if sqlite_of(store).journal.mode != "wal":
            pytest.skip("a reader keeps every writer out")
        with store.snapshot():
            assert reading() == ()
            anothers(store)
            assert [reading(), reading("asked anew")] == [(), ()]
        assert reading() == reading("asked anew") == ("b.example",)


def test_only_the_latest_are_kept(reading: Reading) -> None:
    with reading.store:
        for number in range(REMEMBERED + 1):
            reading(number)
        assert reading.read == REMEMBERED + 1
        reading(1)
        assert reading.read == REMEMBERED + 1
        reading(0)
        assert reading.read == REMEMBERED + 2


def test_what_lies_beside_the_database_is_looked_for_once_in_each_snapshot(reading: Reading) -> None:
    looked: list[int] = []

    def look() -> int:
        looked.append(len(looked))
        return looked[-1]

    with reading.store as store:
        assert [store.once("files", look), store.once("files", look)] == [0, 1]
        with store.snapshot():
            assert [store.once("files", look), store.once("files", look), store.once("others", look)] == [2, 2, 3]
            with store.snapshot():
                assert store.once("files", look) == 2
        with store.snapshot():
            assert store.once("files", look) == 4
