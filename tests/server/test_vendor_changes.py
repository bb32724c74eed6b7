"""What changes the texts of people under way at a vendor waits for a person, who sees the old and the new."""

from __future__ import annotations

import pytest
from test_vendor_tools import run_at_topo
from tests.server.vendor_world import Connected

from sequences_mcp.errors import ConflictError, RefusedByGuardsError
from sequences_mcp.review.decide import approve, look


async def patches(vendors: Connected) -> int:
    """Return how many changes Topo has been sent."""
    return sum(one["method"] == "PATCH" for one in await vendors.sandbox.received())


async def test_variables_of_a_run_at_topo_wait_for_a_person_who_sees_old_and_new(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        run = await run_at_topo(desktop)
        asked = await desktop.refused("update_sequence", sequence_id=run, variables={"opener": "Hello"})
        again = await desktop.refused(
            "update_sequence", sequence_id=run, variables={"opener": "Hello"}, idempotency_key="other"
        )
        listed = await desktop.call("list_reviews")
    change = asked["change_id"]
    assert (again["change_id"], change in listed["next"]) == (change, True)
    assert await patches(vendors) == 0
    async with vendors.desk() as desk:
        seen = await look(desk, change)
        assert [line.strip() for line in seen.lines[1:]] == ["opener", "before: (nothing)", "after:  Hello"]
        said = await approve(desk, change, seen=seen, people=None, actor="test")
        with pytest.raises(ConflictError):
            await approve(desk, change, seen=seen, people=None, actor="test")
    assert said == f"{change} is done at Topo."
    assert await patches(vendors) == 1


@pytest.mark.parametrize("value", ["{{company}}", "[First Name]", "[insert note]"])
async def test_a_placeholder_is_refused_before_any_request(vendors: Connected, value: str) -> None:
    async with vendors.client() as desktop:
        run = await run_at_topo(desktop)
        template = (await desktop.call("list_blueprints", provider="topo"))["items"][0]["id"]
        person = {"email": "zoe@globex.example", "first_name": value}
        noted = {"email": "zoe@globex.example", "first_name": "Zoe", "note": value}
        before = len(await vendors.sandbox.received())
        for tool, arguments in [
            ("update_sequence", {"sequence_id": run, "variables": {"opener": value}}),
            ("start_sequence", {"blueprint_id": template, "contacts": [person]}),
            ("start_sequence", {"blueprint_id": "clarky:t_1", "contacts": [person]}),
            ("start_sequence", {"blueprint_id": "clarky:t_1", "contacts": [noted]}),
            ("save_contacts", {"contacts": [person]}),
            ("save_contacts", {"contacts": [noted]}),
            ("save_contacts", {"contacts": [person], "provider": "topo:list_1"}),
        ]:
            error = await desktop.refused(tool, **arguments)
            assert error["code"] == RefusedByGuardsError.code, (tool, error)
            assert error["values"][0]["value"] == value
        assert len(await vendors.sandbox.received()) == before
