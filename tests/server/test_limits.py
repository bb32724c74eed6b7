"""Whatever is too long is refused before any work, with the place and the limit; ids lead nowhere else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.effort import at_most
from tests.world.product import GRACE, MAIL, World

from sequences_mcp.domain.argument_limits import LIMITS, limit_of, require_limits
from sequences_mcp.domain.contact import FACTS
from sequences_mcp.domain.ids import IdKind, parse_id
from sequences_mcp.errors import InvalidArgumentsError, WrongIdError
from sequences_mcp.server.catalog import listed_tools, tool_names

MEGABYTE = "x" * 1_000_001
ALL = ("kalent", "clarky", "topo")
TOOLS = {tool.name: tool for tool in listed_tools(ALL) if tool.name in tool_names()}


def strings_of(schema: dict[str, Any]) -> list[str]:
    """Return the arguments of a tool that are texts."""
    return [name for name, child in schema["properties"].items() if child.get("type", "string") == "string"]


CASES = [(tool, name) for tool, found in TOOLS.items() for name in strings_of(found.input_schema)]


@pytest.mark.parametrize(("tool", "argument"), CASES)
async def test_every_text_of_every_tool_refuses_a_megabyte_with_its_limit(
    world: World, tool: str, argument: str
) -> None:
    async with world.client("auto") as desktop:
        with at_most(20):
            refused = await desktop.refused(tool, **{argument: MEGABYTE})
    assert f"{argument} is 1,000,001 characters long; the limit is {limit_of(argument):,}" in refused["message"]
    assert len(json.dumps(refused)) < 1_000


@pytest.mark.parametrize("fact", [*FACTS, "note", "id"])
@pytest.mark.parametrize("form", ["a list", "a text of JSON"])
async def test_every_fact_about_a_person_has_a_limit(world: World, fact: str, form: str) -> None:
    person = {**GRACE, fact: MEGABYTE}
    contacts: Any = [GRACE, person] if form == "a list" else json.dumps([GRACE, person])
    async with world.client("auto") as desktop:
        for tool in ("save_contacts", "start_sequence"):
            more = {"blueprint_id": "local:bp_1"} if tool == "start_sequence" else {}
            refused = await desktop.refused(tool, contacts=contacts, **more)
            assert f"[1].{fact} is 1,000,001 characters long" in refused["message"]
        assert (await desktop.call("find_contacts"))["total_count"] == 0


@pytest.mark.parametrize("field", ["id", "name", "content", "subject", "type"])
async def test_every_field_of_a_step_has_a_limit(world: World, field: str) -> None:
    async with world.client("auto") as desktop:
        refused = await desktop.refused("create_blueprint", name="A", steps=[{**MAIL, field: MEGABYTE}])
    assert f"steps[0].{field} is 1,000,001 characters long" in refused["message"]


NESTED: dict[str, Any] = {
    "a value of a variable": [{"id": "local:ct_1", "variables": {"firstname": MEGABYTE}}],
    "a text of one person": [{"id": "local:ct_1", "texts": {"hello": MEGABYTE}}],
    "a subject of one person": [{"id": "local:ct_1", "texts": {"hello": {"content": "x", "subject": MEGABYTE}}}],
    "the name of a field": [{MEGABYTE: "x"}],
    "the name of a variable": [{"id": "local:ct_1", "variables": {MEGABYTE: "x"}}],
    "an id": [MEGABYTE],
    "something deep": [json.loads('{"a":' * 50 + "1" + "}" * 50)],
    "a long number": [{"id": 10**400}],
}


@pytest.mark.parametrize("contacts", NESTED.values(), ids=NESTED.keys())
async def test_what_lies_inside_an_argument_has_a_limit_too(world: World, contacts: list[Any]) -> None:
    async with world.client("auto") as desktop:
        refused = await desktop.refused("start_sequence", blueprint_id="local:bp_1", contacts=contacts)
    assert any(word in refused["message"] for word in ("characters long", "nested", "beyond 64 bits"))
    assert len(json.dumps(refused)) < 1_500


async def test_ten_places_at_once_are_named_and_no_more(world: World) -> None:
    people = [{**GRACE, "first_name": "x" * 5_000} for _ in range(40)]
    with pytest.raises(InvalidArgumentsError) as caught:
        require_limits({"contacts": people})
    assert len(caught.value.data["too_long"]) == 10


def test_each_limit_itself_is_taken() -> None:
    for name, limit in LIMITS.items():
        require_limits({name: "x" * limit})
        with pytest.raises(InvalidArgumentsError):
            require_limits({name: "x" * (limit + 1)})


async def test_notes_end_somewhere(world: World) -> None:
    async with world.client("auto") as desktop:
        for _ in range(9):
            await desktop.contact(note="n" * limit_of("note"))
        refused = await desktop.refused("save_contacts", contacts=[{**GRACE, "note": "n" * limit_of("note")}])
    assert "notes is" in refused["message"]


async def test_a_tool_with_a_name_of_megabytes_is_unknown_at_once(world: World) -> None:
    async with world.client("auto") as desktop:
        with at_most(40):
            refused = await desktop.refused(MEGABYTE)
    assert refused["code"] == "unknown_tool"


ELSEWHERE = [
    *(
        ".",
        "..",
        "../me",
        "a/b",
        "a%2fb",
        "%2e%2e",
        "%2E.",
        "a?b=c",
        "a#b",
        "a b",
        "a\\b",
        "a\nb",
        "a\u200bb",
        "é",
    ),
    *("a;b", ".hidden", "a.", "x" * 201, "a\0b", "a&b"),
]


@pytest.mark.parametrize("own", ELSEWHERE, ids=ascii)
@pytest.mark.parametrize("provider", ["local", *ALL])
def test_no_id_leads_to_another_place(provider: str, own: str) -> None:
    with pytest.raises(WrongIdError):
        parse_id(f"{provider}:{own}" if provider != "local" else f"local:ct_{own}/..", IdKind.CONTACT)


@pytest.mark.parametrize("own", ["b_01H", "4f1a-22", "candidate_ines", "a.b", "A:b", "0", "u+x@y.example", "x~1"])
def test_what_vendors_call_things_is_an_id(own: str) -> None:
    assert str(parse_id(f"topo:{own}", IdKind.SEQUENCE)) == f"topo:{own}"
