"""When each step is expected, in the contact's own time, through changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.world.product import GRACE, LINKEDIN, LINUS, MAIL, Bureau, yes

INVITATION = {
    "id": "invite",
    "name": "Invite",
    "type": "LINKEDIN",
    "linkedInType": "LINKEDIN_INVITATION",
    "content": "",
    "temporalityType": "ASAP",
}
SETTLED = {
    **LINKEDIN,
    "id": "settled",
    "temporalityType": "AFTER_INVITATION_SETTLED",
    "delay": None,
}


def after(value: int, unit: str, **more: Any) -> dict[str, Any]:
    """Return an e-mail some time after the step before."""
    return {
        **MAIL,
        "id": f"{value}{unit}",
        "temporalityType": "DELAYED",
        "delay": {"value": value, "unit": unit},
    } | more


async def times(bureau: Bureau, *steps: dict[str, Any], **facts: str) -> list[tuple[str, bool]]:
    """Return the expected local time of each step and whether it waits for the window."""
    clean = [{key: value for key, value in step.items() if value is not None} for step in steps]
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(*clean)
        shown = await desktop.call("preview_sequence", blueprint_id=blueprint, contacts=[{**GRACE, **facts}])
    return [(step["at"], step.get("waits_for_window", False)) for step in shown["people"][0]["steps"]]


@pytest.mark.parametrize(
    ("now", "zone", "wanted"),
    [
        ("2026-03-28T11:00", "Europe/Paris", ["Sat 2026-03-28 12:00", "Sun 2026-03-29 13:00"]),  # an hour is lost
        ("2026-10-24T10:00", "Europe/Paris", ["Sat 2026-10-24 12:00", "Sun 2026-10-25 11:00"]),  # an hour is won
        ("2026-11-01T04:30", "America/New_York", ["Sun 2026-11-01 00:30", "Sun 2026-11-01 23:30"]),
        ("2026-11-23T12:00", "Asia/Kathmandu", ["Mon 2026-11-23 17:45", "Tue 2026-11-24 17:45"]),
    ],
)
async def test_a_day_is_twenty_four_hours_whatever_the_clock_does(
    bureau: Bureau, now: str, zone: str, wanted: list[str]
) -> None:
    bureau.clock.now = datetime.fromisoformat(now).replace(tzinfo=UTC)
    found = await times(bureau, MAIL, after(1, "day"), time_zone=zone)
    assert found == [(f"{at} {zone}", False) for at in wanted]


async def test_what_is_due_at_night_waits_for_the_window_and_the_next_step_counts_from_there(
    bureau: Bureau,
) -> None:
    office = bureau.having(WINDOW="Mon-Fri 08:00-19:00")
    office.clock.now = datetime(2026, 3, 27, 21, 0, tzinfo=UTC)  # Friday night in Paris, before the change
    found = await times(office, MAIL, after(30, "minute"), after(11, "day"), time_zone="Europe/Paris")
    assert found == [
        ("Mon 2026-03-30 08:00 Europe/Paris", True),
        ("Mon 2026-03-30 08:30 Europe/Paris", False),
        ("Fri 2026-04-10 08:30 Europe/Paris", False),
    ]


@pytest.mark.parametrize(("days", "at"), [(None, "Mon 2026-12-07 12:00"), (3, "Thu 2026-11-26 12:00")])
async def test_an_invitation_counts_as_settled_at_its_limit(bureau: Bureau, days: int | None, at: str) -> None:
    policy = {"policy": {"inviteTimeoutDays": days}} if days else {}
    found = await times(bureau, {**INVITATION, **policy}, SETTLED)
    assert found[1] == (f"{at} UTC", False)


async def test_the_preview_and_the_start_keep_what_they_promise(bureau: Bureau) -> None:
    office = bureau.having(WINDOW="Mon-Fri 08:00-19:00")
    office.clock.now = datetime(2026, 10, 24, 10, 0, tzinfo=UTC)  # a Saturday; the clocks change on Sunday
    paris = {**GRACE, "time_zone": "Europe/Paris"}
    found = await times(office, MAIL, time_zone="Europe/Paris")
    assert found == [("Mon 2026-10-26 08:00 Europe/Paris", True)]
    async with office.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL)
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[paris])
        office.work()
        [run] = (await desktop.call("list_sequences"))["items"]
        assert (run["next_at"], run["why"]) == (
            "2026-10-26T07:00:00+00:00",
            "step 1 of 1 (EMAIL) is held: outside the sending window",
        )
    office.clock.now = datetime(2026, 10, 26, 6, 59, tzinfo=UTC)
    office.work()
    assert office.outbox == []
    office.forward(minutes=1)
    office.work()
    assert len(office.outbox) == 1


async def test_someone_for_whom_the_window_never_opens_is_left_out_and_stops_nobody(bureau: Bureau) -> None:
    narrow = bureau.having(WINDOW="Mon-Fri 09:00-10:00")
    somewhere = {**LINUS, "country": "US"}  # from New York to Honolulu
    async with narrow.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL)
        shown = await desktop.call("preview_sequence", blueprint_id=blueprint, contacts=[GRACE, somewhere])
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE, somewhere])
    assert [one.get("left_out") is None for one in shown["people"]] == [True, False]
    assert (started["people"], [one["name"] for one in started["left_out"]]) == (1, ["Linus Torvalds"])
    assert "never open in all of America/New_York" in started["left_out"][0]["reasons"][0]


async def test_a_text_is_expected_within_the_calling_hours_whatever_the_window(bureau: Bureau) -> None:
    bureau.clock.now = datetime(2026, 11, 23, 21, 30, tzinfo=UTC)
    text = {"id": "sms", "name": "Text", "type": "SMS", "content": "Hi, a word?", "temporalityType": "ASAP"}
    found = await times(bureau, text, phone="+33612345678", time_zone="Europe/Paris")
    assert found == [("Tue 2026-11-24 08:00 Europe/Paris", True)]
