"""The same server over HTTP: the same answers in both eras, as somebody else each time, and nothing approved."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mcp.types import ElicitResult
from tests.secrecy import planted
from tests.world.http_server import TOKEN, serving
from tests.world.page import WITH_PANELS, PageWorld, chat, lock_up, proven
from tests.world.product import GRACE, yes

from sequences_mcp.server.http.callers import PLACE
from sequences_mcp.server.http.options import ServeOptions

REFUSE_A_PANEL = "In a chat over the network nothing is approved"


async def test_a_conversation_over_http_is_the_one_over_stdio(world: PageWorld, era: str) -> None:
    with serving(world) as served:
        async with served.client(era) as host:
            blueprint = await host.blueprint()
            started = await host.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
            listed = await host.client.list_tools()
            prompts = await host.client.list_prompts()
            rules = await host.client.read_resource("format://variables")
    assert started["outcome"] == "waiting_for_approval"
    async with world.client(era) as here:
        assert listed.tools == (await here.client.list_tools()).tools
        assert prompts.prompts == (await here.client.list_prompts()).prompts
        assert rules.contents == (await here.client.read_resource("format://variables")).contents


async def test_whoever_answers_a_dialog_over_http_approves_nothing(world: PageWorld, era: str) -> None:
    asked: list[str] = []

    def tick(message: str) -> ElicitResult:
        asked.append(message)
        return yes(message)

    with serving(world) as served:
        async with served.client(era, answer=tick) as host:
            blueprint = await host.blueprint()
            started = await host.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
            erased = await host.refused("erase_contact", contact=await host.contact())
            reviews = await host.call("list_reviews")
            providers = await host.call("list_providers")
    assert asked == []
    assert started["outcome"] == "waiting_for_approval"
    assert f"{PLACE}, in a terminal there: sequences-mcp review approve local:plan_" in json.dumps(started)
    assert PLACE in json.dumps(reviews) and PLACE in json.dumps(providers)
    assert erased["outcome"] == "waiting_for_approval" and PLACE in erased["next"]
    assert world.rows("SELECT count(*) FROM approval") == [(0,)]
    assert "dialog" not in json.dumps(providers["approval"])


async def test_a_proof_of_the_passphrase_approves_nothing_over_http(world: PageWorld) -> None:
    lock_up(world)
    plan = world.plan(people=1)
    async with chat(world) as here:
        shown = await here.show(plan)
    with serving(world) as served:
        async with served.client(extensions=WITH_PANELS) as host:
            there = await host.call("show_plan", plan_id=plan.id)
            sent = {"plan_id": plan.id, "digest": plan.digest, "decision": "approve", "proof": proven(shown)}
            refused = await host.refused("decide_plan", **sent)
    assert there["elsewhere"].startswith(REFUSE_A_PANEL) and "challenge" not in there
    assert refused["message"].startswith(REFUSE_A_PANEL)
    assert world.rows("SELECT count(*) FROM approval") == [(0,)]


async def test_the_audit_names_on_whose_behalf_an_agent_acted(world: PageWorld, era: str) -> None:
    with serving(world) as served:
        async with served.client(era) as host:
            await host.blueprint()
    assert world.rows("SELECT DISTINCT actor FROM audit WHERE action LIKE 'blueprint%'") == [("agent:token-file",)]


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN} x", f"Bearer {'x' * 9_000}"],
    ids=["none", "no token", "a blank", "another scheme", "another token", "two tokens", "a huge token"],
)
def test_without_its_token_nothing_is_told(world: PageWorld, authorization: str) -> None:
    with serving(world) as served:
        headers: dict[str, Any] = {"Authorization": authorization} if authorization else {}
        answer = served.ask(token="", body={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, **headers)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.facts.keys() == {"error", "message", "next"}
    assert "user" not in served.log[-1]


def test_a_token_in_the_address_counts_for_nothing_and_is_not_logged(world: PageWorld) -> None:
    with serving(world) as served:
        answer = served.ask("POST", f"/mcp?access_token={TOKEN}", token="", body={"method": "ping"})
    assert answer.status == 401
    assert served.log[-1]["path"] == "/mcp"


def test_a_line_of_the_log_says_who_called_what_and_how_it_ended(world: PageWorld) -> None:
    with serving(world) as served:
        assert served.tool("find_contacts", query=planted.MISTYPED.value).status == 200
        assert served.tool("get_sequence", sequence_id="local:seq_0").status == 200
        served.ask("POST", "/%1B[31m%0A/mcp")
    first, second, strange = served.log
    assert first.keys() == {"at", "status", "ms", "method", "path", "client", "bytes", "user", "rpc", "tool"}
    assert (first["status"], first["user"], first["rpc"], first["tool"]) == (
        200,
        "token-file",
        "tools/call",
        "find_contacts",
    )
    assert second["tool"] == "get_sequence"
    assert strange["status"] == 404 and all(line.isascii() and line.isprintable() for line in served.lines)


def test_numbers_are_told_on_a_port_of_their_own_alone(world: PageWorld) -> None:
    world.plan(people=3)
    with serving(world, ServeOptions(metrics=0)) as served:
        served.tool("find_contacts")
        served.tool("get_sequence", sequence_id="local:seq_0")
        numbers = served.ask("GET", "/metrics", port=served.metrics_port, token="").text.splitlines()
        assert served.ask("GET", "/metrics").status == 404
        assert served.ask("POST", "/mcp", port=served.metrics_port).status == 404
    assert 'sequences_tool_calls_total{tool="find_contacts",outcome="ok"} 1' in numbers
    assert 'sequences_tool_calls_total{tool="get_sequence",outcome="error"} 1' in numbers
    assert 'sequences_steps{state="planned"} 3' in numbers
    assert 'sequences_waiting{what="plans"} 1' in numbers
    assert "sequences_due 0" in numbers and "sequences_database_up 1" in numbers


def test_it_is_alive_without_a_worker_and_ready_only_with_one(world: PageWorld) -> None:
    with serving(world, does_work=True) as served:
        assert served.ask("GET", "/healthz", token="", Host="10.0.0.7").status == 200
        alone = served.ask("GET", "/readyz", token="")
    assert (alone.status, alone.facts["worker"], alone.facts["database"]) == (503, False, True)
    world.worker = True
    with serving(world, does_work=True) as served:
        assert served.ask("GET", "/readyz", token="").status == 200


def test_where_the_database_is_away_every_tool_says_so(world: PageWorld) -> None:
    world.folder.mkdir()
    world.workspace.database.write_bytes(b"not a database" * 100)
    with serving(world) as served:
        ready, called = served.ask("GET", "/readyz", token=""), served.tool("list_blueprints")
    assert (ready.status, ready.facts["database"]) == (503, False)
    assert called.facts["result"]["isError"]
