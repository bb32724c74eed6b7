"""Kalent and Clarky to the letter of their pages: what is sent, by which name and key, and what is warned of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.world.vendors import (
    ALI,
    ENDS,
    INES,
    OLUMIDE,
    SLOW,
    TEXT,
    ZOE,
    Connected,
    Start,
    approve,
    rows,
    unknown,
)

from sequences_sandbox.seeds import CLARKY_TEMPLATES

SOURCING = "kalent:sourcing_1"
TEMPLATE = f"clarky:{CLARKY_TEMPLATES[0]}"
INVITATION = {
    "id": "invite",
    "name": "Invite",
    "type": "LINKEDIN",
    "linkedInType": "LINKEDIN_INVITATION",
    "temporalityType": "ASAP",
}


async def sent(vendors: Connected, ending: str) -> list[dict[str, Any]]:
    """Return the bodies of the writes whose path ends so."""
    return [one["body"] for one in await vendors.writes() if one["path"].endswith(ending)]


async def test_a_blueprint_at_kalent_may_be_created_empty_filled_later_and_started(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        made = await desktop.call("create_blueprint", name="Later", steps=[], provider=SOURCING)
        own = made["blueprint_id"]
        error = await desktop.refused("start_sequence", blueprint_id=own, contacts=[INES])
        await desktop.call("update_blueprint", blueprint_id=own, expected_version=1, steps=[SLOW])
        start = Start(own, [INES])
        await approve(vendors, await start.ask(desktop))
        told = await start.told(desktop)
    [body] = await sent(vendors, "/sequence-blueprints")
    assert body == {"name": "Later"}
    assert "no steps yet" in error["message"] and "update_blueprint" in error["next"]
    assert told["handed_over"]["done"] == 1


@pytest.mark.parametrize("provider", [SOURCING, "local"])
async def test_the_content_of_a_plain_invitation_is_taken_stored_empty_and_noted(
    vendors: Connected, provider: str
) -> None:
    step = {**INVITATION, "content": "Hi {{firstname}}, a word about the role?"}
    async with vendors.client() as desktop:
        made = await desktop.call("create_blueprint", name="Invite", steps=[step], provider=provider)
        shown = await desktop.call("get_blueprint", blueprint_id=made["blueprint_id"])
    [note] = [one for one in made["findings"] if one["rule"] == "structure.invitation_text"]
    assert note["severity"] == "note" and "not sent" in note["message"]
    assert shown["steps"][0].get("content", "") == ""
    for body in await sent(vendors, "/sequence-blueprints"):
        assert body["steps"][0]["content"] == ""


async def test_kalents_configuration_is_passed_through_and_taken_nowhere_else(vendors: Connected) -> None:
    config = {"stopOnReply": True, "window": {"from": "08:00"}}
    left = {**config, "sender": [{"signature": text} for text in ("Bob", *["Bob\n[Your Company]"] * 2)]}
    async with vendors.client() as desktop:
        refused = await desktop.refused("create_blueprint", name="C", steps=[TEXT], provider=SOURCING, config=left)
        made = await desktop.call("create_blueprint", name="C", steps=[TEXT], provider=SOURCING, config=config)
        own = made["blueprint_id"]
        await desktop.call("update_blueprint", blueprint_id=own, expected_version=1, config={"pace": 3})
        here = await desktop.refused("create_blueprint", name="C", steps=[TEXT], config=config)
        ours = await desktop.blueprint()
        changed = await desktop.refused("update_blueprint", blueprint_id=ours, expected_version=1, config=config)
        many = {f"k{number}": f"text {number}" for number in range(2_001)}
        error = await desktop.refused("create_blueprint", name="C", steps=[TEXT], provider=SOURCING, config=many)
    [body] = await sent(vendors, "/sequence-blueprints")
    [change] = await sent(vendors, f"/sequence-blueprints/{own.partition(':')[2]}")
    assert (body["config"], change) == (config, {"config": {"pace": 3}})
    assert "Kalent" in here["message"] and "Kalent" in changed["message"]
    assert [finding["field"] for finding in refused["findings"]] == [
        f"config.sender[{number}].signature" for number in (2, 1)
    ]
    assert "2001 different texts" in error["message"]


async def test_what_was_not_said_of_a_step_is_not_sent_and_what_was_said_is(vendors: Connected) -> None:
    plain = {**TEXT, "id": "a"}
    said = {**SLOW, "id": "b", "contentSource": "manual", "policy": {"skipStepIfNoContact": False}}
    async with vendors.client() as desktop:
        made = await desktop.call("create_blueprint", name="D", steps=[plain, said], provider=SOURCING)
        await desktop.call(
            "update_blueprint",
            blueprint_id=made["blueprint_id"],
            expected_version=1,
            steps=[{**plain, "name": "Other"}, said],
        )
    [body] = await sent(vendors, "/sequence-blueprints")
    [change] = [one["body"] for one in await vendors.writes() if one["method"] == "PATCH"]
    assert body["steps"] == [plain, said]
    assert change["steps"] == [{**plain, "name": "Other"}, said]


async def test_a_blueprint_has_the_very_name_it_was_given(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        made = await desktop.call("create_blueprint", name="Backend · Paris", steps=[TEXT], provider=SOURCING)
    [body] = await sent(vendors, "/sequence-blueprints")
    assert body["name"] == "Backend · Paris" and made["version"] == 1


async def test_an_unknown_create_blocks_only_the_same_name_in_that_sourcing(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        await vendors.sandbox.fault("status", vendor="kalent", path="*/sequence-blueprints", status=504)
        lost = await unknown(desktop, "create_blueprint", name="Role", steps=[TEXT], provider=SOURCING)
        same = await desktop.refused("create_blueprint", name=" Role ", steps=[SLOW], provider=SOURCING)
        other = await desktop.call("create_blueprint", name="Role 2", steps=[TEXT], provider=SOURCING)
        elsewhere = await desktop.call("create_blueprint", name="Role", steps=[TEXT], provider="kalent:sourcing_2")
        checked = await desktop.call("check_operation", operation_id=lost["operation_id"])
    assert (same["code"], same["operation_id"]) == ("conflict", lost["operation_id"])
    assert other["blueprint_id"] != elsewhere["blueprint_id"]
    assert checked["outcome"] == checked["sent"] == "unknown"
    assert "nothing was read" in checked["why"]
    assert checked["last_answer"]["vendor_status"] == 504


@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize("provider", [SOURCING, "local"])
async def test_a_delay_that_is_no_number_is_refused(vendors: Connected, provider: str, value: bool) -> None:
    step = {**SLOW, "delay": {"value": value, "unit": "day"}}
    async with vendors.client() as desktop:
        error = await desktop.refused("create_blueprint", name="T", steps=[step], provider=provider)
    assert error["code"] == "refused_by_guards"
    assert any("delay" in one.get("field", "") for one in error["findings"])
    assert await vendors.writes() == []


async def test_a_candidate_of_whom_something_is_not_known_here_is_warned_of_and_goes(vendors: Connected) -> None:
    text = {**SLOW, "content": "Hi {{firstname}}, would you leave {{candidateCompanyName}} for us?"}
    async with vendors.client() as desktop:
        made = await desktop.call("create_blueprint", name="R", steps=[text], provider=SOURCING)
        start = Start(made["blueprint_id"], [OLUMIDE])
        asked = await start.ask(desktop)
        await approve(vendors, asked)
        told = await start.told(desktop)
    warned = [one for one in asked["findings"] if one["rule"] == "vendor.filled_there"]
    assert (asked["people"], asked["left_out_count"]) == (1, 0)
    assert any("e-mail address" in one["message"] for one in warned)
    assert told["handed_over"]["done"] == 1


async def test_one_lead_in_two_data_folders_is_one_sequence_at_clarky(vendors: Connected, tmp_path: Path) -> None:
    told = []
    for folder in ("one", "two"):
        here = replace(vendors, folder=tmp_path / folder)
        async with here.client() as desktop:
            start = Start(TEMPLATE, [ZOE], {"idempotency_key": "lead-1001"})
            await approve(here, await start.ask(desktop))
            told.append(await start.told(desktop))
    bodies = await sent(vendors, "/sequences/start")
    assert [one["idempotency_key"] for one in bodies] == ["lead-1001", "lead-1001"]
    assert [one["handed_over"]["done"] for one in told] == [1, 1]
    assert len(set(await enrollment_ids(vendors, tmp_path))) == 1


async def enrollment_ids(vendors: Connected, tmp_path: Path) -> list[str]:
    """Return the enrolments that the two folders know of."""
    folders = [replace(vendors, folder=tmp_path / name) for name in ("one", "two")]
    return [own for here in folders for (own,) in rows(here, "SELECT remote_id FROM sequence")]


async def test_several_leads_of_one_call_have_each_a_key_that_comes_from_the_callers(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        start = Start(TEMPLATE, [ZOE, ALI], {"idempotency_key": "batch-7"})
        await approve(vendors, await start.ask(desktop))
    keys = [one["idempotency_key"] for one in await sent(vendors, "/sequences/start")]
    assert len(set(keys)) == 2 and all(one.startswith("batch-7:") for one in keys)


async def test_several_addresses_and_numbers_of_a_contact_reach_clarky_and_no_other(vendors: Connected) -> None:
    person = {
        "first_name": "Zoe",
        "emails": ["zoe@new.example", "z@home.example"],
        "phone_numbers": ["+34900000000", "+34900000001"],
    }
    async with vendors.client() as desktop:
        start = Start(TEMPLATE, [person])
        asked = await start.ask(desktop)
        await approve(vendors, asked)
        ours = await desktop.blueprint()
        here = await desktop.refused("start_sequence", blueprint_id=ours, contacts=[person])
        bad = await desktop.refused("start_sequence", blueprint_id=TEMPLATE, contacts=[{"emails": ["no"]}])
    [body] = await sent(vendors, "/sequences/start")
    assert body["contact"]["emails"] == person["emails"]
    assert body["contact"]["phone_numbers"] == person["phone_numbers"]
    assert "z@home.example" in str(asked["sample"]["handover"])
    assert "several" in here["message"] and bad["code"] == "invalid_arguments"


async def test_whoever_is_suppressed_at_one_of_several_addresses_is_not_started(vendors: Connected) -> None:
    person = {"first_name": "Zoe", "emails": ["zoe@new.example", "z@home.example"]}
    async with vendors.client() as desktop:
        await desktop.call("suppress_contact", contact="z@home.example", reason="asked")
        error = await desktop.refused("start_sequence", blueprint_id=TEMPLATE, contacts=[person])
    assert error["left_out"][0]["reasons"] == ["suppressed: asked"]
    assert await sent(vendors, "/sequences/start") == []


async def test_whoever_is_suppressed_after_the_yes_at_one_of_several_addresses_is_not_handed_over(
    vendors: Connected,
) -> None:
    person = {"first_name": "Zoe", "emails": ["zoe@new.example", "z@home.example"]}
    async with vendors.client() as desktop:
        start = Start(TEMPLATE, [person])
        asked = await start.ask(desktop)
        await approve(vendors, asked, go=False)
        await desktop.call("suppress_contact", contact="z@home.example", reason="asked")
        told = await start.told(desktop)
    assert (told["outcome"], told["sent"]) == ("not_done", "nothing")
    assert await sent(vendors, "/sequences/start") == []


@pytest.mark.parametrize("first_name", ["Zoe", "MARIA"])
async def test_a_listed_template_starts_without_a_person_unless_a_value_is_doubtful(
    vendors: Connected, first_name: str
) -> None:
    vendors.more["SEQUENCES_AUTO_APPROVE"] = TEMPLATE
    async with vendors.client() as desktop:
        start = Start(TEMPLATE, [{**ZOE, "first_name": first_name}], {"auto_approve": True})
        done = await start.ask(desktop)
    bodies = await sent(vendors, "/sequences/start")
    if first_name == "Zoe":
        assert (done["outcome"], done["approval"]) == ("done", "by_operator")
        assert [one["auto_approve"] for one in bodies] == [True]
        assert done["sent"].endswith("it writes, sends and calls within about a minute")
    else:
        assert (done["outcome"], bodies) == ("waiting_for_approval", [])


@pytest.mark.parametrize("act", [True, False])
async def test_after_an_unknown_start_clarky_is_asked_whether_it_has_the_person(
    vendors: Connected, act: bool
) -> None:
    async with vendors.client() as desktop:
        start = Start(TEMPLATE, [ZOE])
        asked = await start.ask(desktop)
        await vendors.sandbox.fault("status", vendor="clarky", path=ENDS["clarky"], status=504, times=3, act=act)
        await approve(vendors, asked)
        [(operation,)] = rows(vendors, "SELECT id FROM vendor_operation")
        vendors.clock.now += timedelta(minutes=2)
        checked = await desktop.call("check_operation", operation_id=operation)
        found = await desktop.call("find_contacts", provider="clarky", query=ZOE["email"])
        told = await start.told(desktop)
    assert found["total_count"] == int(act)
    assert checked["outcome"] == told["outcome"] == ("unknown" if act else "not_done")
    if act:
        assert "Clarky has the contact" in checked["why"] and "find_contacts" in checked["next"]
        assert operation in checked["next"]
    else:
        assert "no such contact" in told["handed_over"]["why"][0]


async def test_the_addresses_themselves_name_people_of_a_start(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        await desktop.call("save_contacts", contacts=[{**ZOE}])
        ours = await desktop.blueprint()
        asked = await desktop.call("start_sequence", blueprint_id=ours, contacts=[ZOE["email"]])
        shown = await desktop.call("preview_sequence", blueprint_id=TEMPLATE, contacts=[ZOE["email"]])
    assert (asked["people"], asked["sample"]["name"]) == (1, "Zoe")
    assert shown["people_count"] == 1
