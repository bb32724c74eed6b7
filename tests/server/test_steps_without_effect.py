"""No field of a step is taken and then never looked at: the embedded engine refuses it, a vendor may use it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.server.test_vendor_blueprints import MADE
from tests.world.fake_vendor import reply, serving
from tests.world.product import MAIL, WRITTEN, World
from tests.world.vendors import Connected

INVITATION = {
    "id": "invite",
    "name": "Invite",
    "type": "LINKEDIN",
    "linkedInType": "LINKEDIN_INVITATION",
    "temporalityType": "ASAP",
    "policy": {"inviteTimeoutDays": 7},
}
SETTLED = {**MAIL, "id": "after", "temporalityType": "AFTER_INVITATION_SETTLED"}

UNUSED: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "another sender": ([{**MAIL, "config": {"userId": "user_2"}}], "config.userId", "SEQUENCES_SENDER"),
    "an empty sender": ([{**MAIL, "config": {"userId": ""}}], "config.userId", "Leave config out"),
    "drafts of a template": (
        [{**MAIL, "policy": {"autoValidateAIDraft": True}}],
        "policy.autoValidateAIDraft",
        "one text for all",
    ),
    "a limit without an invitation": (
        [{**MAIL, "policy": {"inviteTimeoutDays": 3}}],
        "policy.inviteTimeoutDays",
        "belongs to the invitation",
    ),
    "two limits for one invitation": (
        [INVITATION, {**SETTLED, "policy": {"inviteTimeoutDays": 3}}],
        "policy.inviteTimeoutDays",
        "The invitation says 7 days",
    ),
}


@pytest.mark.parametrize(("steps", "field", "words"), UNUSED.values(), ids=UNUSED.keys())
async def test_a_field_without_effect_is_refused_where_it_would_be_stored(
    world: World, steps: list[dict[str, Any]], field: str, words: str
) -> None:
    async with world.client("auto") as desktop:
        refused = await desktop.refused("create_blueprint", name="A", steps=steps)
        [finding] = refused["findings"]
        assert (finding["field"], finding["severity"]) == (field, "error")
        assert words in finding["message"]
        stored = await desktop.blueprint(MAIL)
        changed = await desktop.refused("update_blueprint", blueprint_id=stored, expected_version=1, steps=steps)
        assert changed["findings"][0]["field"] == field
        checked = await desktop.call("check_blueprint", steps=steps)
        assert (checked["findings"][0]["field"], checked["findings"][0]["severity"]) == (field, "warning")


@pytest.mark.parametrize(
    "steps",
    [
        [{**MAIL, "config": {}}],
        [{**MAIL, "config": {"userId": None}}],
        [{**WRITTEN, "policy": {"autoValidateAIDraft": True}}],
        [{**MAIL, "policy": {"autoValidateAIDraft": False, "skipStepIfNoContact": True}}],
        [INVITATION, SETTLED],
        [INVITATION, {**SETTLED, "policy": {"inviteTimeoutDays": 7}}],
        [{**INVITATION, "policy": {}}, {**SETTLED, "policy": {"inviteTimeoutDays": 3}}],
    ],
)
async def test_what_has_an_effect_or_asks_for_none_is_taken(world: World, steps: list[dict[str, Any]]) -> None:
    async with world.client("auto") as desktop:
        assert await desktop.blueprint(*steps)


async def test_a_vendors_own_sender_of_a_step_stays_legal(vendors: Connected) -> None:
    async with serving(reply(200, MADE)) as kalent:
        vendors.elsewhere["kalent"] = kalent.url
        async with vendors.client() as desktop:
            steps = [{**MAIL, "config": {"userId": "user_2"}}]
            await desktop.call("create_blueprint", name="A", steps=steps, provider="kalent:sourcing_1")
        assert kalent.seen[0].json["steps"][0]["config"] == {"userId": "user_2"}
