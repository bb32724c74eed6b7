"""Planning a start for many people lets everything else on the event loop go on meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.world.product import GRACE, MAIL, World

from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.planning.recipient_rows import PART
from sequences_mcp.services.blueprints import create_blueprint
from sequences_mcp.services.contacts import save_contacts
from sequences_mcp.services.starts import preview_sequence, start_sequence


async def silent(done: int, total: int) -> None:
    """Report to nobody."""


def crowd(number: int) -> list[Any]:
    return [{**GRACE, "email": f"person{index}@hopper.example"} for index in range(number)]


async def test_everything_else_has_a_turn_after_at_most_so_many_people_of_each_stage(world: World) -> None:
    turns = 0

    async def something_else() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with world.app() as app:
        made = await create_blueprint(app, name="Engineers", steps=[MAIL], job_title="Engineer")
        other = asyncio.create_task(something_else())
        people = 10 * PART
        await start_sequence(app, blueprint_id=made.blueprint.id, contacts=crowd(people), progress=silent)
        other.cancel()
    # Reading and matching; then saving, rendering and writing, in parts that are two and a half times larger.
    assert turns >= people / PART * 2 + people / (2.5 * PART) * 3


@pytest.mark.parametrize("apart", [1, PART - 1, PART, 3 * PART])
async def test_somebody_named_twice_is_found_however_far_apart_the_rows_are(world: World, apart: int) -> None:
    rows = crowd(4 * PART)
    rows[5 + apart] = {**GRACE, "email": "PERSON5@hopper.example"}
    async with world.app() as app:
        made = await create_blueprint(app, name="Engineers", steps=[MAIL], job_title="Engineer")
        for act in (preview_sequence, start_sequence):
            more = {"progress": silent} if act is start_sequence else {}
            with pytest.raises(
                InvalidArgumentsError, match=f"contact {6 + apart}: contacts 6 and {6 + apart} are"
            ):
                await act(app, blueprint_id=made.blueprint.id, contacts=rows, **more)  # type: ignore[operator]


async def test_people_new_in_one_call_meet_each_other_by_their_numbers(world: World) -> None:
    phone = "+33639980101"
    rows = [{"phone": phone, "first_name": "Grace"}, {"email": "a@hopper.example", "phone": phone}]
    async with world.app() as app:
        with pytest.raises(InvalidArgumentsError, match="same person"):
            await save_contacts(app, contacts=rows)
        kept = await save_contacts(app, contacts=[{**rows[1]}, {"email": "b@hopper.example", "phone": phone}])
    assert [saved.created for saved in kept] == [True, True]
