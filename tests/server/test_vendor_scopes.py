"""What Topo's key may not do is said before anything is asked, with the scope to add; a stop is asked anyway."""

from __future__ import annotations

from typing import Any

import pytest
from tests.world.fake_vendor import reply, serving
from tests.world.product import tomorrow
from tests.world.vendors import Connected

from sequences_sandbox.seeds import seed_id

RUN = f"topo:{seed_id('sequence', 'ines')}"
PARKED = f"topo:{seed_id('list', 'Parked')}"
NEEDS: dict[str, tuple[str, dict[str, Any]]] = {
    "list_tasks": ("tasks:read", {"provider": "topo"}),
    "complete_task": ("tasks:write", {"task_id": RUN, "outcome": "skipped"}),
    "save_contacts": ("contact_lists:read", {"contacts": [{"email": "n@left.example"}], "provider": PARKED}),
    "resume_sequence": ("sequences:write", {"sequence_id": RUN}),
    "update_sequence": ("sequences:write", {"sequence_id": RUN, "variables": {"opener": "Hello"}}),
    "get_sequence": ("sequences:read", {"sequence_id": RUN}),
    "list_blueprints": ("sequences:read", {"provider": "topo"}),
}


@pytest.mark.parametrize("tool", NEEDS)
async def test_a_scope_that_is_missing_is_named_before_the_request(vendors: Connected, tool: str) -> None:
    vendors.keys["topo"] = "contacts alone"
    scope, arguments = NEEDS[tool]
    async with vendors.client() as desktop:
        error = await desktop.refused(tool, **arguments)
    assert (error["code"], error["missing_scope"], error["outcome"]) == ("provider_forbidden", scope, "not_done")
    assert scope in error["message"] and "TOPO_API_KEY" in error["next"]
    assert [row["path"] for row in await vendors.sandbox.received()] == ["/me"]


async def test_scopes_are_asked_for_once_a_process(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        for _ in range(3):
            await desktop.call("list_tasks", provider="topo")
        await desktop.call("list_providers")
    paths = [row["path"] for row in await vendors.sandbox.received()]
    assert paths.count("/me") == 1


@pytest.mark.parametrize(
    ("tool", "more"), [("stop_sequence", {"reason": "LOSE"}), ("pause_sequence", {"paused_until": tomorrow(9)})]
)
async def test_holding_back_is_asked_for_in_any_case(vendors: Connected, tool: str, more: dict[str, str]) -> None:
    vendors.keys["topo"] = "read only"
    async with vendors.client() as desktop:
        error = await desktop.refused(tool, sequence_id=RUN, **more)
        seen = await desktop.call("get_sequence", sequence_id=RUN)
    assert (error["code"], error["missing_scope"]) == ("provider_forbidden", "sequences:write")
    assert seen["status"] == "ACTIVE" and len(await vendors.writes()) == 1


@pytest.mark.parametrize(
    "me",
    [reply(500), reply(200, raw=b"<html>"), reply(200, {"id": "k"}), reply(200, {"id": "k", "scopes": "all"})],
)
async def test_a_key_of_which_nothing_is_known_is_tried(vendors: Connected, me: Any) -> None:
    nothing: dict[str, Any] = {"items": [], "total_count": 0, "has_more": False}
    async with serving(me, reply(200, nothing)) as topo:
        vendors.elsewhere["topo"] = topo.url
        async with vendors.client() as desktop:
            found = await desktop.call("list_tasks", provider="topo")
        assert [one.target for one in topo.seen].count("/me") == 1
    assert found["items"] == []
