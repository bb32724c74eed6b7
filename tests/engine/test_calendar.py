"""When e-mails may leave, on clocks that change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sequences_mcp.engine.calendar import Window, next_open
from sequences_mcp.errors import InvalidArgumentsError, SettingsError

OFFICE = Window.parse("Mon-Fri 08:00-19:00")


def at(text: str) -> datetime:
    """Return the instant of ``2026-11-21T09:00 Europe/Paris`` (``fold`` by a trailing ``*``)."""
    clock, zone = text.rstrip("*").split()
    return datetime.fromisoformat(clock).replace(tzinfo=ZoneInfo(zone), fold=int(text.endswith("*")))


@pytest.mark.parametrize(
    ("text", "days", "start", "end"),
    [
        ("Mon-Fri 08:00-19:00", {0, 1, 2, 3, 4}, 480, 1140),
        ("Mon-Sun 00:00-24:00", set(range(7)), 0, 1440),
        (" Mon,Wed 09:30-12:00 ", {0, 2}, 570, 720),
        ("Mon,Wed,Fri-Sun 08:00-09:00", {0, 2, 4, 5, 6}, 480, 540),
        ("Sat-Mon 08:00-09:00", {5, 6, 0}, 480, 540),
    ],
)
def test_a_window_is_read_from_days_and_hours(text: str, days: set[int], start: int, end: int) -> None:
    assert Window.parse(text) == Window(frozenset(days), start, end)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not days, a space, and hours"),
        ("Mon-Fri", "not days, a space, and hours"),
        ("Mon-Fri 8-19", "not days, a space, and hours"),
        ("Mon-Fri 08:00-19:00 Sat 08:00-12:00", "not days, a space, and hours"),
        ("Mon-Fry 08:00-19:00", "'Mon-Fry' is not a weekday"),
        ("mon 08:00-19:00", "'mon' is not a weekday"),
        ("Mon, 08:00-19:00", "'' is not a weekday"),
        ("Mon 08:60-19:00", "08:60 is not a time of day"),
        ("Mon 08:00-24:01", "24:01 is not a time of day"),
        ("Mon 19:00-08:00", "it ends before it begins"),
        ("Mon 08:00-08:00", "it ends before it begins"),
    ],
)
def test_a_text_that_is_no_window_is_refused_with_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why) as caught:
        Window.parse(text)
    assert "Mon-Fri 08:00-19:00" in caught.value.next_step


CASES = {
    "open": ("2026-11-23T09:00 Europe/Paris", None),
    "at the opening minute": ("2026-11-23T08:00 Europe/Paris", None),
    "a second before": ("2026-11-23T07:59:59 Europe/Paris", "2026-11-23T08:00 Europe/Paris"),
    "at the closing minute": ("2026-11-23T19:00 Europe/Paris", "2026-11-24T08:00 Europe/Paris"),
    "Friday evening": ("2026-11-20T21:00 Europe/Paris", "2026-11-23T08:00 Europe/Paris"),
    "Saturday": ("2026-11-21T12:00 Europe/Paris", "2026-11-23T08:00 Europe/Paris"),
    "still Sunday there": ("2026-11-22T20:00 America/Los_Angeles", "2026-11-23T08:00 America/Los_Angeles"),
    "over the spring change": ("2026-03-27T20:00 Europe/Paris", "2026-03-30T08:00 Europe/Paris"),
    "over the autumn change": ("2026-10-23T20:00 Europe/Paris", "2026-10-26T08:00 Europe/Paris"),
    "half an hour's offset": ("2026-11-23T07:00 Asia/Kolkata", "2026-11-23T08:00 Asia/Kolkata"),
}


@pytest.mark.parametrize(("now", "opens"), CASES.values(), ids=CASES.keys())
def test_office_hours_are_on_the_contacts_clock(now: str, opens: str | None) -> None:
    assert next_open(OFFICE, now.split()[1], at(now)) == (opens and at(opens))


# Windows in the small hours, where clocks change: (window, now, opens).
CHANGES = {
    "the opening hour is skipped: open at the change": (
        "Mon-Sun 02:30-05:00",
        "2026-03-29T01:00 Europe/Paris",
        "2026-03-29T03:00 Europe/Paris",
    ),
    "the whole window is skipped: the day after": (
        "Mon-Sun 02:00-03:00",
        "2026-03-29T01:00 Europe/Paris",
        "2026-03-30T02:00 Europe/Paris",
    ),
    "a weekly window is skipped: the week after": (
        "Sun 02:00-03:00",
        "2026-03-28T01:00 Europe/Paris",
        "2026-04-05T02:00 Europe/Paris",
    ),
    "midnight is skipped": (
        "Mon-Sun 00:00-04:00",
        "2024-09-07T23:00 America/Santiago",
        "2024-09-08T01:00 America/Santiago",
    ),
    "the opening hour comes twice: the first": (
        "Mon-Sun 02:30-05:00",
        "2026-10-25T02:10 Europe/Paris",
        "2026-10-25T02:30 Europe/Paris",
    ),
    "the opening hour comes twice: the second": (
        "Mon-Sun 02:30-05:00",
        "2026-10-25T02:10 Europe/Paris*",
        "2026-10-25T02:30 Europe/Paris*",
    ),
    "the clock falls back into the window": (
        "Mon-Sun 02:00-02:30",
        "2026-10-25T02:40 Europe/Paris",
        "2026-10-25T02:00 Europe/Paris*",
    ),
}


@pytest.mark.parametrize(("window", "now", "opens"), CHANGES.values(), ids=CHANGES.keys())
def test_a_window_opens_at_the_first_open_minute_through_every_clock_change(
    window: str, now: str, opens: str
) -> None:
    assert next_open(Window.parse(window), now.rstrip("*").split()[1], at(now)) == at(opens).astimezone(UTC)


def test_several_zones_are_open_when_all_of_them_are() -> None:
    coasts = "America/New_York,America/Los_Angeles"
    opens = next_open(OFFICE, coasts, at("2026-11-23T09:00 America/New_York"))
    assert opens == at("2026-11-23T08:00 America/Los_Angeles")
    assert next_open(OFFICE, coasts, at("2026-11-23T15:00 America/New_York")) is None
    assert next_open(OFFICE, coasts, at("2026-11-23T19:00 America/New_York")) == at(
        "2026-11-24T08:00 America/Los_Angeles"
    )


def test_zones_that_are_never_open_together_are_refused_with_a_way_out() -> None:
    with pytest.raises(InvalidArgumentsError, match="never open in all of Asia/Tokyo, America/New_York") as caught:
        next_open(
            Window.parse("Mon-Fri 09:00-17:00"), "Asia/Tokyo,America/New_York", at("2026-11-23T09:00 Asia/Tokyo")
        )
    assert "save_contacts" in caught.value.next_step


ZONES = st.sampled_from(
    ["Europe/Paris", "America/Santiago", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo"]
)
MINUTE = timedelta(minutes=1)


@example(zone="Europe/Paris", now=datetime(2026, 3, 23, tzinfo=UTC), days={6}, hours=[0, 181])
@given(
    zone=ZONES,
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
    days=st.sets(st.integers(0, 6), min_size=1),
    hours=st.lists(st.integers(0, 1440), min_size=2, max_size=2, unique=True).map(sorted),
)
@settings(max_examples=300, deadline=None)
def test_the_answer_is_open_and_nothing_before_it_is(
    zone: str, now: datetime, days: set[int], hours: list[int]
) -> None:
    window, clock = Window(frozenset(days), *hours), ZoneInfo(zone)
    opens = next_open(window, zone, now)
    if opens is None:
        assert window.is_open(now.astimezone(clock))
        return
    assert opens > now
    assert window.is_open(opens.astimezone(clock))
    assert not window.is_open((opens - timedelta(microseconds=1)).astimezone(clock))
    step = max(MINUTE * (hours[1] - hours[0]) / 2, MINUTE)
    for steps in range(int((opens - now) / step)):
        assert not window.is_open((now + step * steps).astimezone(clock))
