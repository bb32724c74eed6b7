"""A text message keeps 8:00 to 21:00 on the clock of whoever gets it, whatever the sending window is."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from tests.world.engine import EMAIL, MESSAGE, EngineWorld

from sequences_mcp.domain.blueprint import Channel, Step
from sequences_mcp.domain.run import StepState
from sequences_mcp.engine.calendar import CALLING_HOURS, next_open
from sequences_mcp.engine.machine import OUTSIDE_CALLING_HOURS


def text_by(channel: Channel) -> Step:
    return MESSAGE.model_copy(update={"type": channel, "linked_in_type": None})


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.WHATSAPP])
@pytest.mark.parametrize(
    ("local", "opens"),
    [
        ("2026-11-23T07:59", "2026-11-23T08:00"),
        ("2026-11-23T08:00", None),
        ("2026-11-29T20:59", None),  # a Sunday: the hours are of every day
        ("2026-11-23T21:00", "2026-11-24T08:00"),
        ("2026-03-08T01:59", "2026-03-08T08:00"),  # the night in which an hour is lost
        ("2026-03-07T21:00", "2026-03-08T08:00"),
        ("2026-03-08T20:59", None),
        ("2026-11-01T07:59", "2026-11-01T08:00"),  # the night in which one is won
        ("2026-10-31T21:00", "2026-11-01T08:00"),
    ],
)
async def test_a_text_waits_for_the_hours_at_the_persons_place(
    world: EngineWorld, channel: Channel, local: str, opens: str | None
) -> None:
    zone = ZoneInfo("America/New_York")
    office = world.under(window="Mon-Fri 00:00-24:00")
    office.clock.now = datetime.fromisoformat(local).replace(tzinfo=zone).astimezone(UTC)
    person = await office.contact(phone="+12125550123", time_zone=str(zone))
    await office.approved(person, blueprint=await office.blueprint(text_by(channel)))

    office.worker().run_due()

    (detail,) = await office.details()
    (run,) = detail.sequence.steps
    if opens is None:
        assert run.state is StepState.OPEN
        return
    assert run.state is StepState.HELD
    assert run.reason == OUTSIDE_CALLING_HOURS
    assert run.until == datetime.fromisoformat(opens).replace(tzinfo=zone)
    office.clock.now = run.until
    office.worker().run_due()
    (detail,) = await office.details()
    assert detail.sequence.steps[0].state is StepState.OPEN


async def test_a_linkedin_message_and_an_email_keep_no_calling_hours(world: EngineWorld) -> None:
    world.clock.now = datetime(2026, 11, 23, 3, tzinfo=UTC)
    person = await world.contact("p@example.org", linkedin_url="https://linkedin.com/in/p")
    other = await world.contact("q@example.org")
    await world.approved(person, blueprint=await world.blueprint(MESSAGE))
    await world.approved(other, blueprint=await world.blueprint(EMAIL))
    world.worker().run_due()
    assert {run.steps[0].state for run in await world.runs()} == {StepState.OPEN, StepState.SENT}


def test_somebody_whose_zone_is_one_of_several_is_texted_when_all_of_them_are_awake() -> None:
    coasts = "America/New_York,America/Los_Angeles"
    early = datetime(2026, 11, 23, 14, tzinfo=UTC)  # 9:00 in New York, 6:00 in Los Angeles
    assert next_open(CALLING_HOURS, coasts, early) == datetime(2026, 11, 23, 16, tzinfo=UTC)
    late = datetime(2026, 11, 24, 2, tzinfo=UTC)  # 21:00 in New York, 18:00 in Los Angeles
    assert next_open(CALLING_HOURS, coasts, late) == datetime(2026, 11, 24, 16, tzinfo=UTC)
