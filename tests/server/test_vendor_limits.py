"""No argument of any tool holds up the server while all three vendors are connected."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.effort import at_most
from tests.server.test_limits import TOOLS
from tests.world.product import GRACE, MAIL
from tests.world.vendors import Connected

MEGABYTE = "x" * 1_000_000
DEEP: Any = json.loads('{"a":' * 60 + "[" * 60 + "1" + "]" * 60 + "}" * 60)
HEAVY: dict[str, Any] = {
    "a megabyte": MEGABYTE,
    "a megabyte of brackets": "[" * 1_000_000,
    "a megabyte of braces": "{" * 500_000 + "}" * 500_000,
    "something deep": DEEP,
    "a long number": 10**5_000,
    "half an emoji": "Mar\ud83d",
    "two thousand rows": [{"email": f"a{i}@b.example"} for i in range(2_000)],
    "a wide object": {f"k{i}": "v" for i in range(2_000)},
}
# Only where the argument is declared to hold some: elsewhere so many are refused as what is not a text.
LARGER: dict[str, dict[str, Any]] = {
    "array": {"twenty thousand rows": [{"email": f"a{i}@b.example"} for i in range(20_000)]},
    "object": {
        "a wider object": {f"k{i}": "v" for i in range(20_000)},
        "many texts": {f"k{i}": f"text {i}" for i in range(20_000)},
        "the most texts": {f"k{i}": f"text {i}" for i in range(2_000)},
    },
}
SOUND: dict[str, Any] = {
    "contacts": [GRACE],
    "steps": [MAIL],
    "reason": "asked",
    "contact": "grace@hopper.example",
    "name": "A",
}
PLACES = ("kalent:x", "clarky:x", "topo:x")


@pytest.mark.parametrize("tool", TOOLS)
async def test_no_argument_of_any_tool_holds_the_server_up(vendors: Connected, tool: str) -> None:
    schema = TOOLS[tool].input_schema
    needed = {name: SOUND.get(name, "kalent:x") for name in schema.get("required", [])}
    async with vendors.client() as desktop:
        for argument, declared in schema["properties"].items():
            for what, heavy in {**HEAVY, **LARGER.get(declared.get("type"), {})}.items():
                with at_most(40, argument, what):
                    said = await desktop.raw(tool, **{**needed, argument: heavy})
                assert len(json.dumps([one.model_dump() for one in said.content])) < 20_000, (argument, what)
        assert (await desktop.call("list_providers"))["providers"]
