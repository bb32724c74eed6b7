"""Faults of several arguments come in one answer: whoever mends what it names has mended the call."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.world.product import GRACE, LINUS, MAIL, World
from tests.world.vendors import ZOE, Connected, start_at

ROWS: list[Any] = [
    {**GRACE, "phone": "12", "shoe": "42"},
    {**LINUS, "time_zone": "Mars/Olympus", "country": "Narnia", "linkedin_url": "https://example.com/l"},
    {"email": "cy@hopper.example", "first_name": "[first name]"},
]
FIELDS = [(1, "phone"), (1, "shoe"), (2, "country"), (2, "linkedin_url"), (2, "time_zone"), (3, "first_name")]
NO_BLUEPRINT = "local:bp_01ARZ3NDEKTSV4RRFFQ69G5FAV"
STARTS = ("start_sequence", "preview_sequence")


def fields(refused: dict[str, Any]) -> list[tuple[int, str]]:
    """Return where the rows of a refused call are wrong."""
    return sorted((row["position"], row["field"]) for row in refused["problems"])


@pytest.mark.parametrize("tool", STARTS)
@pytest.mark.parametrize(
    ("blueprint_id", "words"),
    [(NO_BLUEPRINT, "There is no blueprint"), ("local:ct_1", "local:ct_1"), ("Engineers", "Engineers")],
    ids=["of nothing", "of another kind", "a name"],
)
async def test_a_bad_blueprint_id_and_every_bad_row_come_in_one_answer(
    world: World, tool: str, blueprint_id: str, words: str
) -> None:
    async with world.client("auto") as desktop:
        refused = await desktop.refused(tool, blueprint_id=blueprint_id, contacts=ROWS)
        assert (await desktop.call("find_contacts"))["total_count"] == 0
    assert words in refused["message"]
    assert fields(refused) == FIELDS


@pytest.mark.parametrize("tool", [*STARTS, "save_contacts"])
async def test_an_argument_of_the_wrong_form_or_name_and_every_bad_row_come_in_one_answer(
    world: World, tool: str
) -> None:
    async with world.client("auto") as desktop:
        more = {} if tool == "save_contacts" else {"blueprint_id": 7}
        refused = await desktop.refused(tool, contacts=json.dumps(ROWS), colour="red", **more)
        assert (await desktop.call("find_contacts"))["total_count"] == 0
    assert "'colour' is not an argument" in refused["message"]
    assert tool == "save_contacts" or "blueprint_id" in refused["message"]
    assert fields(refused) == FIELDS


async def test_an_approval_that_nobody_allowed_a_bad_blueprint_and_bad_rows_come_in_one_answer(
    world: World,
) -> None:
    async with world.client("auto") as desktop:
        refused = await desktop.refused(
            "start_sequence", blueprint_id=NO_BLUEPRINT, contacts=ROWS, auto_approve=True, wait_seconds=9_999
        )
    for words in ("wait_seconds", "There is no blueprint", "auto_approve is not allowed"):
        assert words in refused["message"]
    assert fields(refused) == FIELDS


async def test_what_is_wrong_with_the_call_alone_is_told_once(world: World) -> None:
    async with world.client("auto") as desktop:
        refused = await desktop.refused("start_sequence", blueprint_id=NO_BLUEPRINT, contacts=[GRACE])
        assert refused["code"] == "not_found"
        assert refused["message"].count("There is no blueprint") == 1
        bad = await desktop.refused(
            "start_sequence", blueprint_id=await desktop.blueprint(), contacts=[{**GRACE, "time_zone": "Mars"}]
        )
    assert bad["message"].count("time_zone") == 1


@pytest.mark.parametrize("tool", STARTS)
@pytest.mark.parametrize("vendor", ["kalent", "clarky", "topo"])
async def test_a_bad_blueprint_and_every_bad_row_of_a_start_at_a_vendor_come_in_one_answer(
    vendors: Connected, vendor: str, tool: str
) -> None:
    rows = [{**GRACE, "phone": "12", "shoe": "42"}, {"email": "cy@hopper.example", "first_name": "[first name]"}]
    async with vendors.client() as desktop:
        known = await start_at(vendor, desktop)
        typed = await desktop.refused(tool, blueprint_id=known.blueprint_id, contacts=rows, colour="red")
        nothing = f"{known.blueprint_id}0"
        told = await desktop.refused(tool, blueprint_id=nothing, contacts=rows)
        if vendor == "topo":  # no other tells before a start which blueprints there are
            alone = await desktop.refused(tool, blueprint_id=nothing, contacts=[ZOE])
            assert alone["message"] in told["message"]
        if tool == "start_sequence":
            told = await desktop.refused(tool, blueprint_id=nothing, contacts=rows, auto_approve=True)
            assert "auto_approve is not allowed" in told["message"]
    assert fields(typed) == fields(told) == [(1, "phone"), (1, "shoe"), (2, "first_name")]
    assert "'colour' is not an argument" in typed["message"]


async def test_a_bad_place_and_every_bad_row_of_a_save_come_in_one_answer(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        refused = await desktop.refused("save_contacts", contacts=ROWS, provider="elsewhere:list_1")
        typed = await desktop.refused("save_contacts", contacts=ROWS, provider="topo:list_1", colour="red")
    assert "elsewhere" in refused["message"]
    assert fields(refused) == FIELDS
    assert "'colour' is not an argument" in typed["message"]
    assert (1, "shoe") in fields(typed)


@pytest.mark.parametrize("place", ["topo:0a0b0c0d-0000-4000-8000-000000000000", "topo"])
async def test_a_list_that_a_vendor_does_not_know_and_every_bad_row_of_a_save_come_in_one_answer(
    vendors: Connected, place: str
) -> None:
    rows = [{**ZOE, "shoe": "42"}]
    async with vendors.client() as desktop:
        alone = await desktop.refused("save_contacts", contacts=[ZOE], provider=place)
        told = await desktop.refused("save_contacts", contacts=rows, provider=place)
    assert alone["message"] in told["message"]
    assert fields(told) == [(1, "shoe")]


async def test_a_bad_run_and_every_bad_variable_come_in_one_answer(world: World) -> None:
    variables = {"company": "Acme", "firstname": "[first name]", "lastname": 7}
    async with world.client("auto") as desktop:
        refused = await desktop.refused(
            "update_sequence", sequence_id="local:seq_01ARZ3NDEKTSV4RRFFQ69G5FAV", variables=variables
        )
        texts = {name: value for name, value in variables.items() if name != "lastname"}
        of_text = await desktop.refused("update_sequence", sequence_id="local:ct_1", variables=texts)
    for name in variables:
        assert name in refused["message"]
    assert "There is no sequence" in refused["message"]
    assert all(words in of_text["message"] for words in ("local:ct_1", "company", "firstname"))


async def test_a_bad_name_bad_steps_and_a_bad_title_of_a_blueprint_come_in_one_answer(world: World) -> None:
    steps = [{**MAIL, "content": "Hi {{name}}"}, {**MAIL, "id": "two", "type": "PIGEON"}]
    async with world.client("auto") as desktop:
        refused = await desktop.refused(
            "create_blueprint", name=" ", steps=steps, job_title="[title]", colour="red"
        )
        changed = await desktop.refused(
            "update_blueprint", blueprint_id=NO_BLUEPRINT, expected_version=1, name=" ", steps=steps
        )
    assert {finding["step_id"] for finding in refused["findings"]} == {"hello", "two"}
    assert all(words in refused["message"] for words in ("colour", "name is blank", "job_title"))
    assert all(words in changed["message"] for words in ("There is no blueprint", "name is blank"))
    assert changed["findings"]
