"""Calls that cannot be carried out: each gets an error of its own with a next step, and changes nothing."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.world.data_folder import NOON, Clock
from tests.world.product import GRACE, LINKEDIN, LINUS, MAIL, World, people, tomorrow, yes

PERSON = {"email": "grace@hopper.example"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A server on an empty database, at noon of a Monday."""
    return World(folder=tmp_path / "data", clock=Clock(), changes={})


def rows(world: World) -> dict[str, int]:
    """Return how many rows each table has."""
    with closing(sqlite3.connect(world.folder / "sequences.db")) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}


IDS = {
    "no id at all": ("get_blueprint", {"blueprint_id": "grace"}, "list_blueprints"),
    "a contact's": ("get_blueprint", {"blueprint_id": "local:ct_1"}, "list_blueprints"),
    "a blueprint's": ("get_sequence", {"sequence_id": "local:bp_1"}, "list_sequences"),
    "a sequence's": ("complete_task", {"task_id": "local:seq_1", "outcome": "done"}, "list_tasks"),
    "a task's": ("edit_draft", {"draft_id": "local:task_1", "content": "Hi"}, "list_reviews"),
    "a draft's": ("stop_sequence", {"sequence_id": "local:draft_1", "reason": "WIN"}, "list_sequences"),
    "a plan's": ("pause_sequence", {"sequence_id": "local:plan_1", "paused_until": tomorrow()}, "list_sequences"),
    "an operation's": ("suppress_contact", {"contact": "local:op_1", "reason": "asked"}, "find_contacts"),
    "no provider's": ("list_reviews", {"plan_id": "nobody:plan_1"}, "list_reviews"),
    "empty": ("resume_sequence", {"sequence_id": ""}, "list_sequences"),
}


@pytest.mark.parametrize(("tool", "arguments", "listed_by"), IDS.values(), ids=IDS.keys())
async def test_an_id_of_another_kind_is_told_by_name(
    world: World, tool: str, arguments: dict[str, Any], listed_by: str
) -> None:
    async with world.client("auto") as desktop:
        before = rows(world)
        error = await desktop.refused(tool, **arguments)
        assert (error["code"], error["listed_by"]) == ("wrong_id", listed_by)
        assert re.fullmatch(f"[A-Z][a-z]+ ids come from {listed_by}.*", error["next"])
        assert rows(world) == before


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("get_blueprint", {"blueprint_id": "topo:1111-2222"}),
        ("get_sequence", {"sequence_id": "kalent:sequence_1"}),
        ("update_sequence", {"sequence_id": "clarky:enr_1", "variables": {"firstname": "A"}}),
        ("complete_task", {"task_id": "topo:task-1", "outcome": "done"}),
    ],
)
async def test_an_id_of_a_provider_that_is_not_connected_says_so(
    world: World, tool: str, arguments: dict[str, Any]
) -> None:
    async with world.client("auto") as desktop:
        error = await desktop.refused(tool, **arguments)
    assert error["code"] == "not_supported"
    assert error["message"].endswith("is not connected to this server.")
    assert "list_providers" in error["next"]


UNKNOWN: dict[str, dict[str, Any]] = {
    "get_blueprint": {"blueprint_id": "local:bp_0"},
    "update_blueprint": {"blueprint_id": "local:bp_0", "expected_version": 1, "name": "B"},
    "preview_sequence": {"blueprint_id": "local:bp_0", "contacts": [PERSON]},
    "start_sequence": {"blueprint_id": "local:bp_0", "contacts": [PERSON]},
    "get_sequence": {"sequence_id": "local:seq_0"},
    "pause_sequence": {"sequence_id": "local:seq_0", "paused_until": tomorrow()},
    "resume_sequence": {"sequence_id": "local:seq_0"},
    "stop_sequence": {"sequence_id": "local:seq_0", "reason": "LOSE"},
    "update_sequence": {"sequence_id": "local:seq_0", "variables": {"firstname": None}},
    "edit_draft": {"draft_id": "local:draft_0", "content": "Hi"},
    "complete_task": {"task_id": "local:task_0", "outcome": "done"},
    "list_reviews": {"plan_id": "local:plan_0"},
    "suppress_contact": {"contact": "local:ct_0", "reason": "asked"},
}


@pytest.mark.parametrize("tool", UNKNOWN)
async def test_an_id_of_nothing_is_not_found(world: World, tool: str) -> None:
    async with world.client("auto") as desktop:
        before = rows(world)
        error = await desktop.refused(tool, **UNKNOWN[tool])
        assert error["code"] == "not_found"
        assert rows(world) == before


NO_PROFILE = {**PERSON, "linkedin_url": "https://evil.example/in/a"}


async def test_a_profile_that_is_none_is_not_saved(world: World) -> None:
    async with world.client("auto") as desktop:
        error = await desktop.refused("save_contacts", contacts=[NO_PROFILE])
        assert "is not the URL of a LinkedIn" in error["message"]


CONTACTS: dict[str, tuple[list[Any], str]] = {
    "none": ([], "contacts is empty"),
    "too many": (people(10_001), "contacts has 10,001 entries; the limit is 10,000"),
    "without address and number": ([GRACE, {"first_name": "Linus"}], "contact 2: it has neither email nor phone"),
    "blank address": ([{"email": "  "}], "contact 1: it has neither email nor phone"),
    "an unknown field": ([{**PERSON, "nickname": "G"}], "contact 1: nickname: this is not a field"),
    "a number for a name": ([{**PERSON, "first_name": 7}], "contact 1: first_name: this is not text"),
    "not an address": ([{"email": "grace at hopper"}], "'grace at hopper' is not an e-mail address"),
    "two addresses": ([{"email": "a@hopper.example,b@hopper.example"}], "is not an e-mail address"),
    "a header in the address": ([{"email": "a@hopper.example\r\nBcc: b@x.example"}], "is not an e-mail address"),
    "a number without country": ([{"phone": "0612345678"}], "'0612345678' is not a phone number"),
    "too few digits": ([{"phone": "+331"}], "'+331' is not a phone number"),
    "no country": ([{**PERSON, "country": "France"}], "'France' is not a country"),
    "no zone": ([{**PERSON, "time_zone": "Paris"}], "'Paris' is not an IANA time zone"),
    "the same address twice": ([GRACE, {"email": "GRACE@Hopper.Example"}], "1 and 2 are the same person"),
    "a list": ([["grace@hopper.example"]], "contact 1: it is not an object"),
    "nothing": ([None], "contact 1: it is not an object"),
}


@pytest.mark.parametrize(("contacts", "words"), CONTACTS.values(), ids=CONTACTS.keys())
@pytest.mark.parametrize("tool", ["save_contacts", "start_sequence"])
async def test_people_who_cannot_be_saved_are_refused_together(
    world: World, tool: str, contacts: list[Any], words: str
) -> None:
    async with world.client("auto") as desktop:
        more = {"blueprint_id": await desktop.blueprint()} if tool == "start_sequence" else {}
        before = rows(world)
        error = await desktop.refused(tool, contacts=contacts, **more)
        assert error["code"] == "invalid_arguments"
        assert words in error["message"]
        assert rows(world) == before


async def test_a_start_names_what_is_wrong_beside_a_persons_facts(world: World, era: str) -> None:
    async with world.client(era, yes) as desktop:
        blueprint = await desktop.blueprint()
        saved = await desktop.contact()
        before = rows(world)
        wrong = {
            "is not a variable": {**PERSON, "variables": {"company": "Acme"}},
            "the value of firstname is blank": {**PERSON, "variables": {"firstname": " "}},
            "variables is not an object": {**PERSON, "variables": []},
            "texts is not an object": {**PERSON, "texts": "Hi"},
            "is not of the right form": {**PERSON, "texts": {"hello": {"text": "Hi"}}},
            "is not a contact id": "local:seq_1",
        }
        for words, contact in wrong.items():
            error = await desktop.refused("start_sequence", blueprint_id=blueprint, contacts=[contact])
            assert words in error["message"]
        twice = await desktop.refused("start_sequence", blueprint_id=blueprint, contacts=[saved, PERSON])
        assert "are the same person" in twice["message"]
        assert rows(world) == before


async def test_a_blueprint_without_steps_is_kept_but_never_started(world: World, era: str) -> None:
    async with world.client(era, yes) as desktop:
        made = await desktop.call("create_blueprint", name="Later", steps=[])
        before = rows(world)
        error = await desktop.refused("start_sequence", blueprint_id=made["blueprint_id"], contacts=[GRACE])
        assert (error["code"], error["message"]) == ("invalid_arguments", "This blueprint has no steps.")
        assert "update_blueprint" in error["next"]
        assert rows(world) == before


async def test_a_stale_version_is_shown_what_changed(world: World, era: str) -> None:
    async with world.client(era, yes) as desktop:
        blueprint = await desktop.blueprint()
        changed = [{**MAIL, "content": "Hi {{firstname}}, something else."}]
        await desktop.call("update_blueprint", blueprint_id=blueprint, expected_version=1, steps=changed)
        stale = await desktop.refused("update_blueprint", blueprint_id=blueprint, expected_version=1, name="Other")
        assert (stale["code"], stale["version"]) == ("stale_version", 2)
        assert any("something else" in line for line in stale["difference"])
        future = await desktop.refused(
            "update_blueprint", blueprint_id=blueprint, expected_version=3, name="Other"
        )
        assert future["code"] == "stale_version"
        assert (await desktop.call("get_blueprint", blueprint_id=blueprint))["version"] == 2
        nothing = await desktop.refused("update_blueprint", blueprint_id=blueprint, expected_version=2)
        assert nothing["message"] == "Nothing to change."


async def test_a_pause_ends_in_the_future_of_a_known_zone(world: World, era: str) -> None:
    async with world.client(era, yes) as desktop:
        started = await desktop.call(
            "start_sequence", blueprint_id=await desktop.blueprint(MAIL, LINKEDIN), contacts=[GRACE]
        )
        run = started["sample"]["sequence_id"]
        before = rows(world)
        for until, words in {
            (NOON - timedelta(seconds=1)).isoformat(): "A pause has to end in the future",
            NOON.isoformat(): "A pause has to end in the future",
            "2026-12-01T09:00:00": "paused_until: input should have timezone info",
            "2026-12-01": "paused_until:",
            "tomorrow": "paused_until: input should be a valid datetime",
            "2026-02-30T09:00:00Z": "paused_until: input should be a valid datetime",
        }.items():
            error = await desktop.refused("pause_sequence", sequence_id=run, paused_until=until)
            assert words in error["message"]
            assert error["code"] == "invalid_arguments"
            assert "T09:00:00+01:00" in error["next"]
        assert rows(world) == before
        assert (await desktop.call("get_sequence", sequence_id=run))["status"] == "ACTIVE"


async def test_times_and_choices_of_a_list_are_checked(world: World, era: str) -> None:
    async with world.client(era, yes) as desktop:
        for arguments in (
            {"created_after": "2026-11-21T09:00:00"},
            {"status": "SLEEPING"},
            {"sort_by": "name"},
            {"page": 0},
            {"size": 101},
            {"size": "ten"},
            {"blueprint_id": "local:seq_1"},
        ):
            error = await desktop.refused("list_sequences", **arguments)
            assert error["code"] in ("invalid_arguments", "wrong_id")
        beyond = await desktop.call("list_sequences", page=7)
        assert (beyond["items"], beyond["has_more"]) == ([], False)


async def test_check_blueprint_takes_exactly_one_thing_to_check(world: World, era: str) -> None:
    async with world.client(era, yes) as desktop:
        both = await desktop.refused("check_blueprint", steps=[MAIL], blueprint_id="local:bp_1")
        neither = await desktop.refused("check_blueprint")
        assert (both["message"], neither["message"]) == ("Give either steps or blueprint_id.", "Nothing to check.")
        assert "list_blueprints" in neither["next"]


async def test_nothing_starts_without_a_sender(world: World) -> None:
    async with world.app() as app:
        world.changes["mailboxes"] = (replace(app.mailboxes[0], sender=None),)
    async with world.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint()
        before = rows(world)
        error = await desktop.refused("start_sequence", blueprint_id=blueprint, contacts=[GRACE, LINUS])
        assert (error["code"], error["outcome"]) == ("bad_settings", "not_done")
        assert "SEQUENCES_SENDER" in error["message"]
        assert rows(world) == before


@pytest.mark.parametrize(
    ("contact", "words"),
    [
        ("hopper", "is no contact id, address or domain"),
        ("@", "is no contact id, address or domain"),
        ("a b@hopper.example", "is not an e-mail address"),
        ("exa mple.com", "is no contact id, address or domain"),
        ("-.example", "is no contact id, address or domain"),
    ],
)
async def test_what_cannot_be_suppressed_is_not_said_to_be(world: World, contact: str, words: str) -> None:
    async with world.client("auto") as desktop:
        error = await desktop.refused("suppress_contact", contact=contact, reason="asked")
        assert words in error["message"]
        assert rows(world)["suppression"] == 0
