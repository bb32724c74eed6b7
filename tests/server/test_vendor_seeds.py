"""Kalent and Clarky to the letter of their pages: what is sent, by which name and key, and what is warned of."""

from __future__ import annotations

from typing import Any

import pytest
from tests.server.vendor_starts import INES, OLUMIDE, SLOW, TEXT, Start, approve
from tests.server.vendor_world import Connected, unknown

SOURCING = "kalent:sourcing_1"
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
    async with vendors.client() as desktop:
        made = await desktop.call("create_blueprint", name="C", steps=[TEXT], provider=SOURCING, config=config)
        own = made["blueprint_id"]
        await desktop.call("update_blueprint", blueprint_id=own, expected_version=1, config={"pace": 3})
        here = await desktop.refused("create_blueprint", name="C", steps=[TEXT], config=config)
        ours = await desktop.blueprint()
        changed = await desktop.refused("update_blueprint", blueprint_id=ours, expected_version=1, config=config)
    [body] = await sent(vendors, "/sequence-blueprints")
    [change] = await sent(vendors, f"/sequence-blueprints/{own.partition(':')[2]}")
    assert (body["config"], change) == (config, {"config": {"pace": 3}})
    assert "Kalent" in here["message"] and "Kalent" in changed["message"]


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
