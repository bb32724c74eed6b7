"""The pause after each e-mail is seeded by its text's key; a new mailbox sends more each day; days are counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sequences_mcp.domain.pacing import MailThrottle, day_of, duration_words

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
NEW = MailThrottle(daily_cap=50, spacing=30, ramp_up=10)
OLD = MailThrottle(daily_cap=50, spacing=30)


def test_a_pause_is_the_spacing_and_up_to_half_as_much_again_and_the_same_for_the_same_key() -> None:
    pauses = [OLD.pause_after(f"key {number}").total_seconds() for number in range(500)]
    assert all(30 <= pause <= 45 for pause in pauses)
    assert len(set(pauses)) > 10
    assert 36 < sum(pauses) / len(pauses) < 39
    assert pauses == [OLD.pause_after(f"key {number}").total_seconds() for number in range(500)]


def test_without_a_spacing_there_is_no_pause_for_anybody() -> None:
    none = MailThrottle(daily_cap=50, spacing=0)
    assert none.pause_after("a") == none.company_pause == timedelta(0)
    assert none.words == "50 in 24 hours, 0 s apart"


@pytest.mark.parametrize(
    ("hours", "cap"), [(-5, 10), (0, 10), (23.9, 10), (24, 20), (95, 40), (96, 50), (9_000, 50)]
)
def test_a_new_mailbox_may_send_more_on_each_day_up_to_its_cap(hours: float, cap: int) -> None:
    assert NEW.cap_at(START + timedelta(hours=hours), first=START) == cap
    assert OLD.cap_at(START + timedelta(hours=hours), first=START) == 50


def test_a_mailbox_that_never_sent_is_on_its_first_day() -> None:
    assert NEW.cap_at(START, first=None) == 10
    assert day_of(START, first=None) == 0
    assert NEW.rises_at(START, first=None) is None


def test_it_is_known_when_a_new_mailbox_may_send_more() -> None:
    assert NEW.rises_at(START + timedelta(hours=30), first=START) == START + timedelta(hours=48)
    assert NEW.rises_at(START + timedelta(days=4), first=START) is None
    assert OLD.rises_at(START, first=START) is None


@pytest.mark.parametrize(
    ("mails", "day", "days"),
    [(0, 0, 0), (1, 0, 1), (10, 0, 1), (11, 0, 2), (30, 0, 2), (31, 0, 3), (150, 0, 5), (151, 0, 6), (51, 4, 2)],
)
def test_the_days_of_a_plan_are_counted_as_the_mailbox_grows(mails: int, day: int, days: int) -> None:
    assert NEW.days_for(mails, day=day) == days


@pytest.mark.parametrize(("mails", "days"), [(0, 0), (50, 1), (51, 2), (10_000, 200)])
def test_the_days_of_a_plan_are_counted_by_the_cap(mails: int, days: int) -> None:
    assert OLD.days_for(mails) == days


def test_the_limits_are_told_in_words() -> None:
    assert OLD.words == "50 in 24 hours, 30 to 45 s apart, people of one company 5 min"
    grows = "50 in 24 hours, 10 more a day while the mailbox is new, 30 to 45 s apart"
    assert NEW.words == f"{grows}, people of one company 5 min"
    assert MailThrottle(daily_cap=1, spacing=1).words == "1 in 24 hours, 1 s apart, people of one company 10 s"
    assert [duration_words(timedelta(seconds=seconds)) for seconds in (119, 120, 7200)] == [
        "119 s",
        "2 min",
        "2 h",
    ]
