"""An address is a person, a number is not; the list of those never to contact follows the person."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.world.data_folder import executed
from tests.world.engine import EMAIL, LATER, EngineWorld

from sequences_mcp.domain.run import SequenceStatus, StepState
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import ConflictError, InvalidArgumentsError, NotFoundError
from sequences_mcp.store.sqlite.schema import migrations
from sequences_mcp.store.unit_of_work import Store

SWITCHBOARD = "+33144556677"


async def save(world: EngineWorld, **facts: str) -> str:
    return (await world.contact(**facts)).id


async def test_two_people_with_one_number_and_two_addresses_are_two_people(world: EngineWorld) -> None:
    alice = await world.contact("alice@acme.example", first_name="Alice", phone=SWITCHBOARD)
    bob = await world.contact("bob@acme.example", first_name="Bob", phone="+33 1 44 55 66 77")
    assert alice.id != bob.id
    assert (alice.phone, bob.phone) == (SWITCHBOARD, SWITCHBOARD)
    again = await world.local.get_contacts([alice.id, bob.id])
    assert [(one.first_name, one.email) for one in again] == [
        ("Alice", "alice@acme.example"),
        ("Bob", "bob@acme.example"),
    ]


async def test_both_of_them_are_written_to_each_under_their_own_name(world: EngineWorld) -> None:
    alice = await world.contact("alice@acme.example", first_name="Alice", phone=SWITCHBOARD)
    await world.approved(alice, blueprint=await world.blueprint(EMAIL))
    bob = await world.contact("bob@acme.example", first_name="Bob", phone=SWITCHBOARD)
    await world.approved(bob, blueprint=await world.blueprint(EMAIL))
    world.worker().run_due()
    sent = {run.steps[0].recipient: run.steps[0].state for run in await world.runs()}
    assert sent == {"alice@acme.example": StepState.SENT, "bob@acme.example": StepState.SENT}


async def test_a_number_finds_whoever_has_no_address_yet_and_whoever_is_given_without_one(
    world: EngineWorld,
) -> None:
    ann = await world.contact(phone=SWITCHBOARD, first_name="Ann")
    named = await world.contact("ann@acme.example", phone=SWITCHBOARD)
    assert (named.id, named.email) == (ann.id, "ann@acme.example")
    assert (await world.contact(phone=SWITCHBOARD, last_name="Lee")).id == ann.id


async def test_a_number_of_several_people_alone_is_a_conflict_that_names_them(world: EngineWorld) -> None:
    both = [await save(world, email=f"{name}@acme.example", phone=SWITCHBOARD) for name in ("alice", "bob")]
    with pytest.raises(ConflictError, match="2 people have this phone number") as caught:
        await world.contact(phone=SWITCHBOARD, first_name="Carol")
    assert caught.value.data["by_phone"] == both
    carol = await world.contact("carol@acme.example", phone=SWITCHBOARD)
    assert carol.id not in both


async def test_an_extension_is_part_of_the_number(world: EngineWorld) -> None:
    first = await world.contact(phone="+33 1 44 55 66 77 ext. 12", first_name="Ann")
    second = await world.contact(phone="+33 1 44 55 66 77 x13", first_name="Bob")
    third = await world.contact(phone=SWITCHBOARD, first_name="Reception")
    assert len({first.id, second.id, third.id}) == 3
    assert [one.phone for one in (first, second)] == [f"{SWITCHBOARD};ext=12", f"{SWITCHBOARD};ext=13"]
    assert (await world.contact(phone="01 44 55 66 77 #12", country="FR")).id == first.id
    assert (await world.contact(phone=first.phone or "")).id == first.id


async def test_an_address_of_somebody_else_is_a_conflict_that_names_both(world: EngineWorld) -> None:
    ann = await world.contact("ann@acme.example")
    bob = await world.contact("bob@acme.example")
    with pytest.raises(ConflictError, match=rf"{ann.id}, not to {bob.id}") as caught:
        await world.contact("Ann@ACME.example", of=bob.id)
    assert caught.value.data == {"id": bob.id, "by_email": ann.id}
    with pytest.raises(NotFoundError):
        await world.contact("ann@acme.example", of="local:ct_NOBODY")
    with pytest.raises(InvalidArgumentsError, match="contact 1: "):
        await world.contact("not an address", of=bob.id)


@pytest.mark.parametrize("when", ["before the change", "after the change"])
async def test_whoever_is_listed_by_an_address_stays_listed_under_a_newer_one(
    world: EngineWorld, when: str
) -> None:
    ann = await world.contact("ann@old.example", phone=SWITCHBOARD)
    if when == "before the change":
        await world.local.suppressions.suppress("address", "ann@old.example", reason="asked")
    moved = await world.contact("ann@new.example", of=ann.id)
    if when == "after the change":
        await world.local.suppressions.suppress("address", "ANN@old.example", reason="asked")
    again = await world.contact("ann@third.example", of=ann.id)
    assert await world.local.suppressions.suppressed_among([moved]) == {ann.id: "asked"}
    assert await world.local.suppressions.suppressed_among([again]) == {ann.id: "asked"}
    colleague = await world.contact("bob@new.example", phone=SWITCHBOARD)
    assert await world.local.suppressions.suppressed_among([colleague]) == {}


async def test_listing_a_former_address_stops_what_runs_to_the_newer_one(world: EngineWorld) -> None:
    ann = await world.contact("ann@old.example")
    moved = await world.contact("ann@new.example", of=ann.id)
    await world.approved(moved, blueprint=await world.blueprint(LATER))
    done = await world.local.suppressions.suppress("address", "ann@old.example", reason="asked")
    assert [one.contact.id for one in done.stopped] == [ann.id]


async def test_another_spelling_of_the_same_address_is_no_former_address(world: EngineWorld) -> None:
    ann = await world.contact("Ann@münchen.example")
    await world.contact("ann@xn--mnchen-3ya.example")
    with closing(sqlite3.connect(world.store.workspace.database)) as other:
        assert other.execute("SELECT count(*) FROM former_address").fetchone() == (0,)
        assert other.execute("SELECT count(*) FROM contact").fetchone() == (1,)
    assert (await world.local.get_contacts([ann.id]))[0].email == "ann@münchen.example"


async def moved_row(world: EngineWorld) -> tuple[str, str]:
    """Start somebody at an address, give their row another, and save the address again as a second row."""
    first = await world.contact("zoe@globex.example", first_name="Zoe")
    await world.approved(first, blueprint=await world.blueprint(LATER))
    await world.contact("zoe@elsewhere.example", of=first.id)
    second = await world.contact("zoe@globex.example", first_name="Zoe")
    assert second.id != first.id
    return first.id, second.id


async def test_a_second_run_to_one_address_is_found_out_when_it_is_planned(world: EngineWorld) -> None:
    _, second = await moved_row(world)
    (run,) = await world.runs()
    assert await world.local.suppressions.busy_among([second]) == {second: run.id}


async def test_a_second_run_to_one_address_is_refused_at_the_yes(world: EngineWorld) -> None:
    _, second = await moved_row(world)
    (contact,) = await world.local.get_contacts([second])
    await world.approved(contact, blueprint=await world.blueprint(EMAIL))
    first, refused = await world.runs()
    assert (refused.contact_id, refused.status) == (second, SequenceStatus.REFUSED)
    assert first.id in (refused.reason or "")


async def test_the_database_itself_keeps_a_second_live_run_from_an_address(world: EngineWorld) -> None:
    _, second = await moved_row(world)
    (contact,) = await world.local.get_contacts([second])
    await world.plan(contact, blueprint=await world.blueprint(EMAIL))
    with closing(sqlite3.connect(world.store.workspace.database)) as other:
        with pytest.raises(sqlite3.IntegrityError, match=r"sequence\.address_key"):
            other.execute("UPDATE sequence SET status = 'ACTIVE' WHERE status = 'FOUND'")
        with pytest.raises(sqlite3.IntegrityError, match="never changes"):
            other.execute("UPDATE sequence SET address_key = NULL")


async def test_of_two_runs_to_one_address_that_an_older_version_began_none_sends_by_itself(
    world: EngineWorld,
) -> None:
    await moved_row(world)
    with closing(sqlite3.connect(world.store.workspace.database)) as other, other:
        other.execute("DROP INDEX sequence_one_live_per_address")
    (contact,) = await world.local.get_contacts([(await moved_second(world))])
    await world.plan(contact, blueprint=await world.blueprint(EMAIL))
    with closing(sqlite3.connect(world.store.workspace.database)) as other, other:
        other.execute(
            "UPDATE sequence SET status = 'ACTIVE', next_run_at = 0, lane = 'mailbox' WHERE status = 'FOUND'"
        )
        other.execute("UPDATE plan SET status = 'approved'")
        other.execute("INSERT INTO approval (subject, digest, actor, at) SELECT id, digest, 'ada', 0 FROM plan")
    world.worker().run_due()
    run = (await world.runs())[1]
    assert run.steps[0].state is StepState.HELD
    assert "another sequence writes to this address" in (run.steps[0].reason or "")


async def moved_second(world: EngineWorld) -> str:
    found = await world.local.find_contacts("zoe@globex.example", page=1, size=10)
    return found.items[0].id


async def test_people_and_runs_of_an_older_file_are_kept_when_it_is_upgraded(tmp_path: Path) -> None:
    now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    with Store.open(Workspace(tmp_path / "data"), now=now, steps=migrations()[:6]) as store, store.transaction():
        for sql in OLD_ROWS:
            executed(store, sql)
    with Store.open(Workspace(tmp_path / "data"), now=now) as store:
        kept = executed(store, "SELECT contact_no, address_key FROM sequence ORDER BY no")
        assert [tuple(row) for row in kept] == [(1, "ann@xn--mnchen-3ya.example"), (2, None)]
        assert executed(store, "SELECT count(*) FROM contact")[0][0] == 2
        assert executed(store, "PRAGMA foreign_keys")[0][0] == 1
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            executed(store, "DELETE FROM contact WHERE no = 1")


OLD_ROWS = [
    "INSERT INTO blueprint_version VALUES (1, 'local:bp_1', 1, 'x', '[]', '{}', 0)",
    "INSERT INTO contact (no, id, email, email_key, phone, notes, search, created_at, updated_at)"
    " VALUES (1, 'local:ct_1', 'Ann@münchen.example', 'ann@münchen.example', '+33144556677', '', '', 0, 0)",
    "INSERT INTO contact (no, id, phone, notes, search, created_at, updated_at)"
    " VALUES (2, 'local:ct_2', '+33144556678', '', '', 0, 0)",
    "INSERT INTO plan (no, id, version_no, status, terms, expires_at, covered, digest, people, missing_texts,"
    " to_read, warnings, created_at)"
    " VALUES (1, 'local:plan_1', 1, 'approved', '{}', 0, '[]', printf('%064d', 0), 2, 0, 0, 0, 0)",
    "INSERT INTO sequence (no, id, plan_no, version_no, contact_no, ordinal, status, variables, time_zone,"
    " warnings, created_at, updated_at, lane)"
    " VALUES (1, 'local:seq_1', 1, 1, 1, 0, 'ACTIVE', '{}', 'UTC', 0, 0, 0, 'free')",
    "INSERT INTO sequence (no, id, plan_no, version_no, contact_no, ordinal, status, variables, time_zone,"
    " warnings, created_at, updated_at, lane)"
    " VALUES (2, 'local:seq_2', 1, 1, 2, 1, 'ACTIVE', '{}', 'UTC', 0, 0, 0, 'free')",
    "INSERT INTO step_run (sequence_no, step, generation, key, recipient, content, state, changed_at)"
    " VALUES (1, 0, 0, 'k', 'Ann@münchen.example', 'x', 'planned', 0)",
]
