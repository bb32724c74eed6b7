"""The same tools on Kalent, Clarky and Topo, over real HTTP to the sandbox, in both eras."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from tests.world.product import MAIL, Desktop, tomorrow
from tests.world.vendors import Connected, sourcing_of, token_of, unknown

from sequences_mcp.domain.actors import Actor
from sequences_mcp.review.decide import resolved_in_terminal
from sequences_mcp.server.catalog import TOOLS, VENDOR_TOOLS


async def run_at_topo(desktop: Desktop, status: str = "ACTIVE") -> str:
    """Return a run of the sandbox in a status."""
    found = await desktop.call("list_sequences", provider="topo", status=status)
    return str(found["items"][0]["id"])


async def test_tools_are_the_same_before_and_after_they_are_used(vendors: Connected, era: str) -> None:
    async with vendors.client(era) as desktop:
        before = (await desktop.client.list_tools()).tools
        await desktop.call("list_providers")
        after = (await desktop.client.list_tools()).tools
    assert [tool.name for tool in before] == [*TOOLS, *VENDOR_TOOLS]
    assert before == after


async def test_nothing_is_asked_of_a_vendor_before_a_tool_needs_it(vendors: Connected, era: str) -> None:
    async with vendors.client(era) as desktop:
        await desktop.client.list_tools()
        await desktop.call("list_blueprints")
    assert await vendors.sandbox.received() == []


async def test_what_is_connected_says_what_its_key_may_do(vendors: Connected, era: str) -> None:
    vendors.keys["topo"] = "read only"
    async with vendors.client(era) as desktop:
        shown = (await desktop.call("list_providers"))["providers"]
    assert [one["name"] for one in shown] == ["local", "kalent", "clarky", "topo"]
    assert "sequences:read" in shown[3]["note"] and "sequences:write" not in shown[3]["note"]
    assert shown[2]["note"] == "agents: b_01SANDBOXADA, b_01SANDBOXBEN; CLARKY_BOT_ID: not set"
    assert all("starts" in one["can"] for one in shown)


async def test_a_run_at_topo_is_paused_resumed_and_stopped(vendors: Connected, era: str) -> None:
    async with vendors.client(era) as desktop:
        run = await run_at_topo(desktop)
        paused = await desktop.call("pause_sequence", sequence_id=run, paused_until=tomorrow(30))
        resumed = await desktop.call("resume_sequence", sequence_id=run)
        asked = await desktop.refused("update_sequence", sequence_id=run, variables={"opener": "Hello"})
        stopped = await desktop.call("stop_sequence", sequence_id=run, reason="WIN")
        seen = await desktop.call("get_sequence", sequence_id=run)
    assert (paused["status"], resumed["status"]) == ("WAITING_FOR_LEAD", "ACTIVE")
    assert "waits for a person" in asked["message"]
    assert [one["id"] for one in stopped["stopped"]] == [run]
    assert seen["status"] == seen["provider_status"] == "STOPPED_EARLY"


async def test_templates_of_topo_are_read_and_say_that_their_steps_are_not_told(
    vendors: Connected, era: str
) -> None:
    async with vendors.client(era) as desktop:
        page = await desktop.call("list_blueprints", provider="topo")
        one = await desktop.call("get_blueprint", blueprint_id=page["items"][0]["id"])
    assert "steps" not in one and "channels" not in page["items"][0]
    assert "does not tell the steps" in one["note"]


async def test_a_blueprint_is_checked_before_kalent_sees_it(vendors: Connected, era: str) -> None:
    bad = {**MAIL, "content": "Hi {{firstName}}, about [company]."}
    async with vendors.client(era) as desktop:
        where = await sourcing_of(desktop)
        error = await desktop.refused("create_blueprint", name="Bad", steps=[bad], provider=where)
    assert error["code"] == "refused_by_guards"
    assert await vendors.writes() == []


async def test_a_blueprint_at_kalent_is_made_read_back_and_changed_once_a_version(
    vendors: Connected, era: str
) -> None:
    async with vendors.client(era) as desktop:
        where = await sourcing_of(desktop)
        made = await desktop.call("create_blueprint", name="Engineers", steps=[MAIL], provider=where)
        own = made["blueprint_id"]
        change: dict[str, Any] = {"blueprint_id": own, "expected_version": 1, "name": "Engineers, again"}
        changed = await desktop.call("update_blueprint", **change)
        stale = await desktop.refused("update_blueprint", **change)
        seen = await desktop.call("get_blueprint", blueprint_id=own)
        listed = await desktop.call("list_blueprints", provider="kalent")
        others = [await desktop.call("list_blueprints", provider=name) for name in ("local", "clarky")]
    assert own.startswith("kalent:") and (made["version"], changed["version"]) == (1, 2)
    assert stale["code"] == "stale_version"
    assert (seen["name"], seen["version"], len(seen["steps"])) == ("Engineers, again", 2, 1)
    assert [one["id"] for one in listed["items"]] == [own] and listed["total_count"] == 1
    assert [page["items"] for page in others] == [[], []]
    assert len(await vendors.writes()) == 2


async def test_people_are_found_at_each_vendor(vendors: Connected, era: str) -> None:
    async with vendors.client(era) as desktop:
        where = await sourcing_of(desktop)
        found = {
            name: (await desktop.call("find_contacts", provider=name))["items"]
            for name in (where, "clarky", "topo")
        }
    assert all(found.values())
    assert all(one["id"].startswith(name.partition(":")[0]) for name, people in found.items() for one in people)


@pytest.mark.parametrize(("tool", "more"), [("stop_sequence", {"reason": "WIN"}), ("resume_sequence", {})])
async def test_what_kalent_cannot_do_is_said_with_its_own_app(
    vendors: Connected, tool: str, more: dict[str, str]
) -> None:
    async with vendors.client() as desktop:
        error = await desktop.refused(tool, sequence_id="kalent:candidate_1", **more)
    assert error["code"] == "not_supported"
    assert "Kalent's own app" in error["next"]
    assert await vendors.writes() == []


async def test_a_lost_answer_is_unknown_bars_a_repeat_and_is_settled_by_reading_back(
    vendors: Connected, era: str
) -> None:
    async with vendors.client(era) as desktop:
        run = await run_at_topo(desktop, "WAITING_FOR_LEAD")
        await vendors.sandbox.fault("reset_during_body", vendor="topo", method="POST")
        lost = await unknown(desktop, "resume_sequence", sequence_id=run)
        barred = await desktop.refused("resume_sequence", sequence_id=run)
        told = await desktop.call("list_providers")
        settled = await desktop.call("check_operation", operation_id=lost["operation_id"])
        again = await desktop.call("check_operation", operation_id=lost["operation_id"])
    assert lost["safe_to_call_again"] is False and lost["sent"] == "unknown"
    assert (barred["code"], barred["operation_id"]) == ("conflict", lost["operation_id"])
    assert any(lost["operation_id"] in line for line in told["broken"])
    assert (settled["outcome"], again["outcome"]) == ("done", "done")
    assert len(await vendors.writes()) == 1


async def test_a_request_that_never_arrived_is_found_not_done_once_it_cannot_arrive_any_more(
    vendors: Connected,
) -> None:
    async with vendors.client() as desktop:
        run = await run_at_topo(desktop)
        await vendors.sandbox.fault("reset_before_body", vendor="topo", method="POST")
        lost = await unknown(desktop, "pause_sequence", sequence_id=run, paused_until=tomorrow(30))
        early = await desktop.call("check_operation", operation_id=lost["operation_id"])
        vendors.clock.now += timedelta(minutes=2)
        late = await desktop.call("check_operation", operation_id=lost["operation_id"])
        await desktop.call("pause_sequence", sequence_id=run, paused_until=tomorrow(30))
    assert (early["outcome"], late["outcome"]) == ("unknown", "not_done")


async def test_a_stop_waits_for_no_other_operation(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        run = await run_at_topo(desktop)
        await vendors.sandbox.fault("reset_before_body", vendor="topo", method="POST")
        await unknown(desktop, "pause_sequence", sequence_id=run, paused_until=tomorrow(30))
        stopped = await desktop.call("stop_sequence", sequence_id=run, reason="LOSE")
    assert stopped["outcome"] == "done"


async def test_a_copy_that_may_exist_is_made_again_only_after_a_person_has_looked(
    vendors: Connected,
) -> None:
    async with vendors.client() as desktop:
        where = await sourcing_of(desktop)
        await vendors.sandbox.fault("truncated", vendor="kalent", method="POST")
        arguments: dict[str, Any] = {"name": "Engineers", "steps": [MAIL], "provider": where}
        lost = await unknown(desktop, "create_blueprint", **arguments)
        await desktop.refused("create_blueprint", **arguments)
        checked = await desktop.call("check_operation", operation_id=lost["operation_id"])
        async with vendors.app() as app:
            await resolved_in_terminal(app, lost["operation_id"], sent=False, actor=Actor("ada"))
        again = await desktop.call("check_operation", operation_id=lost["operation_id"])
        await desktop.call("create_blueprint", **arguments)
    assert checked["outcome"] == "unknown" and "A person looks" in checked["why"]
    assert again["outcome"] == "not_done"
    assert len(await vendors.writes()) == 2


async def test_calls_with_one_key_at_once_have_one_effect_and_one_answer(vendors: Connected) -> None:
    async with vendors.client() as first, vendors.client() as second:
        where = await sourcing_of(first)
        calls = [
            desktop.call("create_blueprint", name="One", steps=[MAIL], provider=where, idempotency_key="k")
            for desktop in (first, second) * 20
        ]
        answers = await asyncio.gather(*calls)
        other = await first.refused(
            "create_blueprint", name="Two", steps=[MAIL], provider=where, idempotency_key="k"
        )
    assert all(answer == answers[0] for answer in answers)
    assert other["code"] == "key_reused"
    assert len(await vendors.writes()) == 1


async def test_a_call_whose_process_died_counts_as_unknown(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        run = await run_at_topo(desktop)
        await vendors.sandbox.fault("stall", vendor="topo", method="POST")
        stopping = asyncio.create_task(desktop.call("resume_sequence", sequence_id=run))
        async with asyncio.timeout(60):
            while not await vendors.writes():
                pass
        async with vendors.client() as other:
            under_way = await other.refused("resume_sequence", sequence_id=run)
            vendors.clock.now += timedelta(minutes=5)
            later = await other.refused("resume_sequence", sequence_id=run)
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
    assert "is still under way" in under_way["message"]
    assert "has an unknown outcome" in later["message"]


async def test_no_key_is_in_any_result_log_or_file(vendors: Connected, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = []
    async with vendors.client() as desktop:
        for provider in ("kalent", "clarky", "topo"):
            said.append(await desktop.raw("find_contacts", provider=provider))
            said.append(await desktop.raw("list_sequences", provider=provider))
        said.append(await desktop.raw("list_providers"))
        where = await sourcing_of(desktop)
        said.append(await desktop.raw("create_blueprint", name="N", steps=[MAIL], provider=where))
    stored = b"".join(path.read_bytes() for path in vendors.folder.rglob("*") if path.is_file())
    shown = f"{said} {caplog.text}"
    for vendor in ("kalent", "clarky", "topo"):
        token = token_of(vendor)
        assert token not in shown and token.encode() not in stored


async def test_a_thousand_calls_of_eight_clients_with_one_key_have_one_effect(vendors: Connected) -> None:
    async with AsyncExitStack() as open_clients:
        clients = [await open_clients.enter_async_context(vendors.client()) for _ in range(8)]
        where = await sourcing_of(clients[0])
        arguments: dict[str, Any] = {"name": "One", "steps": [MAIL], "provider": where, "idempotency_key": "k"}
        calls = (clients[number % 8].call("create_blueprint", **arguments) for number in range(1000))
        answers = await asyncio.gather(*calls)
    assert len(answers) == 1000 and all(answer == answers[0] for answer in answers)
    assert len(await vendors.writes()) == 1


async def test_runs_of_a_blueprint_are_looked_for_where_the_blueprint_is(vendors: Connected, era: str) -> None:
    async with vendors.client(era) as desktop:
        templates = (await desktop.call("list_blueprints", provider="topo"))["items"]
        found = [await desktop.call("list_sequences", blueprint_id=one["id"]) for one in templates]
    pairs = zip(templates, found, strict=True)
    runs = [(run["blueprint_id"], one["id"]) for one, page in pairs for run in page["items"]]
    assert runs and all(of == asked for of, asked in runs)
