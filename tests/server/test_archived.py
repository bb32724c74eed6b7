"""An archived blueprint is not listed and not started; its runs go on, and it can be taken back."""

from __future__ import annotations

import pytest
from tests.world.product import MAIL, Bureau, people
from tests.world.vendors import Connected

from sequences_mcp.domain.actors import Actor
from sequences_mcp.errors import ConflictError
from sequences_mcp.services.reviews import approve_plan


async def test_an_archived_blueprint_is_not_listed_unless_that_is_asked_for(bureau: Bureau) -> None:
    async with bureau.client() as desktop:
        away, stays = await desktop.blueprint(), await desktop.blueprint()
        said = await desktop.call("update_blueprint", blueprint_id=away, expected_version=1, archived=True)
        assert said["version"] == 1 and "archived: false takes it back" in said["next"]
        assert [row["id"] for row in (await desktop.call("list_blueprints"))["items"]] == [stays]
        listed = await desktop.call("list_blueprints", archived=True)
        assert ([row["id"] for row in listed["items"]], listed["total_count"]) == ([away], 1)
        assert "It is archived" in (await desktop.call("get_blueprint", blueprint_id=away))["note"]
        looked = await desktop.call("preview_sequence", blueprint_id=away, contacts=people(1))
        assert "It is archived" in looked["note"]
        back = await desktop.call("update_blueprint", blueprint_id=away, expected_version=1, archived=False)
        assert "start_sequence" in back["next"]
        assert (await desktop.call("list_blueprints"))["total_count"] == 2


async def test_archiving_goes_with_a_change_and_with_the_version_that_was_seen(bureau: Bureau) -> None:
    async with bureau.client() as desktop:
        made = await desktop.blueprint()
        said = await desktop.call(
            "update_blueprint", blueprint_id=made, expected_version=1, name="Over", archived=True
        )
        assert said["version"] == 2 and "It is archived" in said["next"]
        stale = await desktop.refused("update_blueprint", blueprint_id=made, expected_version=1, archived=False)
        assert stale["code"] == "stale_version" and stale["next"].startswith("Look at the difference")
        unheard_of = await desktop.refused(
            "update_blueprint", blueprint_id=made, expected_version=9, archived=False
        )
        assert unheard_of["next"].startswith("get_blueprint shows it")
        kept = await desktop.call("update_blueprint", blueprint_id=made, expected_version=2, name="Still over")
        assert kept["version"] == 3 and "It is archived" in kept["next"]


async def test_nobody_can_be_started_in_it_and_what_was_started_goes_on(bureau: Bureau) -> None:
    async with bureau.client() as desktop:
        made = await desktop.blueprint()
        plan = await desktop.call("start_sequence", blueprint_id=made, contacts=people(1))
        waiting = await desktop.call(
            "start_sequence", blueprint_id=made, contacts=[{**people(1)[0], "email": "b@hopper.example"}]
        )
        async with bureau.app() as app:
            await approve_plan(app, plan_id=plan["plan_id"], digest=plan["digest"], actor=Actor("ada"))
        await desktop.call("update_blueprint", blueprint_id=made, expected_version=1, archived=True)
        refused = await desktop.refused("start_sequence", blueprint_id=made, contacts=people(3)[2:])
        assert refused["code"] == "conflict" and "archived" in refused["message"]
        assert (await desktop.refused("retry_failed", blueprint_id=made))["code"] == "conflict"
        async with bureau.app() as app:
            with pytest.raises(ConflictError, match="archived"):
                await approve_plan(app, plan_id=waiting["plan_id"], digest=waiting["digest"], actor=Actor("ada"))
        bureau.work()
        assert [str(mail["To"]) for mail in bureau.outbox] == ["person0@hopper.example"]
        await desktop.call("update_blueprint", blueprint_id=made, expected_version=1, archived=False)
        async with bureau.app() as app:
            await approve_plan(app, plan_id=waiting["plan_id"], digest=waiting["digest"], actor=Actor("ada"))


async def test_a_format_is_that_of_the_emails_that_say_none(bureau: Bureau) -> None:
    steps = [
        MAIL,
        {**MAIL, "id": "b", "format": "text", "temporalityType": "DELAYED", "delay": {"value": 1, "unit": "day"}},
    ]
    async with bureau.client() as desktop:
        made = await desktop.call("create_blueprint", name="A", steps=steps, format="markdown")
        shown = await desktop.call("get_blueprint", blueprint_id=made["blueprint_id"])
        assert [step.get("format") for step in shown["steps"]] == ["markdown", None]
        facts = {"blueprint_id": made["blueprint_id"], "expected_version": 1}
        await desktop.call("update_blueprint", **facts, format="text")
        shown = await desktop.call("get_blueprint", blueprint_id=made["blueprint_id"])
        assert shown["version"] == 2 and [step.get("format") for step in shown["steps"]] == [None, None]


async def test_a_vendors_blueprint_is_archived_in_its_own_app(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        listed = await desktop.call("list_blueprints", provider="topo")
        refused = await desktop.refused(
            "update_blueprint", blueprint_id=listed["items"][0]["id"], expected_version=1, archived=True
        )
        assert refused["code"] == "not_supported" and "own app" in refused["next"]
        assert (await desktop.refused("list_blueprints", provider="topo", archived=True))[
            "code"
        ] == "not_supported"
