"""Planning a start for many people lets everything else on the event loop go on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from tests.world.product import GRACE, MAIL, Bureau, World

from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.planning.recipient_rows import PART
from sequences_mcp.services import starts
from sequences_mcp.services.blueprints import create_blueprint
from sequences_mcp.services.contacts import save_contacts
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
