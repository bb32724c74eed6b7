"""Kalent's blueprints, which its API does not show: what tells a copy apart, and what settles a lost change."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.world.fake_vendor import reply, serving
from tests.world.product import GRACE, LINKEDIN, MAIL, Desktop
from tests.world.vendors import Connected, sourcing_of, unknown

from sequences_mcp.context import AppContext
from sequences_mcp.domain.blueprint import Sourcing

MADE = {"success": True, "data": {"blueprintId": "blueprint_9", "sourcingId": "sourcing_1"}}
CHANGED = {"success": True, "data": {}}


async def made(desktop: Desktop, *steps: dict[str, Any]) -> str:
    """Create a blueprint at Kalent and return its id."""
    where = await sourcing_of(desktop)
    said = await desktop.call("create_blueprint", name="Engineers", steps=list(steps) or [MAIL], provider=where)
    return str(said["blueprint_id"])


async def test_a_lost_create_says_that_nothing_was_read_and_one_of_this_name_may_exist(vendors: Connected) -> None:
    async with serving(reply(500)) as kalent:
        vendors.elsewhere["kalent"] = kalent.url
        async with vendors.client() as desktop:
            arguments: dict[str, Any] = {"name": "Engineers", "steps": [MAIL], "provider": "kalent:sourcing_1"}
            lost = await unknown(desktop, "create_blueprint", **arguments)
            checked = await desktop.call("check_operation", operation_id=lost["operation_id"])
    assert kalent.seen[0].json["name"] == "Engineers"
    assert "nothing was read; one of this name may exist" in checked["why"] and checked["outcome"] == "unknown"


async def test_only_what_has_changed_is_sent_and_steps_always_whole(vendors: Connected) -> None:
    async with serving(reply(200, MADE), reply(200, CHANGED)) as kalent:
        vendors.elsewhere["kalent"] = kalent.url
        async with vendors.client() as desktop:
            where = {"name": "Engineers", "steps": [MAIL], "provider": "kalent:sourcing_1"}
            own = (await desktop.call("create_blueprint", **where))["blueprint_id"]
            await desktop.call("update_blueprint", blueprint_id=own, expected_version=1, name="Others")
            both = [MAIL, LINKEDIN]
            await desktop.call("update_blueprint", blueprint_id=own, expected_version=2, steps=both)
        renamed, rewritten = (one.json for one in kalent.seen[1:])
    assert renamed == {"name": "Others"}
    assert list(rewritten) == ["steps"] and len(rewritten["steps"]) == 2


async def test_the_very_same_change_settles_a_lost_one_and_every_other_is_barred(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        change = {"blueprint_id": await made(desktop), "expected_version": 1, "name": "Others"}
        await vendors.sandbox.fault("reset_during_body", vendor="kalent", method="PATCH")
        lost = await unknown(desktop, "update_blueprint", **change)
        barred = await desktop.refused("update_blueprint", **{**change, "name": "Yet others"})
        told = await desktop.call("check_operation", operation_id=lost["operation_id"])
        again = await desktop.call("update_blueprint", **change)
        settled = await desktop.call("check_operation", operation_id=lost["operation_id"])
    assert lost["safe_to_call_again"] is True and "The very same call" in lost["next"]
    assert (barred["code"], barred["operation_id"]) == ("conflict", lost["operation_id"])
    assert told["outcome"] == "unknown" and "The very same call" in told["next"]
    assert (again["outcome"], again["version"], settled["outcome"]) == ("done", 2, "done")
    assert len(await vendors.writes()) == 3


async def test_the_very_same_change_with_its_key_goes_out_again_while_its_outcome_is_unknown(
    vendors: Connected,
) -> None:
    async with vendors.client() as desktop:
        change = {"blueprint_id": await made(desktop), "expected_version": 1, "name": "Others"}
        await vendors.sandbox.fault("reset_before_body", vendor="kalent", method="PATCH")
        await unknown(desktop, "update_blueprint", **change, idempotency_key="k")
        again = await desktop.call("update_blueprint", **change, idempotency_key="k")
        third = await desktop.call("update_blueprint", **change, idempotency_key="k")
    assert again == third and again["version"] == 2
    assert len(await vendors.writes()) == 3


async def test_a_repeat_that_is_refused_or_lost_leaves_the_first_unknown(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        change = {"blueprint_id": await made(desktop), "expected_version": 1, "name": "Others"}
        lost = []
        for fault in ({"fault": "reset_during_body"}, {"fault": "status", "status": 404}, {"fault": "empty"}):
            await vendors.sandbox.fault(**fault, vendor="kalent", method="PATCH")
            lost.append(await unknown(desktop, "update_blueprint", **change))
        told = await desktop.call("check_operation", operation_id=lost[0]["operation_id"])
    assert len({one["operation_id"] for one in lost}) == 1
    assert told["outcome"] == "unknown"


async def test_the_same_change_at_once_from_many_is_one_change(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        change = {"blueprint_id": await made(desktop), "expected_version": 1, "name": "Others"}
        keyed = [desktop.call("update_blueprint", **change, idempotency_key="k") for _ in range(20)]
        answers = await asyncio.gather(*keyed)
    assert all(one == answers[0] for one in answers)
    assert len(await vendors.writes()) == 2


async def test_steps_that_nobody_here_has_seen_are_not_replaced(vendors: Connected) -> None:
    own = "kalent:blueprint_told"
    async with vendors.app() as app:
        await told_of(app, own)
    async with vendors.client() as desktop:
        errors = [
            await desktop.refused("update_blueprint", blueprint_id=own, expected_version=1, **change)
            for change in ({"name": "Others"}, {"steps": [MAIL]})
        ]
        listed = await desktop.call("list_blueprints", provider="kalent")
    assert {error["code"] for error in errors} == {"conflict"}
    assert all("replace all of them unseen" in error["message"] for error in errors)
    assert [one["id"] for one in listed["items"]] == [own]
    assert await vendors.writes() == []


async def told_of(app: AppContext, blueprint_id: str) -> None:
    """Let the server know of a blueprint without its steps, as a start of one that was made elsewhere does."""
    local: Any = app.local
    await local.remember(blueprint_id, name="Made elsewhere", steps=[], sourcing=Sourcing())


async def test_a_vendor_takes_no_markdown_and_is_never_told_of_a_format(vendors: Connected) -> None:
    async with serving(reply(200, MADE)) as kalent:
        vendors.elsewhere["kalent"] = kalent.url
        async with vendors.client() as desktop:
            where = {"name": "Engineers", "provider": "kalent:sourcing_1"}
            refused = await desktop.refused("create_blueprint", **where, steps=[{**MAIL, "format": "markdown"}])
            await desktop.call("create_blueprint", **where, steps=[{**MAIL, "format": "text"}])
    [finding] = [one for one in refused["findings"] if one["rule"] == "vendor.format"]
    assert finding["message"].endswith("only the embedded engine sends Markdown. Leave format out.")
    [made] = kalent.seen
    assert all("format" not in step for step in made.json["steps"])


async def test_a_start_at_a_vendor_names_no_mailbox_of_ours(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        blueprint = await made(desktop)
        refused = await desktop.refused("start_sequence", blueprint_id=blueprint, contacts=[GRACE], sender="ada")
    assert (
        refused["code"] == "not_supported"
        and "Kalent sends from the accounts connected there" in refused["message"]
    )
    assert refused["next"] == "Leave sender out."


async def test_a_step_with_variants_is_not_supported_at_a_vendor_and_nothing_is_sent_there(
    vendors: Connected,
) -> None:
    texts = [{"subject": "A role"}, {"subject": "A question"}]
    compared = {**{name: value for name, value in MAIL.items() if name != "subject"}, "variants": texts}
    async with serving(reply(200, MADE)) as kalent:
        vendors.elsewhere["kalent"] = kalent.url
        async with vendors.client() as desktop:
            where = {"name": "Engineers", "steps": [MAIL], "provider": "kalent:sourcing_1"}
            own = (await desktop.call("create_blueprint", **where))["blueprint_id"]
            made_anew = await desktop.refused("create_blueprint", **{**where, "steps": [compared]})
            changed = await desktop.refused(
                "update_blueprint", blueprint_id=own, expected_version=1, steps=[compared]
            )
    for error in (made_anew, changed):
        assert error["code"] == "not_supported"
        assert "takes one text a step" in error["message"]
        assert "make a blueprint for each and start different people" in error["next"]
    assert len(kalent.seen) == 1
