"""Planning a start for many people lets everything else on the event loop go on meanwhile."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Awaitable
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from time import thread_time
from typing import Any

import pytest
from tests.world.product import GRACE, MAIL, Bureau, World

from sequences_mcp.domain.argument_limits import PART as VALUES
from sequences_mcp.domain.argument_limits import checking_limits
from sequences_mcp.engine.context import stepping_aside
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.planning.recipient_rows import PART
from sequences_mcp.ports.embedded import MOST_ON_LOOP
from sequences_mcp.server.boundary import ROWS, fingerprint, fingerprint_in_parts
from sequences_mcp.services import starts
from sequences_mcp.services.blueprints import create_blueprint
from sequences_mcp.services.contacts import entries_to_save, save_contacts
from sequences_mcp.services.faults import every_fault
from sequences_mcp.services.starts import preview_sequence, start_sequence


async def silent(done: int, total: int) -> None:
    """Report to nobody."""


def crowd(number: int) -> list[Any]:
    return [{**GRACE, "email": f"person{index}@hopper.example"} for index in range(number)]


async def turns_beside(work: Awaitable[object]) -> int:
    """Return how often something else on the event loop had its turn while some work was done."""
    turns = 0

    async def something_else() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(something_else())
    await work
    other.cancel()
    return turns


async def test_everything_else_has_a_turn_after_at_most_so_many_people_of_each_stage(world: World) -> None:
    people = 10 * PART
    async with world.app() as app:
        made = await create_blueprint(app, name="Engineers", steps=[MAIL], job_title="Engineer")
        turns = await turns_beside(
            start_sequence(app, blueprint_id=made.blueprint.id, contacts=crowd(people), progress=silent)
        )
    # Reading and matching; then saving, rendering and writing, in parts that are two and a half times larger.
    assert turns >= people / PART * 2 + people / (2.5 * PART) * 3


async def test_nobody_waits_for_more_than_a_part_of_the_people_of_a_start_to_be_saved(world: World) -> None:
    people = 5 * starts.PART
    seen: list[int] = []

    async def look() -> None:
        while True:
            seen.append(world.rows("SELECT count(*) FROM contact")[0][0])
            await asyncio.sleep(0)

    async with world.app() as app:
        made = await create_blueprint(app, name="Engineers", steps=[MAIL], job_title="Engineer")
        other = asyncio.create_task(look())
        await start_sequence(app, blueprint_id=made.blueprint.id, contacts=crowd(people), progress=silent)
        other.cancel()
    assert seen[-1] == people
    assert max(later - earlier for earlier, later in pairwise(seen)) <= starts.PART


async def test_a_start_that_ends_while_its_people_are_saved_leaves_no_plan_and_is_made_again(world: World) -> None:
    people = crowd(4 * starts.PART)
    async with world.app() as app:
        made = await create_blueprint(app, name="Engineers", steps=[MAIL], job_title="Engineer")
        start = partial(start_sequence, app, blueprint_id=made.blueprint.id, contacts=people, progress=silent)
        first = asyncio.create_task(start())
        while not (saved := world.rows("SELECT count(*) FROM contact")[0][0]):
            await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert 0 < saved < len(people)
        assert (await app.plans.list_plans(page=1, size=1)).total_count == 0
    async with world.app() as app:  # as the next process
        report = await start_sequence(app, blueprint_id=made.blueprint.id, contacts=people, progress=silent)
        assert report.plan.people == len(people)
        assert (await app.plans.list_plans(page=1, size=1)).total_count == 1
        assert (await app.local.find_contacts("", page=1, size=1)).total_count == len(people)


@pytest.mark.parametrize("apart", [1, starts.PART])
async def test_two_rows_of_one_number_are_one_person_however_far_apart_they_are(world: World, apart: int) -> None:
    rows = crowd(2 * starts.PART)
    rows[5] = {"phone": "+33639980101", "first_name": "Grace"}
    rows[5 + apart]["phone"] = "+33639980101"
    async with world.app() as app:
        made = await create_blueprint(app, name="Engineers", steps=[MAIL], job_title="Engineer")
        with pytest.raises(InvalidArgumentsError, match=f"contacts 6 and {6 + apart} are the same person"):
            await start_sequence(app, blueprint_id=made.blueprint.id, contacts=rows, progress=silent)
        assert (await app.plans.list_plans(page=1, size=1)).total_count == 0


async def test_everything_else_has_its_turns_while_it_is_looked_at_what_else_is_wrong_with_a_start(
    world: World,
) -> None:
    people = 10 * PART
    async with world.app() as app:
        made = await create_blueprint(app, name="Engineers", steps=[MAIL], job_title="Engineer")
        arguments = {"blueprint_id": made.blueprint.id, "contacts": crowd(people)}
        error = InvalidArgumentsError("Something is wrong.", next_step="Mend it.")
        turns = await turns_beside(every_fault(app, error, tool="start_sequence", arguments=arguments))
    assert turns >= people / PART * 2  # reading and matching


async def test_everything_else_has_a_turn_while_a_start_that_needs_nobody_is_looked_at(bureau: Bureau) -> None:
    people = 10 * PART
    async with bureau.app() as app:
        blueprint = (await create_blueprint(app, name="Engineers", steps=[MAIL], job_title="Engineer")).blueprint
    allowed = bureau.having(AUTO_APPROVE=blueprint.id)
    async with allowed.app() as app:
        turns = await turns_beside(
            start_sequence(
                app, blueprint_id=blueprint.id, contacts=crowd(people), auto_approve=True, progress=silent
            )
        )
    assert turns >= people / PART * 3 + people / (2.5 * PART) * 3  # as above, and what was given once more


async def test_everything_else_has_its_turns_while_many_people_are_saved(world: World) -> None:
    people = 10 * PART
    async with world.app() as app:
        turns = await turns_beside(save_contacts(app, contacts=crowd(people)))
        error = InvalidArgumentsError("Something is wrong.", next_step="Mend it.")
        arguments = {"contacts": crowd(people)}
        looked_at = await turns_beside(every_fault(app, error, tool="save_contacts", arguments=arguments))
    assert min(turns, looked_at) >= people / PART * 2  # reading and matching


@pytest.mark.parametrize("apart", [1, PART - 1, PART, 3 * PART])
async def test_somebody_named_twice_in_a_save_is_found_however_far_apart_the_rows_are(
    world: World, apart: int
) -> None:
    rows = crowd(4 * PART)
    rows[5 + apart] = {**GRACE, "email": "PERSON5@hopper.example"}
    async with world.app() as app:
        with pytest.raises(InvalidArgumentsError, match=f"contacts 6 and {6 + apart} are"):
            await save_contacts(app, contacts=rows)
        assert (await app.local.find_contacts("", page=1, size=1)).total_count == 0


@pytest.mark.parametrize("apart", [1, PART - 1, PART, 3 * PART])
async def test_somebody_named_twice_is_found_however_far_apart_the_rows_are(world: World, apart: int) -> None:
    rows = crowd(4 * PART)
    rows[5 + apart] = {**GRACE, "email": "PERSON5@hopper.example"}
    async with world.app() as app:
        made = await create_blueprint(app, name="Engineers", steps=[MAIL], job_title="Engineer")
        for act in (preview_sequence, partial(start_sequence, progress=silent)):
            with pytest.raises(
                InvalidArgumentsError, match=f"contact {6 + apart}: contacts 6 and {6 + apart} are"
            ):
                await act(app, blueprint_id=made.blueprint.id, contacts=rows)


async def test_people_new_in_one_call_meet_each_other_by_their_numbers(world: World) -> None:
    phone = "+33639980101"
    rows = [{"phone": phone, "first_name": "Grace"}, {"email": "a@hopper.example", "phone": phone}]
    async with world.app() as app:
        with pytest.raises(InvalidArgumentsError, match="same person"):
            await save_contacts(app, contacts=rows)
        kept = await save_contacts(app, contacts=[{**rows[1]}, {"email": "b@hopper.example", "phone": phone}])
    assert [saved.created for saved in kept] == [True, True]


async def test_a_save_through_the_tool_is_read_in_parts_and_answered_once(world: World) -> None:
    rows = crowd(3 * PART)
    async with world.client("auto") as desktop:
        for _ in range(2):
            saved = await desktop.call("save_contacts", contacts=rows, idempotency_key="many")
        assert saved["created"] == 3 * PART
        assert (await desktop.call("find_contacts"))["total_count"] == 3 * PART


def test_what_many_people_say_is_held_against_the_limits_in_pieces() -> None:
    rows = crowd(3 * VALUES)
    pieces = sum(1 for _ in checking_limits({"contacts": rows}))
    assert pieces >= len(rows) * len(rows[0]) / VALUES / 2
    assert sum(1 for _ in checking_limits({"contacts": rows[:10]})) == 0
    with pytest.raises(InvalidArgumentsError, match=r"contacts\[7\].first_name is"):
        for _ in checking_limits({"contacts": [*rows[:7], {**GRACE, "first_name": "x" * 1000}, *rows[8:]]}):
            pass


@pytest.mark.parametrize(
    "arguments",
    [
        {"contacts": crowd(2 * ROWS + 1), "provider": "local", "when": datetime(2026, 11, 30, tzinfo=UTC)},
        {"blueprint_id": "é", "contacts": [*crowd(ROWS), "local:ct_1", {"texts": {"b": None, "a": [1, True]}}]},
        {"contacts": [{"email": "a@b.example"}] * 2 * ROWS},
    ],
)
async def test_the_fingerprint_of_many_people_is_made_in_pieces_and_is_that_of_all_at_once(
    arguments: dict[str, Any],
) -> None:
    made: list[str] = []

    async def make() -> None:
        made.append(await fingerprint_in_parts(arguments))

    assert await turns_beside(make()) >= len(arguments["contacts"]) / ROWS
    assert made == [fingerprint(arguments)]


async def longest_piece(work: Awaitable[object]) -> float:
    """Return the most processor time that the event loop takes between two turns of something else, in seconds."""
    longest = 0.0

    async def something_else() -> None:
        nonlocal longest
        before = thread_time()
        while True:
            await asyncio.sleep(0)
            longest, before = max(longest, thread_time() - before), thread_time()

    gc.collect()
    gc.disable()  # what others have left would be gone through in one piece
    other = asyncio.create_task(something_else())
    await asyncio.sleep(0)  # its first turn, so that the work's first piece counts too
    try:
        await work
    finally:
        other.cancel()
        gc.enable()
    return longest


async def test_a_large_save_through_the_tool_never_keeps_the_event_loop_for_long(world: World) -> None:
    rows = crowd(4 * MOST_ON_LOOP)
    async with world.app() as app:
        others = [{**row, "email": f"other-{row['email']}"} for row in rows]
        entries = await entries_to_save(app, contacts=others)
        store, begun = app.records.engine.store, thread_time()
        with store.transaction():
            await app.local.save_contacts(entries)
        in_one_piece = thread_time() - begun
    async with world.client("auto") as desktop:
        await desktop.call("find_contacts")  # imports what a first call needs
        longest = await longest_piece(desktop.call("save_contacts", contacts=rows))
        assert (await desktop.call("find_contacts"))["total_count"] == 2 * len(rows)
    assert longest < in_one_piece / 2, f"{longest * 1000:.0f} ms of {in_one_piece * 1000:.0f} ms"


def is_aside() -> bool:
    """Say whether a long transaction has been undone and waits for others."""
    return any(frame.f_code is stepping_aside.__code__ for frame in sys._current_frames().values())


@pytest.mark.skipif(os.name != "posix", reason="whoever wants the turn shows it by a lock of POSIX")
@pytest.mark.parametrize("through_the_tool", [True, False])
async def test_a_large_save_steps_aside_for_what_holds_back_and_is_whole_afterwards(
    world: World, through_the_tool: bool
) -> None:
    rows = crowd(2 * MOST_ON_LOOP)
    async with world.app() as app, world.client("auto") as desktop:
        turn = app.records.engine.store.want_turn()
        assert turn is not None
        work = (
            desktop.call("save_contacts", contacts=rows) if through_the_tool else save_contacts(app, contacts=rows)
        )
        saving = asyncio.create_task(work)
        async with asyncio.timeout(60):
            while not is_aside():
                await asyncio.sleep(0)
        await app.suppressions.suppress("address", "grace@elsewhere.example", reason="asked us to")
        assert world.rows("SELECT count(*) FROM contact") == [(0,)]
        turn()
        await saving
        assert (await app.local.find_contacts("", page=1, size=1)).total_count == len(rows)
        assert app.records.engine.store.audit.verify() is None


async def test_a_large_save_with_a_key_is_done_once_and_one_that_is_refused_leaves_nothing(world: World) -> None:
    rows = crowd(2 * MOST_ON_LOOP)
    twice = [*rows, {**GRACE, "phone": "+33639980101"}, {"phone": "+33639980101"}]
    async with world.client("auto") as desktop:
        refused = await desktop.refused("save_contacts", contacts=twice, idempotency_key="many")
        assert "are the same person" in str(refused)
        assert world.rows("SELECT count(*) FROM contact") == [(0,)]
        saved = [await desktop.call("save_contacts", contacts=rows, idempotency_key="again") for _ in range(2)]
    assert saved[0] == saved[1]
    assert world.rows("SELECT count(*) FROM contact") == [(len(rows),)]
    assert world.rows("SELECT count(*) FROM audit WHERE action = 'contact.saved'") == [(len(rows),)]
