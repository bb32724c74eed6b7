"""The bucket keeps every window under the limit; the breaker says no at once and finds out when to say yes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.vendors.vendor_calls import LATER, NOW, RUN, TASK, FakeClock, answered, fixture, topo_id, transport
from tests.world.fake_vendor import Act, FakeVendor, Line, reply, serving

from sequences_mcp.domain.run import StopReason, StopScope
from sequences_mcp.errors import NotFoundError, ProviderError, ProviderUnavailableError, RateLimitedError
from sequences_mcp.ports.vendor import ANSWER_SOON, gather_limited
from sequences_mcp.vendors import pacing
from sequences_mcp.vendors.clarky.client import ClarkyClient
from sequences_mcp.vendors.clarky.wire import CLARKY
from sequences_mcp.vendors.pacing import Breaker, reset_in
from sequences_mcp.vendors.topo.client import TopoClient
from sequences_mcp.vendors.topo.wire import TOPO


@settings(deadline=None)
@given(st.integers(4, 300), st.lists(st.floats(0, 5), min_size=1, max_size=400))
def test_no_window_of_a_minute_sees_more_than_the_limit(limit: int, pauses: list[float]) -> None:
    now, left = 0.0, pacing.full_bucket(limit, 0.0)
    times: list[float] = []
    for pause in pauses:
        now += pause
        left, wait = pacing.take_token(left, now)
        times.append(now + wait)
    times.sort()
    assert all(
        sum(start <= at < start + 59.999 for at in times) <= limit for start in times[:: len(times) // 20 + 1]
    )


def test_a_bucket_without_a_published_limit_lets_everything_out() -> None:
    left = pacing.full_bucket(None, 0.0)
    assert all(pacing.take_token(left, 0.0)[1] == 0 for _ in range(1_000))


def test_what_a_vendor_counts_counts() -> None:
    told = pacing.bucket_updated(pacing.full_bucket(60, 0.0), 0.0, remaining=0, reset_in=12.0)
    assert pacing.take_token(told, 0.0)[1] == 12.0
    assert pacing.take_token(told, 12.0)[1] == 0.0
    assert pacing.bucket_updated(told, 0.0, remaining=None, reset_in=None) == told


RESETS = {
    "seconds from now": ({"x-ratelimit-reset": "30"}, 30),
    "a Unix time by the vendor's own clock, an hour fast": (
        {"x-ratelimit-reset": "1795258825", "date": "Sat, 21 Nov 2026 11:00:00 GMT"},
        25,
    ),
    "a Unix time by ours": ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 40)}, 40),
    "words": ({"x-ratelimit-reset": "soon"}, None),
    "nothing": ({}, None),
}


@pytest.mark.parametrize(("headers", "seconds"), RESETS.values(), ids=RESETS.keys())
def test_a_reset_is_read_in_both_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert reset_in(headers, NOW) == seconds


async def test_clarky_is_asked_no_faster_than_it_publishes() -> None:
    clock = FakeClock()
    async with serving(answered("clarky", "get_contact")) as vendor:
        client = ClarkyClient(to := transport(CLARKY, vendor.url, clock=clock))
        for _ in range(31):
            await client.get_contact("clarky:c_1")
        await to.aclose()
    assert len(clock.slept) == 1
    assert clock.slept[0] == pytest.approx(60 / 90)


async def test_a_limit_that_is_used_up_for_longer_than_a_call_may_take_is_returned_with_its_wait() -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "3600"}
    async with serving(reply(200, {"data": {"id": "c_1"}}, headers=headers)) as vendor:
        client = ClarkyClient(to := transport(CLARKY, vendor.url))
        await client.get_contact("clarky:c_1")
        with pytest.raises(RateLimitedError) as caught:
            await client.get_contact("clarky:c_1")
        await to.aclose()
        assert len(vendor.seen) == 1
    assert caught.value.data["retry_after"] == 3600
    assert caught.value.outcome == "not_done"


@pytest.mark.parametrize("effect", ["a read", "a write"])
async def test_a_call_waits_for_its_turn_only_while_a_quarter_of_its_minute_is_left_to_hear_the_answer(
    effect: str,
) -> None:
    """A write that is sent with no time left has an unknown outcome; one that is not sent has none."""
    calls = {"a read": lambda c: c.get_contact(topo_id("3")), "a write": lambda c: c.skip_task(TASK)}
    answers = {"a read": "get_contact", "a write": "skip_task"}
    for seconds, leaves in ((44, True), (46, False), (59, False)):
        clock, page = FakeClock(), fixture("topo", answers[effect])
        limits = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(seconds)}
        async with serving(reply(page["status"], page["body"], headers=limits)) as vendor:
            client = TopoClient(to := transport(TOPO, vendor.url, clock=clock))
            await calls[effect](client)
            if leaves:
                await calls[effect](client)
            else:
                with pytest.raises(RateLimitedError, match="was not sent") as caught:
                    await calls[effect](client)
                assert (caught.value.outcome, caught.value.data["retry_after"]) == ("not_done", seconds)
            await to.aclose()
            assert len(vendor.seen) == 1 + leaves
            assert clock.slept == [seconds] * leaves


async def test_five_calls_are_under_way_at_once_and_no_more_and_their_results_keep_their_order() -> None:
    under_way, seen = 0, []

    async def call(number: int) -> int:
        nonlocal under_way
        under_way += 1
        seen.append(under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return number

    assert await gather_limited([partial(call, number) for number in range(23)]) == list(range(23))
    assert max(seen) == 5


async def test_after_an_error_the_calls_under_way_end_first_and_no_further_one_begins() -> None:
    ended: list[int] = []

    async def call(number: int) -> int:
        for _ in range(number):
            await asyncio.sleep(0)
        ended.append(number)
        if number in {1, 3}:
            raise NotFoundError(f"{number} is gone.", next_step="Look it up.")
        return number

    with pytest.raises(NotFoundError, match="3 is gone"):  # the first in order
        await gather_limited([partial(call, number) for number in (3, 1, 40, 2, 0, 5, 6)])
    assert ended == [0, 1, 2, 3, 40]


@pytest.mark.parametrize("how", ["one fails", "the caller is cancelled"])
async def test_a_call_that_does_not_end_soon_after_anothers_error_is_cancelled(how: str) -> None:
    begun, silent, ended = asyncio.Event(), asyncio.Event(), []

    async def hangs(number: int) -> None:
        begun.set()
        try:
            await silent.wait()
        finally:
            await asyncio.sleep(0)
            ended.append(number)

    async def fails() -> None:
        await begun.wait()
        raise NotFoundError("It is gone.", next_step="Look it up.")

    asked: list[Callable[[], Awaitable[None]]]
    asked = [partial(hangs, 1), *([fails] if how == "one fails" else []), partial(hangs, 2)]
    calling = asyncio.ensure_future(gather_limited(asked))
    await begun.wait()
    if how != "one fails":
        calling.cancel()
    with pytest.raises(NotFoundError if how == "one fails" else asyncio.CancelledError):
        await calling
    assert ended == [1, 2]


async def fallen_vendor(vendor: FakeVendor, read: Callable[[], Awaitable[object]], clock: FakeClock) -> None:
    """Ask a vendor that is down until nobody asks it any more, and let the time pass after which one may."""
    down = vendor.connections + pacing.STRAIGHT
    while vendor.connections < down:
        with pytest.raises(ProviderUnavailableError):
            await read()
    clock.seconds += pacing.OPEN_FOR


OUTAGE = [reply(503, {})] * pacing.STRAIGHT


async def slowly(line: Line) -> None:
    """Answer as a vendor that is back, later than what hangs beside another error is waited for."""
    await asyncio.to_thread(threading.Event().wait, ANSWER_SOON + 0.5)
    await answered("topo", "get_contact").answer(line)


@pytest.mark.parametrize("first", [answered("topo", "get_contact"), Act(answer=slowly)], ids=["at once", "slowly"])
async def test_the_call_that_finds_out_whether_a_vendor_is_back_is_heard_though_others_may_not_ask(
    first: Act,
) -> None:
    """The others are refused at once; what they wait for must not be cut short by that."""
    clock = FakeClock()
    async with serving(*OUTAGE, first, answered("topo", "get_contact")) as vendor:
        client = TopoClient(to := transport(TOPO, vendor.url, clock=clock))
        read = partial(client.get_contact, topo_id("3"))
        await fallen_vendor(vendor, read, clock)
        with pytest.raises(ProviderUnavailableError):
            await gather_limited([read] * 5)
        assert len(await gather_limited([read] * 5)) == 5
        await to.aclose()


async def test_after_a_probe_that_was_cancelled_the_next_caller_is_one() -> None:
    clock, arrived = FakeClock(), asyncio.Event()

    async def hold(line: Line) -> None:
        arrived.set()
        await line.gone()

    async with serving(*OUTAGE, Act(answer=hold), answered("topo", "get_contact")) as vendor:
        client = TopoClient(to := transport(TOPO, vendor.url, clock=clock))
        read = partial(client.get_contact, topo_id("3"))
        await fallen_vendor(vendor, read, clock)
        probe = asyncio.ensure_future(read())
        await arrived.wait()
        with pytest.raises(ProviderUnavailableError):
            await read()
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe
        assert await read()
        await to.aclose()


async def test_a_call_that_is_cancelled_lets_no_second_probe_out_beside_the_first() -> None:
    clock, arrived = FakeClock(), asyncio.Semaphore(0)

    async def hold(line: Line) -> None:
        arrived.release()
        await line.gone()

    async with serving(Act(answer=hold), *OUTAGE, Act(answer=hold)) as vendor:
        client = TopoClient(to := transport(TOPO, vendor.url, clock=clock))
        read = partial(client.get_contact, topo_id("3"))
        older = asyncio.ensure_future(read())
        await arrived.acquire()
        await fallen_vendor(vendor, read, clock)
        probe = asyncio.ensure_future(read())
        await arrived.acquire()
        older.cancel()
        await asyncio.wait({older})
        with pytest.raises(ProviderUnavailableError):
            await read()
        assert vendor.connections == 1 + pacing.STRAIGHT + 1
        probe.cancel()
        await asyncio.wait({probe})
        await to.aclose()


def fallen(now: float = 0.0, *, times: int = 5) -> Breaker:
    state = Breaker()
    for _ in range(times):
        state = pacing.record_call(state, now, failed=True)
    return state


def test_five_failures_in_a_row_open_the_breaker_for_half_a_minute() -> None:
    assert pacing.breaker_admits(fallen(times=4), 0.0)[1] == 0
    assert pacing.breaker_admits(fallen(), 0.0)[1] == 30
    assert pacing.breaker_admits(fallen(), 30.0)[1] == 0


def test_half_of_twenty_failures_in_half_a_minute_open_the_breaker() -> None:
    state = Breaker()
    for turn in range(20):
        assert pacing.breaker_admits(state, 0.0)[1] == 0
        state = pacing.record_call(state, 0.0, failed=turn % 2 == 1)
    assert pacing.breaker_admits(state, 0.0)[1] == 30


def test_failures_far_apart_do_not_open_it() -> None:
    state = Breaker()
    for turn in range(100):
        state = pacing.record_call(state, turn * 10.0, failed=turn % 2 == 0)
    assert pacing.breaker_admits(state, 1_000.0)[1] == 0


def test_one_probe_passes_and_what_it_finds_counts_for_all() -> None:
    probing, wait = pacing.breaker_admits(fallen(), 31.0)
    assert wait == 0
    assert pacing.breaker_admits(probing, 31.0)[1] > 0
    assert pacing.breaker_admits(pacing.record_call(probing, 32.0, failed=False), 32.0)[1] == 0
    assert pacing.breaker_admits(pacing.record_call(probing, 32.0, failed=True), 32.0)[1] == 30


def test_a_probe_whose_caller_vanished_does_not_keep_it_open() -> None:
    probing, _ = pacing.breaker_admits(fallen(), 31.0)
    assert pacing.breaker_admits(probing, 31.0 + pacing.PROBE_LEASE)[1] == 0


async def test_a_vendor_that_is_down_is_not_asked_again_and_that_is_certain() -> None:
    clock = FakeClock()
    async with serving(reply(503, {})) as vendor:
        client = TopoClient(to := transport(TOPO, vendor.url, clock=clock))
        for _ in range(2):
            with pytest.raises(ProviderUnavailableError):
                await client.get_me()
        asked = len(vendor.seen)
        with pytest.raises(ProviderUnavailableError) as caught:
            await client.resume_sequence(RUN)
        assert len(vendor.seen) == asked == 5
        assert caught.value.outcome == "not_done"
        vendor.script = [answered("topo", "get_me")]
        clock.seconds += 31
        assert await client.get_me()
        await to.aclose()


SAFE = {
    "pause_sequence": lambda c: c.pause_sequence(RUN, until=LATER),
    "stop_sequence": lambda c: c.stop_sequence(RUN, reason=StopReason.LOSE, scope=StopScope.COMPANY),
    "exclude_contact": lambda c: c.exclude_contact(reason="OTHER", email="ines@example.com"),
    "exclude_account": lambda c: c.exclude_account(reason="OTHER", domain="acme.example"),
}
DOWN = (reply(503, {}), ProviderUnavailableError)
USED_UP = (reply(429, {}, headers={"Retry-After": "3600", "X-RateLimit-Remaining": "0"}), RateLimitedError)


@pytest.mark.parametrize(("trouble", "error"), [DOWN, USED_UP], ids=["breaker", "limit"])
@pytest.mark.parametrize("name", SAFE)
async def test_a_safe_operation_waits_for_no_breaker_and_no_limit(
    name: str, trouble: Act, error: type[ProviderError]
) -> None:
    async with serving(trouble) as vendor:
        client = TopoClient(to := transport(TOPO, vendor.url))
        for _ in range(5):
            with pytest.raises(ProviderError):
                await client.skip_task(TASK)
        asked = len(vendor.seen)
        with pytest.raises(error, match="was not sent"):
            await client.skip_task(TASK)
        assert len(vendor.seen) == asked
        vendor.script = [answered("topo", name)]
        await SAFE[name](client)  # which raises where it was not sent, or is not told to be done
        assert len(vendor.seen) == asked + 1
        await to.aclose()


async def test_what_a_repeated_call_met_is_told_even_when_the_way_is_barred_after_it() -> None:
    used_up = reply(500, {}, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "3600"})
    async with serving(used_up) as vendor:
        client = TopoClient(to := transport(TOPO, vendor.url))
        with pytest.raises(ProviderUnavailableError, match="HTTP 500"):
            await client.get_me()
        await to.aclose()
        assert len(vendor.seen) == 1


async def test_any_number_of_4xx_leaves_the_breaker_closed() -> None:
    async with serving(reply(404, {})) as vendor:
        client = TopoClient(to := transport(TOPO, vendor.url))
        for _ in range(30):
            with pytest.raises(NotFoundError):
                await client.get_contact(topo_id("3"))
        await to.aclose()
        assert len(vendor.seen) == 30


def test_a_shorter_wait_never_replaces_a_longer_one() -> None:
    shut = pacing.shut_bucket(pacing.full_bucket(60, 0.0), 40.0)
    assert pacing.shut_bucket(shut, 10.0).shut_until == 40.0
    assert replace(shut, shut_until=0.0) == pacing.full_bucket(60, 0.0)
