"""A database that is put back, copied, lost or carried away: nothing leaves twice."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import cast

import pytest
from tests.world.engine import EMAIL, LATER, START, EngineWorld, FakeDelivery

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.run import SequenceStatus, StepState
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.engine.recovery import unknown_due
from sequences_mcp.errors import StoreUnwritableError
from sequences_mcp.store import journals
from sequences_mcp.store.database import Database
from sequences_mcp.store.lineage import LineageRepository
from sequences_mcp.store.sqlite.database import FILE_NAME, SqliteDatabase
from sequences_mcp.store.unit_of_work import Store

DRAFT = "local:draft_{}"


def reopened(world: EngineWorld, *, folder: Path | None = None) -> EngineWorld:
    """Return the world again after its database was exchanged."""
    store = Store.open(Workspace((folder or world.folder) / "data"), now=world.clock.now, busy_seconds=0.2)
    return EngineWorld(folder or world.folder, store, world.clock, world.terms)


def overwrite(path: Path, older: Path) -> None:
    """Put an older state into the very file, as `cp` does."""
    for rest in path.parent.glob(f"{FILE_NAME}-*"):
        rest.unlink()
    path.write_bytes(older.read_bytes())


async def three_left(tmp_path: Path, *, when: str = "after the yes") -> EngineWorld:
    """Return a world of five people whose kept database was put back once three e-mails had left."""
    world = EngineWorld.open(tmp_path)
    blueprint = await world.blueprint(EMAIL, LATER)
    people = [await world.contact(f"person{number}@globex.example") for number in range(5)]
    plan = await world.plan(*people, blueprint=blueprint)
    if when == "after the yes":
        await world.local.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("terminal"))
    world.store.close()
    shutil.copy(world.store.workspace.database, tmp_path / "kept.db")
    world = reopened(world)
    if when == "before the yes":
        await world.local.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("terminal"))
    world.worker().run_due(limit=3)
    assert len(world.mails) == 3
    world.store.close()
    overwrite(world.store.workspace.database, tmp_path / "kept.db")
    return reopened(world)


async def test_a_database_put_back_sends_nothing_twice_and_what_left_meanwhile_is_unknown(tmp_path: Path) -> None:
    world = await three_left(tmp_path)
    sender = FakeDelivery()
    assert world.worker(sender).run_due() == 2
    assert sorted(one.recipient for one in sender.messages) == ["person3@globex.example", "person4@globex.example"]
    states = [one.steps[0].state for one in await world.runs(sort_order="asc")]
    assert states == [StepState.UNKNOWN] * 3 + [StepState.SENT] * 2
    assert "older state" in ((await world.runs(sort_order="asc"))[0].steps[0].reason or "")
    assert world.worker(sender).run_due() == 0
    world.store.close()


async def test_a_database_from_before_the_yes_sends_nothing_twice_after_another_yes(tmp_path: Path) -> None:
    world = await three_left(tmp_path, when="before the yes")
    [plan] = (await world.local.plans.list_plans(page=1, size=9)).items
    await world.local.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("terminal"))
    sender = FakeDelivery()
    world.worker(sender).run_due()
    assert sorted(one.recipient for one in sender.messages) == ["person3@globex.example", "person4@globex.example"]
    assert [one.status for one in await world.runs()].count(SequenceStatus.WAITING_FOR_USER) == 3
    world.store.close()


@pytest.mark.parametrize("sent", [True, False])
async def test_a_person_settles_what_left_unseen_and_that_word_is_the_last(tmp_path: Path, sent: bool) -> None:
    world = await three_left(tmp_path)
    sender = FakeDelivery()
    world.worker(sender).run_due()
    [first, *_] = await world.runs(sort_order="asc")
    drafts = (await world.local.list_drafts(plan_id=None, page=1, size=9)).items
    [mine] = [one.id for one in drafts if one.run.key == first.steps[0].key]
    await world.local.resolve_unknown(mine, sent=sent, actor=Actor("terminal"))
    world.worker(sender).run_due()
    again = [one for one in sender.messages if one.recipient == "person0@globex.example"]
    assert len(again) == (0 if sent else 1)
    world.store.close()


async def test_somebody_written_to_by_a_plan_that_the_old_database_never_saw_is_held_for_a_person(
    tmp_path: Path,
) -> None:
    world = EngineWorld.open(tmp_path)
    maria = await world.contact("maria@globex.example")
    world.store.close()
    shutil.copy(world.store.workspace.database, tmp_path / "kept.db")
    world = reopened(world)
    await world.approved(maria)
    world.worker().run_due()
    assert len(world.mails) == 1
    world.store.close()
    overwrite(world.store.workspace.database, tmp_path / "kept.db")
    world = reopened(world)
    await world.approved(maria)
    sender = FakeDelivery()
    world.worker(sender).run_due()
    assert sender.messages == []
    [run] = await world.runs()
    assert (run.status, run.steps[0].state) == (SequenceStatus.WAITING_FOR_USER, StepState.HELD)
    assert "got an e-mail on 2026-11-23" in (run.steps[0].reason or "")
    world.store.close()


async def test_a_file_exchanged_under_a_worker_that_runs_is_noticed_at_the_next_claim(tmp_path: Path) -> None:
    world = EngineWorld.open(tmp_path, journal="delete")
    people = [await world.contact(f"person{number}@globex.example") for number in range(3)]
    await world.approved(*people)
    kept = world.store.workspace.database.read_bytes()
    sender = FakeDelivery()
    worker = world.worker(sender)
    assert worker.run_due(limit=2) == 2
    world.store.workspace.database.write_bytes(kept)
    worker.run_due()
    assert len({one.recipient for one in sender.messages}) == len(sender.messages) == 3
    world.store.close()


async def test_an_ordinary_day_with_restarts_and_two_workers_makes_nothing_unknown(tmp_path: Path) -> None:
    world = EngineWorld.open(tmp_path)
    await world.approved(*[await world.contact(f"person{number}@globex.example") for number in range(6)])
    for _ in range(3):
        world.worker().run_due(limit=1)
        other = reopened(world)
        other.worker().run_due(limit=1)
        other.store.close()
    assert {one.status for one in await world.runs()} == {SequenceStatus.COMPLETED}
    assert len(world.mails) == 6
    assert world.store.lineage.unseen() == []
    world.store.close()


async def test_without_its_line_in_the_journal_no_e_mail_is_handed_over(tmp_path: Path) -> None:
    world = EngineWorld.open(tmp_path)
    await world.approved(await world.contact("maria@globex.example"))
    journal = world.store.workspace.folder / journals.SENT
    accepted = []

    class Breaking(FakeDelivery):
        def __call__(self, message, *, before_dot):  # type: ignore[no-untyped-def]
            journal.rename(tmp_path / "aside")
            journal.mkdir()
            receipt = super().__call__(message, before_dot=before_dot)
            accepted.append(message)
            return receipt

    world.worker(Breaking()).run_due(limit=1)
    assert accepted == []
    [run] = await world.runs()
    assert run.steps[0].state is StepState.HELD
    assert "journal of what was sent" in (run.steps[0].reason or "")
    journal.rmdir()
    (tmp_path / "aside").rename(journal)
    world.clock.forward(hours=1)
    world.worker().run_due()
    assert len(world.mails) == 1
    world.store.close()


async def test_a_copied_folder_stands_still_until_a_person_takes_it_over(tmp_path: Path) -> None:
    world = EngineWorld.open(tmp_path / "original")
    await world.approved(await world.contact("maria@globex.example"), await world.contact("bob@globex.example"))
    world.store.close()
    shutil.copytree(tmp_path / "original", tmp_path / "copy")
    copy = reopened(world, folder=tmp_path / "copy")
    sender = FakeDelivery()
    assert copy.worker(sender).run_due() == 0
    assert [one.kind for one in copy.store.lineage.standstills()] == ["copied"]
    with copy.store.transaction() as work:
        copy.store.lineage.go_on(now=copy.clock.now, actor=Actor("terminal:ada"))
        assert unknown_due(work, now=copy.clock.now) == 2
    assert copy.worker(sender).run_due() == 0
    assert sender.messages == []
    assert [one.steps[0].state for one in await copy.runs()] == [StepState.UNKNOWN] * 2
    assert copy.store.audit.verify() is None
    copy.store.close()


async def test_the_original_of_a_copied_folder_goes_on_and_a_moved_one_too(tmp_path: Path) -> None:
    world = EngineWorld.open(tmp_path / "original")
    await world.approved(await world.contact("maria@globex.example"))
    world.store.close()
    shutil.copytree(tmp_path / "original", tmp_path / "copy")
    (tmp_path / "original").rename(tmp_path / "moved")
    moved = reopened(world, folder=tmp_path / "moved")
    assert moved.worker().run_due() == 1
    assert moved.store.lineage.standstills() == []
    moved.store.close()


async def test_a_database_from_another_machine_stands_still(tmp_path: Path) -> None:
    world = EngineWorld.open(tmp_path)
    await world.approved(await world.contact("maria@globex.example"))
    world.store.close()
    with closing(sqlite3.connect(world.store.workspace.database)) as other, other:
        other.execute("UPDATE lineage SET machine = 'another'")
    world = reopened(world)
    assert world.worker().run_due() == 0
    assert [one.kind for one in world.store.lineage.standstills()] == ["other_machine"]
    world.store.close()
    world = reopened(world)
    assert [one.kind for one in world.store.lineage.standstills()] == ["other_machine"]
    world.store.close()


@pytest.mark.parametrize("left", ["nothing", "an empty file"])
@pytest.mark.parametrize("beside", ["journals", "an old passphrase", "passkeys"])
async def test_a_new_database_beside_traces_of_an_earlier_one_is_held_for_a_person(
    tmp_path: Path, left: str, beside: str
) -> None:
    world = EngineWorld.open(tmp_path)
    world.store.close()
    data = world.store.workspace.folder
    for file in data.glob("*" if beside != "journals" else f"{FILE_NAME}*"):
        file.unlink()
    if beside == "an old passphrase":
        (data / "passphrase.json").write_text(json.dumps({"database": True}), "utf-8")
    if beside == "passkeys":
        (data / "passkeys.json").write_text("{}", "utf-8")
    if left == "an empty file":
        world.store.workspace.database.touch()
    world = reopened(world)
    assert [one.kind for one in world.store.lineage.standstills()] == ["begun_anew"]
    await world.approved(await world.contact("maria@globex.example"))
    assert world.worker().run_due() == 0
    world.store.lineage.go_on(now=START, actor=Actor("terminal:ada"))
    assert world.worker().run_due() == 1
    world.store.close()
    assert reopened(world).store.lineage.standstills() == []


async def test_a_first_start_is_held_for_nobody(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "passphrase.json").write_text(json.dumps({"database": False}), "utf-8")
    world = EngineWorld.open(tmp_path)
    assert world.store.lineage.standstills() == []
    world.store.close()


async def test_suppressions_survive_a_lost_an_older_and_a_new_database(tmp_path: Path) -> None:
    world = EngineWorld.open(tmp_path)
    world.store.close()
    shutil.copy(world.store.workspace.database, tmp_path / "kept.db")
    world = reopened(world)
    marks = [("address", "maria@globex.example"), ("domain", "acme.example")]
    for kind, value in marks:
        await world.local.suppressions.suppress(kind, value, reason="asked")  # type: ignore[arg-type]
    world.store.close()
    overwrite(world.store.workspace.database, tmp_path / "kept.db")
    world = reopened(world)
    assert set(world.store.suppressions.matching(marks)) == set(marks)
    world.store.close()
    world.store.workspace.database.unlink()
    world = reopened(world)
    assert set(world.store.suppressions.matching(marks)) == set(marks)
    world.store.close()


async def test_a_lost_journal_of_suppressions_is_written_again_and_a_lift_is_remembered(tmp_path: Path) -> None:
    world = EngineWorld.open(tmp_path)
    mark = ("address", "maria@globex.example")
    await world.local.suppressions.suppress("address", mark[1], reason="asked")
    world.store.close()
    shutil.copy(world.store.workspace.database, tmp_path / "kept.db")
    journal = world.store.workspace.folder / journals.SUPPRESSIONS
    journal.unlink()
    world = reopened(world)
    assert [one["value"] for one in journals.journal_tail(journal, 0)[0]] == [mark[1]]
    with world.store.transaction():
        world.store.suppressions.note_lifted(mark, reason="asked again", actor=Actor("terminal:ada"), now=START)
    world.store.close()
    overwrite(world.store.workspace.database, tmp_path / "kept.db")
    world = reopened(world)
    assert world.store.suppressions.matching([mark]) == {}
    await world.local.suppressions.suppress("address", mark[1], reason="once more")
    world.store.close()
    assert reopened(world).store.suppressions.matching([mark]) == {mark: "once more"}


def test_a_torn_line_is_passed_over_and_the_next_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "some.log"
    journals.append_line(path, {"no": 1})
    with path.open("ab") as file:
        file.write(b'{"no": 2, "half')
    journals.append_line(path, {"no": 3})
    records, end = journals.journal_tail(path, 0)
    assert ([one["no"] for one in records], end) == ([1, 3], path.stat().st_size)
    assert journals.journal_tail(path, end) == ([], end)


def test_a_journal_is_begun_beside_whatever_lies_there_already(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text("mine")
    (tmp_path / "sent.new").symlink_to(theirs)
    journals.begin_journal(tmp_path / journals.SENT, {"mark": "a"})
    assert journals.first_line(tmp_path / journals.SENT) == {"mark": "a"}
    assert theirs.read_text() == "mine" and (tmp_path / "sent.new").is_symlink()
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.skipif(os.name != "posix", reason="rights are POSIX's")
def test_a_folder_that_existed_and_every_file_in_it_become_private_at_start(tmp_path: Path) -> None:
    EngineWorld.open(tmp_path).store.close()
    data = tmp_path / "data"
    (data / "outbox").mkdir()
    names = ["outbox/1.eml", "review.lock", "review.json", "guards.toml", "sequences.db-wal", "sent.log"]
    for name in names:
        (data / name).touch()
        (data / name).chmod(0o664)
    for folder in (data, data / "outbox"):
        folder.chmod(0o775)
    with Store.open(Workspace(data), now=START) as store:
        rights = {path: stat.S_IMODE(path.stat().st_mode) for path in [data, *data.rglob("*")]}
    assert store.workspace.database in rights
    assert {mode for path, mode in rights.items() if path.is_file()} == {0o600}
    assert {mode for path, mode in rights.items() if path.is_dir()} == {0o700}


async def test_a_journal_on_a_full_disk_is_an_error_that_says_so(tmp_path: Path) -> None:
    world = EngineWorld.open(tmp_path)
    journal = world.store.workspace.folder / journals.SENT
    journal.unlink()
    journal.mkdir()
    with pytest.raises(StoreUnwritableError, match="Nothing was handed over"):
        world.store.lineage.note_email(lease=1, key="k", message_id="<m>", sender="a", recipient="b", now=START)
    world.store.close()


async def test_a_whole_folder_copied_over_itself_stands_still_until_a_person_takes_it_over(tmp_path: Path) -> None:
    world = EngineWorld.open(tmp_path)
    await world.approved(*[await world.contact(f"person{number}@globex.example") for number in range(3)])
    world.store.close()
    shutil.copytree(tmp_path / "data", tmp_path / "kept")
    world = reopened(world)
    world.worker().run_due(limit=2)
    world.store.close()
    for file in (tmp_path / "kept").iterdir():  # as `cp -a kept/. data/` does: the same files, older
        (tmp_path / "data" / file.name).write_bytes(file.read_bytes())
    world = reopened(world)
    sender = FakeDelivery()
    assert world.worker(sender).run_due() == 0
    assert [one.kind for one in world.store.lineage.standstills()] == ["copied"]
    with world.store.transaction() as work:
        world.store.lineage.go_on(now=world.clock.now, actor=Actor("terminal:ada"))
        assert unknown_due(work, now=world.clock.now) == 3
    assert world.worker(sender).run_due() == 0
    assert sender.messages == []
    world.store.close()
    world = reopened(world)
    assert world.store.lineage.standstills() == []
    world.store.close()


async def test_a_journal_that_was_taken_away_is_noticed(tmp_path: Path) -> None:
    world = EngineWorld.open(tmp_path)
    await world.approved(*[await world.contact(f"person{number}@globex.example") for number in range(2)])
    world.worker().run_due(limit=1)
    world.store.close()
    (tmp_path / "data" / journals.SENT).unlink()
    world = reopened(world)
    assert world.worker().run_due() == 0
    assert [one.kind for one in world.store.lineage.standstills()] == ["copied"]
    world.store.close()


@pytest.mark.parametrize("sent", [0, 1])
async def test_a_database_put_alone_into_an_empty_folder_stands_still_until_a_person_says_what_it_is(
    tmp_path: Path, sent: int
) -> None:
    world = EngineWorld.open(tmp_path)
    await world.approved(*[await world.contact(f"person{number}@globex.example") for number in range(2)])
    world.store.close()
    kept = world.store.workspace.database.read_bytes()
    world = reopened(world)
    world.worker().run_due(limit=sent)
    world.store.close()
    for file in world.store.workspace.folder.iterdir():
        if file.is_file():
            file.unlink()
    world.store.workspace.database.write_bytes(kept)
    world = reopened(world)
    assert world.worker().run_due() == 0
    assert [one.kind for one in world.store.lineage.standstills()] == ["copied"]
    world.store.close()


def test_two_that_open_a_new_folder_together_are_no_copy_of_each_other(tmp_path: Path) -> None:
    with closing(SqliteDatabase.open(Workspace(tmp_path), now=START)) as database:

        class OvertakenDatabase:
            """A database whose next transaction begins after another process has opened the same folder whole."""

            def __getattr__(self, name: str) -> object:
                return getattr(database, name)

            def transaction(self) -> AbstractContextManager[None]:
                Store.open(Workspace(tmp_path), now=START).close()
                return database.transaction()

        overtaken = LineageRepository(cast("Database", OvertakenDatabase()))
        overtaken.look(now=START)
        assert overtaken.standstills() == []


@pytest.mark.parametrize("is_stranger_before", [False, True])
async def test_a_recorded_email_s_line_counts_as_read_unless_something_stands_before_it_that_was_not(
    is_stranger_before: bool, tmp_path: Path
) -> None:
    world = EngineWorld.open(tmp_path)
    await world.approved(await world.contact("person@globex.example"))

    def read() -> int:
        return int(world.store.database.rows("lineage.present")[0]["sent_read"])

    def at(point: str) -> None:
        if point == "claimed":
            at_claim.append(read())
            if is_stranger_before:
                stranger = {"key": "k", "message_id": "<m>", "sender": "a", "recipient": "b"}
                world.store.lineage.note_email(lease=99, now=world.clock.now, **stranger)

    at_claim: list[int] = []
    world.worker(FakeDelivery(), at=at).run_due(limit=1)
    size = journals.journal_size(world.store.workspace.folder / journals.SENT)
    [before] = at_claim
    assert before < size
    assert read() == (before if is_stranger_before else size)
    world.store.lineage.look(now=world.clock.now)
    assert read() == size
    assert [one.key for one in world.store.lineage.unseen()] == ["k"] * is_stranger_before
    world.store.close()
