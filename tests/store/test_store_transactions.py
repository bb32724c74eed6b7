"""Transactions: all or nothing, one inside another, and reads that hold still."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.world.data_folder import sqlite_of
from tests.world.engine import START

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.store.sqlite.connection import JournalMode
from sequences_mcp.store.statements import parse_statements
from sequences_mcp.store.unit_of_work import Store, UnitOfWork


def add(store: Store, value: str) -> None:
    store.suppressions.add(("domain", value), reason="test", actor=Actor("test"), now=START)


def listed(store: Store) -> list[str]:
    return [row["value"] for row in store.database.rows("suppressions.all")]


@pytest.fixture(params=["wal", "delete"])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Store:
    journal: JournalMode = request.param
    return Store.open(Workspace(tmp_path), now=START, journal=journal, busy_seconds=0.2)


def test_whoever_is_given_a_unit_of_work_sees_its_changes_and_can_begin_none(store: Store) -> None:
    with store, store.transaction() as work:
        add(store, "a.example")
        assert work.suppressions.page(page=1, size=1).total_count == 1
        assert work.suppressions is work.suppressions
        assert not hasattr(work, "transaction")
        assert not hasattr(work, "snapshot")
    assert UnitOfWork not in type(store).__mro__


def test_an_error_undoes_the_whole_transaction(store: Store) -> None:
    with store, pytest.raises(ZeroDivisionError), store.transaction():
        add(store, "a.example")
        _ = 1 // 0
    with Store.open(store.workspace, now=START, journal=sqlite_of(store).journal.mode) as again:
        assert listed(again) == []


def test_an_inner_block_joins_the_outer_one(store: Store) -> None:
    with store, Store.open(store.workspace, now=START, journal=sqlite_of(store).journal.mode) as other:
        with store.transaction():
            with store.transaction():
                add(store, "a.example")
            assert listed(other) == []
        assert listed(other) == ["a.example"]


def test_an_error_in_an_inner_block_undoes_that_block_alone(store: Store) -> None:
    with store:
        with store.transaction():
            add(store, "a.example")
            with pytest.raises(ZeroDivisionError), store.transaction():
                add(store, "b.example")
                _ = 1 // 0
            add(store, "c.example")
        assert listed(store) == ["a.example", "c.example"]
        assert not store.in_transaction


def test_reads_inside_a_transaction_see_its_changes(store: Store) -> None:
    with store, store.transaction():
        add(store, "a.example")
        assert listed(store) == ["a.example"]


def test_a_snapshot_sees_one_state_while_another_process_writes(tmp_path: Path) -> None:
    with (
        Store.open(Workspace(tmp_path), now=START, journal="wal") as store,
        Store.open(Workspace(tmp_path), now=START, journal="wal") as other,
    ):
        with store.snapshot():
            assert listed(store) == []
            add(other, "a.example")
            assert listed(store) == []
        assert listed(store) == ["a.example"]


def test_a_transaction_inside_a_snapshot_is_a_mistake_that_does_not_hang(store: Store) -> None:
    with store, store.snapshot(), pytest.raises(RuntimeError, match="snapshot"), store.transaction():
        raise AssertionError("the block must not begin")


def test_statements_are_found_by_their_name_lines() -> None:
    found = parse_statements("-- one --\n-- The first.\nSELECT 1\n\n-- two --\n-- The second.\nSELECT 2\n")
    assert found == {"one": "-- The first.\nSELECT 1", "two": "-- The second.\nSELECT 2"}


@pytest.mark.parametrize(
    "text",
    ["-- one --\nSELECT 1", "-- one --\n-- A.\nSELECT 1\n-- one --\n-- B.\nSELECT 2"],
    ids=["no words", "twice"],
)
def test_a_statement_without_words_or_with_a_taken_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="one"):
        parse_statements(text)


def add_many(store: Store, number: int) -> None:
    """Change some megabytes."""
    for place in range(number):
        reason = "x" * 4_000
        store.suppressions.add(("domain", f"d{place}.example"), reason=reason, actor=Actor("test"), now=START)


def written(store: Store) -> int:
    """Return how many bytes stand in the files of the database, or its log."""
    return sum(
        path.stat().st_size for path in store.workspace.folder.glob("sequences.db*") if "journal" not in path.name
    )


def test_a_transaction_of_any_size_writes_before_its_end_and_is_undone_as_a_whole(store: Store) -> None:
    with store:
        add(store, "a.example")
        before = written(store)
        with sqlite_of(store).of_any_size(kept_kib=256), pytest.raises(ZeroDivisionError), store.transaction():
            add_many(store, 3_000)
            assert written(store) > before + 4_000_000
            _ = 1 // 0
        assert listed(store) == ["a.example"]
        before = written(store)
        with store.transaction():
            add_many(store, 2_000)
            assert written(store) <= before + 100_000, "in memory, where nothing was said of its size"
        assert len(listed(store)) == 2_001


def test_a_transaction_of_any_size_goes_on_in_memory_while_somebody_reads(store: Store) -> None:
    mode = sqlite_of(store).journal.mode
    with store, Store.open(store.workspace, now=START, journal=mode, busy_seconds=0.2) as other:
        with sqlite_of(store).of_any_size(kept_kib=256), store.transaction(), other.snapshot():
            assert listed(other) == []
            add_many(store, 3_000)
            assert listed(other) == []
        assert len(listed(other)) == 3_000


def test_the_size_of_a_transaction_is_told_before_it_begins(store: Store) -> None:
    refused = pytest.raises(RuntimeError, match="outside of a transaction")
    with store, store.transaction(), refused, store.of_any_size():
        pass
