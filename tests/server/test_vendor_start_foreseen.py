"""What would keep a start at a vendor from being carried out is said before a person is asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.world.kept_starts import asked_for, said_yes
from tests.world.vendors import ALI, TEXT, ZOE, Connected, start_at

from sequences_mcp.domain.actors import Actor


async def test_a_missing_agent_is_a_warning_before_anybody_is_asked(vendors: Connected) -> None:
    _, asked = await asked_for(vendors, "clarky")
    vendors.more["CLARKY_BOT_ID"] = "clarky:bot_1"
    async with vendors.client() as desktop:
        named = await (await start_at("clarky", desktop, contacts=[{**ZOE, "email": "other@new.example"}])).ask(
            desktop
        )
    rules = [one["rule"] for one in asked["findings"]]
    assert "vendor.no_agent" in rules and asked["warnings"] == len(rules)
    assert "vendor.no_agent" not in [one["rule"] for one in named["findings"]]


async def test_facts_that_a_vendor_is_not_given_are_named(vendors: Connected) -> None:
    people = [{**ZOE, "language": "de", "location": "Berlin"}, ALI]
    _, asked = await asked_for(vendors, "clarky", contacts=people)
    assert {"language", "location"} <= set(asked["not_given"])


async def test_a_scope_that_a_start_at_topo_needs_is_named_before_a_plan_is_made(vendors: Connected) -> None:
    vendors.keys["topo"] = "read only"
    async with vendors.client() as desktop:
        start = await start_at("topo", desktop)
        told = await start.told(desktop)
        waits = await desktop.call("list_reviews")
    assert told["code"] == "provider_forbidden" and "contact_lists:write" in told["message"]
    assert waits["plans"]["total_count"] == 0


@pytest.mark.parametrize("vendor", ["clarky", "topo"])
async def test_a_repeat_after_a_stop_says_that_nothing_goes_on(vendors: Connected, vendor: str) -> None:
    start, plan = await asked_for(vendors, vendor)
    async with vendors.client() as desktop:
        await desktop.call("withdraw_plan", plan_id=plan["plan_id"], reason="not now")
        again = await start.told(desktop)
    assert (again["outcome"], again["status"]) == ("not_done", "withdrawn")
    assert "not now" in again["next"] and "idempotency_key" in again["next"] and again["repeat_of"]


async def test_a_repeat_after_a_stop_at_topo_tells_that_nothing_goes_on(vendors: Connected) -> None:
    start, plan = await said_yes(vendors, "topo", contacts=[ZOE], go=True)
    async with vendors.client() as desktop:
        vendors.sandbox.clock.now = vendors.clock.now + timedelta(minutes=10)
        before = await start.told(desktop)
        own = plan["sample"]["sequence_id"]
        run = (await desktop.call("get_sequence", sequence_id=own))["id"]
        await desktop.call("stop_sequence", sequence_id=run, reason="LOSE")
        after = await start.told(desktop)
    assert (before["outcome"], before["became"]) == ("done", {"ACTIVE": 1})
    assert (after["outcome"], after["became"]) == ("not_done", {"STOPPED_EARLY": 1})
    assert "nothing of it goes on" in after["next"] and "idempotency_key" in after["next"]


async def test_a_repeat_after_a_refusal_at_kalent_says_what_the_same_call_can_do(vendors: Connected) -> None:
    start, plan = await asked_for(vendors, "kalent")
    async with vendors.client() as desktop:
        async with vendors.app() as app:
            await app.plans.refuse_plan(plan["plan_id"], reason="too early", actor=Actor("ada"))
        told = await start.told(desktop)
        start.more["idempotency_key"] = "once more"
        anew = await start.told(desktop)
    assert (told["outcome"], told["approval"]) == ("refused", "declined")
    assert "too early" in told["next"] and "idempotency_key" in told["next"]
    assert anew["outcome"] == "waiting_for_approval" and anew["plan_id"] != plan["plan_id"]


async def test_what_kalent_needs_connected_is_said_at_the_save_and_at_the_start(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        made = await desktop.call("create_blueprint", name="Role", steps=[TEXT], provider="kalent:sourcing_1")
        asked = await (await start_at("kalent", desktop)).ask(desktop)
    for told in (made, asked):
        assert told["accounts"].startswith("a mailbox connected and synced in Kalent")
