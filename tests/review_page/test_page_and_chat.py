"""The chat says where the page is, and what was decided there comes back into the chat."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mcp import Client
from page_world import MAIL, Visitor, World, crowd

from sequences_mcp.server.app import build


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    facts: dict[str, Any] = json.loads(result.content[0].text)  # type: ignore[union-attr]
    assert not result.is_error, facts
    return facts


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_start_says_where_a_person_decides(world: World, visitor: Visitor, era: str) -> None:
    async with Client(build(world.desk), mode=era) as client:
        made = await call(client, "create_blueprint", name="Engineers", steps=[MAIL], job_title="Engineer")
        started = await call(client, "start_sequence", blueprint_id=made["blueprint_id"], contacts=crowd(2))
        address = f"{visitor.origin}/plans/{started['plan_id']}"
        assert address in started["next"]
        assert "sequences-mcp review approve" in started["next"]
        listed = await call(client, "list_reviews", plan_id=started["plan_id"])
        assert address in listed["next"]
        providers = await call(client, "list_providers")
        assert f"review page: {visitor.origin}/" in providers["approval"]


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_where_nobody_serves_the_page_the_terminal_alone_is_named(world: World, era: str) -> None:
    async with Client(build(world.desk), mode=era) as client:
        listed = await call(client, "list_reviews")
    assert "http" not in listed["next"]
    assert "in a terminal: sequences-mcp review" in listed["next"]
