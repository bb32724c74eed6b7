"""Whoever pauses for long, or asks after a plan that nobody approved, is told what then really happens."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.world.data_folder import NOON
from tests.world.product import GRACE, LINKEDIN, MAIL, World, yes

LATER = {**MAIL, "id": "later", "temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}


@pytest.mark.parametrize(("days", "is_told"), [(0.5, False), (13, True)])
async def test_a_pause_that_makes_a_text_late_says_that_it_is_approved_again(
    world: World, days: float, is_told: bool
) -> None:
    async with world.client(answer=yes) as desktop:
        blueprint = await desktop.blueprint(MAIL, LATER)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
        world.work()
        run = started["sample"]["sequence_id"]
        until = (NOON + timedelta(days=days)).isoformat()
        paused = await desktop.call("pause_sequence", sequence_id=run, paused_until=until)
        assert ("approves it again" in paused["next"]) is is_told
        for _ in range(60):
            world.forward(hours=12)
            world.work()
        seen = await desktop.call("get_sequence", sequence_id=run)
    assert (seen["steps"][1]["state"] == "held") is is_told
    assert ("approve again" in seen["why"]) is is_told


@pytest.mark.parametrize("hours", [23, 24])
async def test_a_run_whose_plan_nobody_approved_in_time_does_not_say_that_it_waits(
    world: World, era: str, hours: int
) -> None:
    async with world.client(era) as desktop:
        blueprint = await desktop.blueprint(MAIL, LINKEDIN)
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
        world.forward(hours=hours)
        [listed] = (await desktop.call("list_sequences"))["items"]
        seen = await desktop.call("get_sequence", sequence_id=listed["id"])
    assert listed["why"] == seen["why"]
    expected = "waits for a person's approval of its plan" if hours < 24 else "nobody approved its plan in time"
    assert expected in listed["why"]
