"""The chat says where the page is, and what was decided there comes back into the chat."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from mcp.types import ElicitResult
from tests.secrecy.client import Client
from tests.world.page import MAIL, PageWorld, Visitor, crowd

from sequences_mcp.server.app import build_server


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    facts: dict[str, Any] = json.loads(result.content[0].text)
    assert not result.is_error, facts
    return facts


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_start_says_where_a_person_decides(world: PageWorld, visitor: Visitor, era: str) -> None:
    async with Client(build_server(world.app), mode=era) as client:
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
async def test_where_nobody_serves_the_page_the_terminal_alone_is_named(world: PageWorld, era: str) -> None:
    async with Client(build_server(world.app), mode=era) as client:
        listed = await call(client, "list_reviews")
    assert "http" not in listed["next"]
    assert "in a terminal: sequences-mcp review" in listed["next"]


async def started(client: Client, **more: Any) -> dict[str, Any]:
    """Start a sequence for two people, all of it in one go."""
    made = await call(client, "create_blueprint", name="Engineers", steps=[MAIL], job_title="Engineer")
    arguments = {"blueprint_id": made["blueprint_id"], "contacts": crowd(2), **more}
    return await call(client, "start_sequence", **arguments)


def decide(person: Visitor, plan_path: str, what: str) -> None:
    """Decide on the page, as a person would who has read a sample."""
    person.get(person.get(f"{plan_path}/sample").headers["location"])
    digest = person.get(plan_path).field("digest")
    assert person.post(f"{plan_path}/{what}", digest=digest).status == 303


@pytest.mark.parametrize("era", ["auto", "legacy"])
@pytest.mark.parametrize(
    ("what", "approval", "outcome"), [("approve", "given", "done"), ("refuse", "declined", "refused")]
)
async def test_the_chat_opens_the_page_waits_and_goes_on_by_itself(
    world: PageWorld, person: Visitor, era: str, what: str, approval: str, outcome: str
) -> None:
    opened: list[str] = []

    async def browser(context: object, params: Any) -> ElicitResult:
        opened.append(params.url)
        await asyncio.to_thread(decide, person, params.url.removeprefix(person.origin), what)
        return ElicitResult(action="accept")

    async with Client(build_server(world.app), mode=era, elicitation_callback=browser) as client:
        made = await call(client, "create_blueprint", name="Engineers", steps=[MAIL], job_title="Engineer")
        arguments = {"blueprint_id": made["blueprint_id"], "contacts": crowd(11), "wait_seconds": 30}
        facts = await call(client, "start_sequence", **arguments)
    assert opened == [f"{person.origin}/plans/{facts['plan_id']}"]
    assert (facts["approval"], facts["outcome"]) == (approval, outcome)


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_declining_to_look_is_no_answer_to_the_plan(world: PageWorld, person: Visitor, era: str) -> None:
    async def browser(context: object, params: Any) -> ElicitResult:
        return ElicitResult(action="decline")

    async with Client(build_server(world.app), mode=era, elicitation_callback=browser) as client:
        facts = await started(client, contacts=crowd(11))
    assert (facts["approval"], facts["outcome"]) == ("dismissed", "waiting_for_approval")
    assert facts["status"] == "waiting"


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_decision_made_meanwhile_is_told_by_the_same_call(
    world: PageWorld, person: Visitor, era: str
) -> None:
    async with Client(build_server(world.app), mode=era) as client:
        first = await started(client)
        assert first["approval"] == "not_asked"
        await asyncio.to_thread(decide, person, f"/plans/{first['plan_id']}", "refuse")
        again = await call(client, "start_sequence", blueprint_id=first["blueprint_id"], contacts=crowd(2))
        assert (again["plan_id"], again["approval"]) == (first["plan_id"], "declined")


@pytest.mark.parametrize(("what", "told"), [("approve", "Approved by page"), ("refuse", "Rejected by page")])
async def test_the_next_question_about_a_plan_tells_what_was_decided(
    world: PageWorld, person: Visitor, what: str, told: str
) -> None:
    async with Client(build_server(world.app)) as client:
        first = await started(client)
        await asyncio.to_thread(decide, person, f"/plans/{first['plan_id']}", what)
        listed = await call(client, "list_reviews", plan_id=first["plan_id"])
    assert listed["next"].startswith(f"{told}, 2026-11-23 12:00 UTC")


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_plan_nobody_decided_in_time_is_expired_and_not_refused(world: PageWorld, era: str) -> None:
    async with Client(build_server(world.app), mode=era) as client:
        first = await started(client, idempotency_key="one")
        world.clock.forward(hours=24)
        again = await call(
            client,
            "start_sequence",
            blueprint_id=first["blueprint_id"],
            contacts=crowd(2),
            idempotency_key="one",
        )
    assert (again["approval"], again["outcome"], again["status"]) == ("expired", "not_done", "expired")


async def test_the_wait_is_bounded_and_tells_progress(world: PageWorld) -> None:
    told: list[str | None] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        told.append(message)

    async with Client(build_server(world.app)) as client:
        made = await call(client, "create_blueprint", name="Engineers", steps=[MAIL], job_title="Engineer")
        arguments = {"blueprint_id": made["blueprint_id"], "contacts": crowd(2), "wait_seconds": 1}
        result = await client.call_tool("start_sequence", arguments, progress_callback=progress)
    facts = json.loads(result.content[0].text)
    assert facts["outcome"] == "waiting_for_approval"
    assert "waiting for a person's decision" in told


async def test_where_a_passkey_is_registered_the_chat_does_not_ask(world: PageWorld) -> None:
    world.workspace.passkeys.write_text(json.dumps([{"id": "x", "public_key": "00", "registered_at": ""}]))

    async def dialog(context: object, params: object) -> ElicitResult:
        raise AssertionError("nobody may be asked")

    async with Client(build_server(world.app), elicitation_callback=dialog) as client:
        made = await client.call_tool("create_blueprint", {"name": "A", "steps": [MAIL], "job_title": "Engineer"})
        own = made.structured_content["blueprint_id"]
        arguments = {"blueprint_id": own, "contacts": crowd(2)}
        started = await client.call_tool("start_sequence", arguments)
        providers = await client.call_tool("list_providers", {})
    assert started.structured_content["approval"] == "not_asked"
    assert ["passkey" in way for way in providers.structured_content["approval"]] == [True]
