"""What an attempt proves and whether another follows, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.world.texts import CHARACTERS

from sequences_mcp.vendors.outcome import (
    LONGEST_DELAY,
    ConnectionFault,
    Effect,
    Ending,
    delay_before_next,
    is_outage,
    may_have_acted,
    seconds_asked,
)

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
ENDINGS = st.one_of(
    st.builds(Ending, fault=st.sampled_from(ConnectionFault)),
    st.builds(
        Ending,
        status=st.integers(100, 599),
        retry_after=st.none() | st.floats(0, 10_000, allow_nan=False),
    ),
)
PROVES = {
    "no connection": (Ending(fault=ConnectionFault.NOT_SENT), False),
    "no whole answer": (Ending(fault=ConnectionFault.LOST), True),
    "a 2xx that cannot be read": (Ending(fault=ConnectionFault.UNREADABLE), True),
    "a 2xx too large to read": (Ending(fault=ConnectionFault.OVERSIZED), True),
    **{
        f"a {status}": (Ending(status=status), True)
        for status in (200, 202, 301, 302, 303, 408, 500, 502, 503, 504)
    },
    **{
        f"a {status}": (Ending(status=status), False)
        for status in (307, 308, 400, 401, 402, 403, 404, 405, 409, 413, 422, 425, 429)
    },
}


@pytest.mark.parametrize(("ending", "acted"), PROVES.values(), ids=PROVES.keys())
def test_an_ending_proves_that_nothing_was_done_or_leaves_it_open(ending: Ending, acted: bool) -> None:
    assert may_have_acted(ending) is acted


@settings(deadline=None)
@given(ENDINGS, st.integers(1, 5), st.floats(0, 1), st.floats(0, 1_000))
def test_a_write_without_a_key_is_never_repeated(
    ending: Ending, attempt: int, jitter: float, remaining: float
) -> None:
    delay = delay_before_next(Effect.WRITE_ONCE, ending, attempt=attempt, jitter=jitter, remaining=remaining)
    assert delay is None


@settings(deadline=None)
@given(st.sampled_from([Effect.READ, Effect.WRITE_KEYED]), ENDINGS, st.integers(1, 5), st.floats(0, 1))
def test_a_wait_is_bounded_and_no_shorter_than_what_was_asked(
    effect: Effect, ending: Ending, attempt: int, jitter: float
) -> None:
    delay = delay_before_next(effect, ending, attempt=attempt, jitter=jitter, remaining=1_000)
    if delay is not None:
        assert attempt < 3
        asked = ending.retry_after or 0.0
        assert asked <= delay <= asked + LONGEST_DELAY
        assert asked <= 60


REPEATED = [Ending(status=status) for status in (408, 425, 429, 500, 502, 503, 504)] + [
    Ending(fault=fault) for fault in (ConnectionFault.NOT_SENT, ConnectionFault.LOST, ConnectionFault.UNREADABLE)
]


@pytest.mark.parametrize("ending", REPEATED, ids=str)
def test_what_may_pass_is_tried_three_times_in_all(ending: Ending) -> None:
    delays = [
        delay_before_next(Effect.READ, ending, attempt=attempt, jitter=1.0, remaining=60) for attempt in (1, 2, 3)
    ]
    assert delays == [0.5, 1.0, None]


@pytest.mark.parametrize("status", [200, 301, 307, 400, 401, 402, 403, 404, 405, 409, 410, 413, 422, 451, 501])
def test_what_will_not_change_by_waiting_is_final(status: int) -> None:
    ending = Ending(status=status)
    assert delay_before_next(Effect.READ, ending, attempt=1, jitter=0.5, remaining=60) is None


def test_a_vendor_that_asks_for_a_minute_is_heeded_and_one_that_asks_for_more_is_left_to_the_caller() -> None:
    def delay(asked: float, remaining: float) -> float | None:
        ending = Ending(status=429, retry_after=asked)
        return delay_before_next(Effect.READ, ending, attempt=1, jitter=0.0, remaining=remaining)

    assert delay(60, 61) == 60
    assert delay(61, 1_000) is None
    assert delay(30, 20) is None


FORMS = {
    "seconds": ("120", None, 120.0),
    "zero": ("0", None, 0.0),
    "a time, by the answer's own clock": ("+30", "+0", 30.0),
    "a time, with a vendor's clock an hour fast": ("+3630", "+3600", 30.0),
    "a time, with a vendor's clock an hour slow": ("-3570", "-3600", 30.0),
    "a time without a Date": ("+45", None, 45.0),
    "a time that is past": ("-10", None, 0.0),
    "nothing": (None, None, None),
    "an empty text": ("", None, None),
    "words": ("soon", None, None),
    "a negative number": ("-5 ", "x", None),
    "a fraction": ("1.5", None, None),
    "digits of another script": ("١٢", None, None),
}


def as_header(text: str | None) -> str | None:
    if text and text[0] in "+-" and text[1:].isdigit():
        return format_datetime(NOW + timedelta(seconds=int(text)), usegmt=True)
    return text


@pytest.mark.parametrize(("asked", "date", "seconds"), FORMS.values(), ids=FORMS.keys())
def test_retry_after_is_read_in_both_forms(asked: str | None, date: str | None, seconds: float | None) -> None:
    assert seconds_asked(as_header(asked), date=as_header(date), now=NOW) == seconds


@settings(deadline=None)
@given(st.none() | st.text(CHARACTERS, max_size=40), st.none() | st.text(CHARACTERS, max_size=40))
def test_a_header_of_any_kind_is_survived(asked: str | None, date: str | None) -> None:
    seconds = seconds_asked(asked, date=date, now=NOW)
    assert seconds is None or seconds >= 0


@settings(deadline=None)
@given(st.integers(400, 499))
def test_no_4xx_speaks_for_an_outage(status: int) -> None:
    assert not is_outage(Ending(status=status))
