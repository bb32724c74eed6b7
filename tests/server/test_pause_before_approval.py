"""Somebody of a start that waits for a yes is paused: after the yes nothing leaves until the pause is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from mcp.types import ElicitResult
from tests.world.data_folder import NOON
from tests.world.kept_starts import asked_for
from tests.world.product import GRACE, LINUS, MAIL, World, yes
from tests.world.vendors import Connected, enrolled
from tests.world.vendors import approve as yes_there

from sequences_mcp.domain.actors import Actor
from sequences_mcp.services.enrolment import enrol_at_vendor
from sequences_mcp.services.reviews import approve_plan
from sequences_mcp.services.sequences import resume_sequence

UNTIL = NOON + timedelta(days=3)


async def test_who_was_paused_before_the_yes_starts_paused_and_the_others_start(world: World) -> None:
    async with world.client("auto") as desktop:
        asked = await desktop.call(
            "start_sequence", blueprint_id=await desktop.blueprint(MAIL), contacts=[GRACE, LINUS]
        )
        run = asked["sample"]["sequence_id"]
        paused = await desktop.call("pause_sequence", sequence_id=run, paused_until=UNTIL.isoformat())
        seen = await desktop.call("get_sequence", sequence_id=run)
        async with world.app() as app:
            plan = await app.plans.get_plan(asked["plan_id"])
            await approve_plan(app, plan_id=plan.id, digest=asked["digest"], actor=Actor("ada"))
        rows = {one["id"]: one for one in (await desktop.call("list_sequences"))["items"]}
        other = next(one for own, one in rows.items() if own != run)
        resumed = await desktop.call("resume_sequence", sequence_id=run)
    assert (paused["status"], paused["paused_until"], paused["sent"]) == ("FOUND", UNTIL.isoformat(), "nothing")
    assert "still waits for a person's approval" in paused["next"]
    assert "paused: after the approval nothing leaves before 2026-11-26 12:00" in seen["why"]
    assert plan.digest == asked["digest"]
    assert (rows[run]["status"], other["status"]) == ("WAITING_FOR_LEAD", "ACTIVE")
    assert rows[run]["why"].startswith("paused until 2026-11-26 12:00")
    assert resumed["status"] == "ACTIVE"


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_the_dialog_shows_who_is_paused_and_a_pause_taken_away_while_it_is_open_is_noticed(
    world: World, era: str
) -> None:
    asked: list[str] = []

    async def answer(message: str) -> ElicitResult:
        asked.append(message)
        if len(asked) == 1:
            return ElicitResult(action="cancel")
        if len(asked) == 2:
            async with world.app() as app:
                await resume_sequence(app, sequence_id=run)
        return yes(message)

    async with world.client(era, answer) as desktop:
        start = {"blueprint_id": await desktop.blueprint(MAIL), "contacts": [GRACE, LINUS]}
        first = await desktop.call("start_sequence", **start)
        run = first["sample"]["sequence_id"]
        await desktop.call("pause_sequence", sequence_id=run, paused_until=UNTIL.isoformat())
        late = await desktop.refused("start_sequence", **start)
        approved = await desktop.call("start_sequence", **start)
    told = "Paused: once approved, nothing is sent before 2026-11-26 12:00 UTC, unless the pause is ended."
    assert [message.count("Paused") for message in asked] == [0, 1, 0]
    assert f"{told}\n" in asked[1] and "about Thu 2026-11-26 12:00 UTC" in asked[1]
    assert "have been paused or resumed" in late["message"]
    assert approved["approval"] == "given"


async def test_resuming_before_the_yes_takes_the_pause_away_and_sends_nothing(world: World) -> None:
    async with world.client("auto") as desktop:
        asked = await desktop.call("start_sequence", blueprint_id=await desktop.blueprint(MAIL), contacts=[GRACE])
        run = asked["sample"]["sequence_id"]
        await desktop.call("pause_sequence", sequence_id=run, paused_until=UNTIL.isoformat())
        resumed = await desktop.call("resume_sequence", sequence_id=run)
        again = await desktop.refused("resume_sequence", sequence_id=run)
    assert (resumed["status"], "paused_until" in resumed) == ("FOUND", False)
    assert "waits for a person's approval of its plan" in resumed["next"]
    assert again["code"] == "conflict" and "resume_sequence" not in again["next"]


async def test_a_paused_person_does_not_keep_a_plan_from_shrinking_or_being_withdrawn(world: World) -> None:
    async with world.client("auto") as desktop:
        asked = await desktop.call(
            "start_sequence", blueprint_id=await desktop.blueprint(MAIL), contacts=[GRACE, LINUS]
        )
        run = asked["sample"]["sequence_id"]
        await desktop.call("pause_sequence", sequence_id=run, paused_until=UNTIL.isoformat())
        await desktop.call("stop_sequence", sequence_id=run, reason="LOSE")
        async with world.app() as app:
            plan = await app.plans.get_plan(asked["plan_id"])
        other = next(
            one["id"] for one in (await desktop.call("list_sequences"))["items"] if one["status"] == "FOUND"
        )
        await desktop.call("pause_sequence", sequence_id=other, paused_until=UNTIL.isoformat())
        await desktop.call("withdraw_plan", plan_id=asked["plan_id"], reason="not now")
        seen = await desktop.call("get_sequence", sequence_id=other)
    assert plan.people == 1
    assert (seen["status"], "paused_until" in seen) == ("REFUSED", False)


async def test_who_is_paused_is_not_handed_over_to_a_vendor_before_the_pause_is_over(vendors: Connected) -> None:
    _, asked = await asked_for(vendors, "clarky")
    async with vendors.client() as desktop:
        run = asked["sample"]["sequence_id"]
        until = vendors.clock() + timedelta(hours=2)
        await desktop.call("pause_sequence", sequence_id=run, paused_until=until.isoformat())
        await yes_there(vendors, asked)
        first = await enrolled(vendors, "clarky")
        seen = await desktop.call("get_sequence", sequence_id=run)
        vendors.clock.now += timedelta(hours=3)
        async with vendors.app() as app:
            await enrol_at_vendor(app, plan_id=asked["plan_id"])
        later = await enrolled(vendors, "clarky")
    assert (len(first), len(later)) == (1, 2)
    assert seen["status"] == "FOUND"
