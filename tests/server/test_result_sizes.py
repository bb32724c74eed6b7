"""No answer to a call with default arguments is more than a screen of tokens, however much there is to say."""

from __future__ import annotations

from typing import Any

import pytest
from benchmarks import tokens
from tests.world.product import GRACE, LINKEDIN, MAIL, Desktop, World, text_of

LIMIT = 2_000
LONG = "Hi {{firstname}}, " + "I am writing because the team is growing and your work is close to it. " * 40
FOLLOW_UP = {**MAIL, "content": LONG, "temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}
STEPS = [
    {**MAIL, "content": LONG},
    {**LINKEDIN, "content": LONG},
    *({**FOLLOW_UP, "id": f"again{index}", "name": "Another follow-up"} for index in range(3)),
]
WRITTEN_STEPS = [{**step, "contentSource": "suggestedByKalent"} for step in STEPS]
BAD_STEPS = [{**MAIL, "id": f"s{index}", "content": "Hi {{firstName}} at [company]"} for index in range(30)]


def crowd(number: int, **changes: Any) -> list[dict[str, Any]]:
    """Return people about whom everything is known, at length."""
    person = {
        **GRACE,
        "first_name": "Maximiliana-Josephine",
        "last_name": "von und zu Hohenstaufen-Wittelsbach",
        "company": "International Business Machines Corporation of Armonk",
        "job_title": "Senior Principal Engineering Manager of Distributed Systems and Reliability " * 2,
        "location": "San Francisco Bay Area, California, United States",
        "country": "US",
        "time_zone": "America/Los_Angeles",
        "language": "en-US",
        "note": "Met at the annual conference in Berlin, wants to hear about platform teams. " * 20,
    }
    addresses = [f"a.very.long.mail.address.number{index}@department.hopper.example" for index in range(number)]
    return [{**person, "email": address, **changes} for address in addresses]


@pytest.fixture
async def full(world: World) -> World:
    """A database with much of everything."""
    world.changes["elicitation"] = False
    async with world.client("auto") as desktop:
        for _ in range(12):
            blueprint = await desktop.blueprint(*STEPS)
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=crowd(60))
    return world


async def size(desktop: Desktop, tool: str, **arguments: Any) -> int:
    return tokens.counter().count(text_of(await desktop.raw(tool, **arguments)))


@pytest.mark.parametrize(
    "tool", ["list_providers", "list_blueprints", "find_contacts", "list_sequences", "list_reviews"]
)
async def test_a_list_fits(full: World, tool: str) -> None:
    async with full.client("auto") as desktop:
        assert await size(desktop, tool) <= LIMIT


async def test_one_of_a_thing_fits(full: World) -> None:
    async with full.client("auto") as desktop:
        blueprint = (await desktop.call("list_blueprints"))["items"][0]["id"]
        run = (await desktop.call("list_sequences"))["items"][0]["id"]
        assert await size(desktop, "get_blueprint", blueprint_id=blueprint) <= LIMIT
        assert await size(desktop, "get_sequence", sequence_id=run) <= LIMIT


async def test_a_preview_of_many_fits_and_says_how_many_it_shows(full: World) -> None:
    async with full.client("auto") as desktop:
        blueprint = (await desktop.call("list_blueprints"))["items"][0]["id"]
        shown = await desktop.call("preview_sequence", blueprint_id=blueprint, contacts=crowd(20))
        assert shown["note"].startswith("The first 3 of 20 people are shown.")
        assert await size(desktop, "preview_sequence", blueprint_id=blueprint, contacts=crowd(20)) <= LIMIT


async def test_the_answers_of_large_writes_fit(full: World) -> None:
    async with full.client("auto") as desktop:
        own = await desktop.blueprint(*WRITTEN_STEPS)
        texts = {"hello": "Hi Max, " + LONG.partition(", ")[2]}
        assert await size(desktop, "save_contacts", contacts=crowd(100)) <= LIMIT
        assert await size(desktop, "start_sequence", blueprint_id=own, contacts=crowd(50, texts=texts)) <= LIMIT
        plan = (await desktop.call("list_reviews"))["plans"]["items"][-1]["plan_id"]
        assert await size(desktop, "list_reviews", plan_id=plan) <= LIMIT


async def test_a_stale_version_shows_the_change_in_a_screen(full: World) -> None:
    other = [{**step, "content": step["content"].replace("team", "company")} for step in STEPS]
    async with full.client("auto") as desktop:
        blueprint = (await desktop.call("list_blueprints"))["items"][0]["id"]
        update: dict[str, Any] = {"blueprint_id": blueprint, "expected_version": 1, "steps": other}
        await desktop.call("update_blueprint", **update)
        stale = await desktop.refused("update_blueprint", **update)
        assert "because the company is growing" in "".join(stale["difference"])
        assert await size(desktop, "update_blueprint", **update) <= LIMIT
        assert await size(desktop, "list_tasks", **{f"unknown{index}": index for index in range(500)}) <= LIMIT


async def test_errors_fit(full: World) -> None:
    async with full.client("auto") as desktop:
        blueprint = (await desktop.call("list_blueprints"))["items"][0]["id"]
        nameless = [{**one, "email": f"n.{one['email']}", "first_name": None} for one in crowd(30)]
        assert await size(desktop, "create_blueprint", name="A", steps=BAD_STEPS) <= LIMIT
        assert await size(desktop, "check_blueprint", steps=BAD_STEPS) <= LIMIT
        assert await size(desktop, "start_sequence", blueprint_id=blueprint, contacts=nameless) <= LIMIT
