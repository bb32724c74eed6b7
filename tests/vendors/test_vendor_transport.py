"""The way out: whom it talks to, with what, how long, and what it leaves in the log."""

from __future__ import annotations

import asyncio
import gc
import logging
import subprocess
import sys
from dataclasses import replace
from functools import partial

import pytest
from tests.vendors.vendor_calls import KEY, FakeClock, answered, topo_id, transport
from tests.vendors.vendor_faults import THE_24
from tests.world.fake_vendor import Act, Answer, Line, reply, serving

from sequences_mcp import __version__
from sequences_mcp.domain.sender import Secret
from sequences_mcp.errors import (
    NotFoundError,
    OutcomeUnknownError,
    ProviderUnavailableError,
    RateLimitedError,
    SettingsError,
    UnexpectedAnswerError,
    WrongIdError,
)
from sequences_mcp.ports.vendor import gather_both
from sequences_mcp.vendors.account import checked_base_url
from sequences_mcp.vendors.clarky.client import ClarkyClient
from sequences_mcp.vendors.clarky.wire import CLARKY
from sequences_mcp.vendors.exchange import Exchange, Outgoing
from sequences_mcp.vendors.kalent.client import KalentClient
from sequences_mcp.vendors.kalent.wire import KALENT
from sequences_mcp.vendors.outcome import NoAnswer, path
from sequences_mcp.vendors.pacing import Timing
from sequences_mcp.vendors.topo.client import TopoClient
from sequences_mcp.vendors.topo.wire import TOPO

GOOD_URLS = {
    "https://api.topo.io/v1/": "https://api.topo.io/v1",
    "http://127.0.0.1:8080/v1": "http://127.0.0.1:8080/v1",
    "http://localhost:1": "http://localhost:1",
    "http://[::1]:9/x": "http://[::1]:9/x",
    " https://proxy.example/topo ": "https://proxy.example/topo",
}
BAD_URLS = [
    *("http://api.topo.io/v1", "http://localhost.example.com", "http://127.0.0.1.example.com", "ftp://127.0.0.1"),
    *("api.topo.io", "https://", "https://user:word@api.topo.io", "https://api.topo.io?x=1", "https://a.b#c"),
    *(
        "http://127.0.0.1@evil.example",
        "http://0.0.0.0:1",
        "https://a.b:99999",
        "https://a\nb.c",
        "http://[::1",
        "",
    ),
]


@pytest.mark.parametrize(("given", "kept"), GOOD_URLS.items())
def test_https_is_accepted_and_http_on_loopback(given: str, kept: str) -> None:
    assert checked_base_url(given, setting="TOPO_BASE_URL") == kept


@pytest.mark.parametrize("given", BAD_URLS)
def test_any_other_address_is_refused_by_the_name_of_its_setting(given: str) -> None:
    with pytest.raises(SettingsError, match="TOPO_BASE_URL"):
        checked_base_url(given, setting="TOPO_BASE_URL")


@pytest.mark.parametrize("key", ["", "two words", "line\nend", "clé", "\x00"], ids=repr)
def test_a_text_that_cannot_be_a_key_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(SettingsError, match="TOPO_API_KEY") as caught:
        transport(TOPO, "http://127.0.0.1:1", key=key)
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize(
    ("client", "vendor", "fixture", "header", "value"),
    [
        (lambda to: KalentClient(to).get_candidate("kalent:c"), KALENT, "get_candidate", "x-api-key", KEY),
        (
            lambda to: ClarkyClient(to).get_contact("clarky:c"),
            CLARKY,
            "get_contact",
            "authorization",
            f"Bearer {KEY}",
        ),
        (lambda to: TopoClient(to).get_me(), TOPO, "get_me", "authorization", f"Bearer {KEY}"),
    ],
    ids=["kalent", "clarky", "topo"],
)
async def test_each_vendor_gets_its_key_its_own_way(client, vendor, fixture, header, value) -> None:  # type: ignore[no-untyped-def]  # a table of three
    async with serving(answered(vendor.name, fixture)) as fake:
        to = transport(vendor, fake.url)
        await client(to)
        await to.aclose()
        seen = fake.seen[0].headers
    assert seen[header] == value
    assert seen["user-agent"].startswith(f"sequences-mcp/{__version__} ")
    assert seen["accept-encoding"] == "identity"
    assert "cookie" not in seen


async def test_the_log_has_one_line_a_call_with_neither_bodies_nor_addresses_nor_keys(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(answered("clarky", "get_contact")) as vendor:
        to = transport(CLARKY, vendor.url)
        await ClarkyClient(to).get_contact_by_email("ada.private@example.com")
        await to.aclose()
    ours = [record for record in caplog.records if record.name.startswith("sequences_mcp")]
    assert [record.levelname for record in ours] == ["INFO"]
    assert ours[0].getMessage().startswith("clarky GET /contacts/by-email: 200 in ")
    assert "ada.private" not in caplog.text
    assert KEY not in caplog.text


async def test_no_cookie_is_kept() -> None:
    cookie = reply(200, {"data": {"id": "c_1"}}, headers={"Set-Cookie": "session=1; Path=/"})
    async with serving(cookie) as vendor:
        client = ClarkyClient(to := transport(CLARKY, vendor.url))
        await client.get_contact("clarky:c_1")
        await client.get_contact("clarky:c_1")
        await to.aclose()
        assert all("cookie" not in one.headers for one in vendor.seen)


@pytest.mark.parametrize("own", ["..", ".", "../me", "a/../../me", "a?b=c", "a#b", "%2e%2e", "ö"])
async def test_an_id_cannot_leave_its_place_in_the_path(own: str) -> None:
    async with serving(reply(404, {})) as vendor:
        to = transport(TOPO, f"{vendor.url}/v1")
        with pytest.raises(Exception, match="nothing with this id"):
            await TopoClient(to).get_contact(f"topo:{own}")
        await to.aclose()
        target = vendor.seen[0].target
    assert target.startswith("/v1/contacts/")
    assert target.count("/") == 3
    assert "?" not in target and "#" not in target
    assert target.removeprefix("/v1/contacts/").strip(".")


@pytest.mark.parametrize(
    "wrong", ["local:ct_1", "kalent:x", "x", "topo:", "topo:a b", "topo:a\r\nX: y", "topo:" + "a" * 201]
)
async def test_an_id_of_another_provider_or_form_is_refused_before_anything_is_sent(wrong: str) -> None:
    to = transport(TOPO, "http://127.0.0.1:1")
    with pytest.raises(WrongIdError) as caught:
        await TopoClient(to).get_contact(wrong)
    assert "find_contacts" in caught.value.next_step


async def test_an_announced_length_over_the_cap_is_not_even_read() -> None:
    async def announce(line: Line) -> None:
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n")
        await line.gone()

    async with serving(Act(answer=announce)) as vendor:
        to = transport(TOPO, vendor.url)
        with pytest.raises(UnexpectedAnswerError) as caught:
            await TopoClient(to).get_me()
        await to.aclose()
        assert vendor.connections == 1
    assert "5000000 bytes" in caught.value.data["why"]


async def test_an_answer_of_nearly_the_cap_is_read() -> None:
    body = {"id": "1", "status": "ACTIVE", "padding": "x" * 4_900_000}
    async with serving(reply(200, body)) as vendor:
        to = transport(TOPO, vendor.url)
        run = await TopoClient(to).get_sequence("topo:1")
        await to.aclose()
    assert (run.id, run.provider_status) == ("topo:1", "ACTIVE")


async def test_a_drip_that_never_stalls_meets_the_deadline_of_the_whole_call() -> None:
    async def drip(line: Line) -> None:
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not line.writer.is_closing():
            await line.say(b" ")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(line.gone(), 0.02)

    async with serving(Act(answer=drip)) as vendor:
        to = transport(TOPO, vendor.url, timing=Timing(total=5))
        with pytest.raises(OutcomeUnknownError) as caught:
            await TopoClient(to).resume_sequence(topo_id("1"))
        await to.aclose()
    assert "no whole answer within" in caught.value.data["why"]


async def test_a_deadline_met_while_connecting_proves_that_nothing_was_sent() -> None:
    scene = next(fault.scene for fault in THE_24 if fault.name == "connect timeout")
    async with scene() as vendor:
        to = transport(TOPO, vendor.url, timing=Timing(total=0.2))
        with pytest.raises(ProviderUnavailableError) as caught:
            await TopoClient(to).resume_sequence(topo_id("1"))
        await to.aclose()
    assert caught.value.outcome == "not_done"


async def test_an_error_whose_body_breaks_off_keeps_its_status() -> None:
    async def broken(line: Line) -> None:
        await line.say(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 500\r\n\r\n{")
        line.reset()

    async with serving(Act(answer=broken)) as vendor:
        to = transport(TOPO, vendor.url)
        with pytest.raises(Exception, match="lacks the scope `sequences:write`"):
            await TopoClient(to).resume_sequence(topo_id("1"))
        await to.aclose()


async def test_more_calls_than_connections_all_get_their_answer() -> None:
    async with serving(answered("topo", "get_me")) as vendor:
        client = TopoClient(to := transport(TOPO, vendor.url))
        found = await asyncio.gather(*(client.get_me() for _ in range(40)))
        await to.aclose()
        assert len(vendor.seen) == 40
    assert all(one == found[0] for one in found)


async def test_a_close_that_is_cancelled_closes_the_connections_for_writes_as_well() -> None:
    arrived, left = asyncio.Event(), asyncio.Event()

    async def kept(line: Line) -> None:
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await line.gone()

    async def silent(line: Line) -> None:
        arrived.set()
        await line.gone()
        left.set()

    async with serving(Act(answer=kept), Act(answer=silent)) as vendor:
        read = Outgoing(method="GET", url=vendor.url, query=(), content=None, is_write=False)
        exchange = Exchange(Timing(), headers={}, base_url=vendor.url)
        await exchange.once(read, seconds=60)
        writing = asyncio.create_task(exchange.once(replace(read, is_write=True), seconds=60))
        await arrived.wait()
        closing = asyncio.create_task(exchange.aclose())
        await asyncio.sleep(0)  # the connection for reads is being closed
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        async with asyncio.timeout(60):
            await left.wait()
        assert isinstance(await writing, NoAnswer)


async def test_a_cancelled_call_says_so_in_the_log_and_leaves_no_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)

    arrived = asyncio.Event()

    async def hold(line: Line) -> None:
        arrived.set()
        await line.gone()

    async with serving(Act(answer=hold)) as vendor:
        to = transport(TOPO, vendor.url)
        call = asyncio.create_task(TopoClient(to).resume_sequence(topo_id("1")))
        await asyncio.wait_for(arrived.wait(), 60)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await to.aclose()
    assert "topo POST /sequences/" in caplog.text and "no answer was waited for" in caplog.text


async def test_a_429_is_waited_for_as_long_as_it_asks_and_then_repeated() -> None:
    clock = FakeClock()
    async with serving(reply(429, {}, headers={"Retry-After": "7"}), answered("topo", "get_me")) as vendor:
        to = transport(TOPO, vendor.url, clock=clock)
        assert await TopoClient(to).get_me()
        await to.aclose()
    assert sum(clock.slept) == pytest.approx(7.25)


async def test_a_429_that_asks_for_longer_than_a_minute_is_returned_with_its_wait() -> None:
    async with serving(reply(429, {}, headers={"Retry-After": "300"})) as vendor:
        to = transport(TOPO, vendor.url)
        with pytest.raises(RateLimitedError) as caught:
            await TopoClient(to).get_me()
        await to.aclose()
        assert len(vendor.seen) == 1
    assert caught.value.data["retry_after"] == 300
    assert "300 seconds" in caught.value.next_step


async def test_a_transport_can_be_closed_twice_and_used_again() -> None:
    async with serving(answered("topo", "get_me")) as vendor:
        client = TopoClient(to := transport(TOPO, vendor.url))
        await to.aclose()
        assert await client.get_me()
        await to.aclose()
        assert await client.get_me()
        await to.aclose()
        await to.aclose()
    gc.collect()


async def test_a_call_of_which_one_half_fails_leaves_no_connection_behind() -> None:
    """Closing overlooks a connection that is only being made, so that nobody may be making one any more."""
    gone = reply(404, {"success": False, "error": {"code": "not_found", "message": "Gone."}})

    async def late(turns: int, client: KalentClient) -> object:
        for _ in range(turns):
            await asyncio.sleep(0)
        return await client.get_candidate("kalent:candidate_1")

    for turns in range(40):  # some are connecting when the other half has its answer
        async with serving(gone) as vendor:
            client = KalentClient(to := transport(KALENT, vendor.url))
            with pytest.raises(NotFoundError):
                await gather_both(
                    partial(client.get_candidate, "kalent:candidate_1"), partial(late, turns, client)
                )
            await to.aclose()
            assert vendor.connections == 2
    gc.collect()


async def test_a_write_never_travels_on_a_kept_connection() -> None:
    kept = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
    body = b'{"id": "11111111-1111-4111-8111-111111111111", "status": "ACTIVE"}'

    async def answer_and_stay(line: Line) -> None:
        await line.say(kept % (len(body), body))
        await line.gone()

    async with serving(Act(answer=answer_and_stay)) as vendor:
        client = TopoClient(to := transport(TOPO, vendor.url))
        await client.resume_sequence(topo_id("1"))
        await client.resume_sequence(topo_id("1"))
        await to.aclose()
        assert vendor.connections == 2


def test_an_import_of_the_clients_does_not_import_httpx() -> None:
    code = (
        "import sys; import sequences_mcp.vendors.kalent.client, sequences_mcp.vendors.clarky.client, "
        "sequences_mcp.vendors.topo.client; sys.exit('httpx' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_path_takes_its_ids_escaped() -> None:
    assert path("/a/{}/b/{}", "x/y", "..") == "/a/x%2Fy/b/%2E%2E"


async def test_nobody_at_the_address_names_the_setting_to_look_at() -> None:
    to = transport(KALENT, "http://127.0.0.1:1")
    with pytest.raises(ProviderUnavailableError) as caught:
        await KalentClient(to).list_sourcings()
    await to.aclose()
    assert "KALENT_BASE_URL" in caught.value.next_step


async def refuse(line: Line) -> None:
    await line.say(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


async def open_and_reset(line: Line) -> None:
    await line.say(b"HTTP/1.1 200 Connection established\r\n\r\n")
    line.reset()


@pytest.mark.parametrize("act", [refuse, open_and_reset])
async def test_a_proxy_that_fails_on_the_way_proves_that_nothing_was_sent(
    act: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(Act(answer=act)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        to = transport(TOPO, "https://vendor.invalid/v1")
        with pytest.raises(ProviderUnavailableError) as caught:
            await TopoClient(to).resume_sequence(topo_id("1"))
        await to.aclose()
        assert [one.method for one in proxy.seen] == ["CONNECT"]
    assert caught.value.outcome == "not_done"


async def test_a_proxy_of_the_environment_is_not_asked_about_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with serving(answered("topo", "get_me")) as vendor:
        to = transport(TOPO, vendor.url)
        assert await TopoClient(to).get_me()
        await to.aclose()


@pytest.mark.parametrize("host", ["a..b", ".example", "x" * 70 + ".example", "exa_mple.invalid", "xn--0.invalid"])
async def test_a_host_that_cannot_be_is_told_like_one_that_is_not_there(host: str) -> None:
    to = transport(TOPO, f"https://{host}/v1")
    with pytest.raises(ProviderUnavailableError):
        await TopoClient(to).resume_sequence(topo_id("1"))
    await to.aclose()


def test_a_secret_is_shown_by_nothing() -> None:
    secret = Secret(KEY)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", str([secret])]
    assert all(KEY not in text for text in shown)
