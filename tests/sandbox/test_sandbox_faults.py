"""Faults: what a client meets, and whether the vendor acted."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.secrecy import planted
from tests.secrecy.hearing import heard
from tests.world.vendors import PREFIX, START, Sandbox, header_for, token_of

from sequences_sandbox.faults import Fault, FaultRule, Faults

BODY = {"bot_id": "b_01SANDBOXADA", "emails": ["new@x.example"]}


async def write(sandbox: Sandbox, **rest: Any) -> httpx.Response:
    return await sandbox.clarky("POST", "/contacts", json=BODY, **rest)


async def acted(sandbox: Sandbox) -> bool:
    """Say whether the write was carried out."""
    answer = await sandbox.clarky("GET", "/contacts", params={"search": "new@x.example"})
    return bool(answer.json()["data"])


@pytest.mark.parametrize("act", [False, True], ids=["not acting", "acting"])
@pytest.mark.parametrize("fault", ["reset_before_body", "reset_during_body"])
async def test_a_connection_that_breaks_gives_no_answer(sandbox: Sandbox, fault: str, act: bool) -> None:
    await sandbox.fault(fault, vendor="clarky", act=act)
    with pytest.raises(httpx.ReadError):
        await write(sandbox)
    assert await acted(sandbox) is act
    assert (await sandbox.received())[0]["status"] == (201 if act else None)


@pytest.mark.parametrize("act", [False, True], ids=["not acting", "acting"])
async def test_a_stall_gives_no_answer_until_the_client_leaves(sandbox: Sandbox, act: bool) -> None:
    await sandbox.fault("stall", vendor="clarky", act=act)
    waiting = asyncio.create_task(write(sandbox, timeout=None))
    async with asyncio.timeout(60):
        while not (asked := await sandbox.received()):
            await asyncio.sleep(0)
    assert await acted(sandbox) is act
    assert asked[0]["status"] == (201 if act else None)
    assert not waiting.done()
    waiting.cancel()


async def test_a_client_that_waits_no_longer_meets_a_stall_as_a_timeout(sandbox: Sandbox) -> None:
    await sandbox.fault("stall")
    with pytest.raises(httpx.ReadTimeout):
        await write(sandbox, timeout=httpx.Timeout(60, read=0.05))


@pytest.mark.parametrize("act", [False, True], ids=["not acting", "acting"])
async def test_a_connection_closed_after_the_body_has_given_its_answer(sandbox: Sandbox, act: bool) -> None:
    """And the client knows it for closed: however soon the next request comes, it goes over another one."""
    for _ in range(20):
        await sandbox.fault("reset_after_body", act=act)
        assert (await write(sandbox)).status_code in ((201, 409) if act else (500,))
        assert await acted(sandbox) is act


async def test_the_end_of_a_connection_reaches_a_client_with_the_answer(sandbox: Sandbox) -> None:
    await sandbox.fault("reset_after_body")
    address = urlsplit(str(sandbox.http.base_url))
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    request = f"GET {PREFIX['topo']}/me HTTP/1.1\r\nHost: x\r\n"
    for name, value in header_for("topo", token_of("topo")).items():
        request += f"{name}: {value}\r\n"
    writer.write(f"{request}\r\n".encode())
    async with asyncio.timeout(60):
        answer = heard("what the sandbox answered", (await reader.read()).decode())
    assert answer.startswith("HTTP/1.1 200 ")
    assert "connection: close" not in answer.lower()
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")  # read by nobody, and answered with no RST
    await writer.drain()
    assert await reader.read() == b""
    writer.close()


async def test_a_stall_that_ends_gives_the_answer_late(sandbox: Sandbox) -> None:
    await sandbox.fault("stall", seconds=0.05, act=True)
    assert (await write(sandbox)).status_code == 201
    await sandbox.fault("stall", seconds=0.05)
    assert (await write(sandbox)).status_code == 500


async def test_an_empty_answer_has_the_status_and_no_body(sandbox: Sandbox) -> None:
    await sandbox.fault("empty")
    answer = await write(sandbox)
    assert (answer.status_code, answer.content) == (201, b"")
    assert await acted(sandbox)


async def test_a_truncated_answer_is_half_of_the_json(sandbox: Sandbox) -> None:
    whole = await sandbox.topo("GET", "/me")
    await sandbox.fault("truncated")
    half = await sandbox.topo("GET", "/me")
    assert (half.status_code, half.headers["content-type"]) == (200, "application/json")
    assert whole.content.startswith(half.content) and 0 < len(half.content) < len(whole.content)


async def test_another_content_type_has_the_same_body(sandbox: Sandbox) -> None:
    await sandbox.fault("wrong_content_type")
    answer = await sandbox.topo("GET", "/me")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.json() == (await sandbox.topo("GET", "/me")).json()


async def test_a_huge_answer_is_as_large_as_asked_for_and_does_not_say_so(sandbox: Sandbox) -> None:
    await sandbox.fault("huge", size=2_000_000)
    answer = await sandbox.topo("GET", "/me")
    assert answer.status_code == 200 and "content-length" not in answer.headers
    assert len(answer.json()["padding"]) == 2_000_000


async def test_a_huge_answer_is_fifty_megabytes_and_may_be_left_early(sandbox: Sandbox) -> None:
    await sandbox.fault("huge")
    seen = 0
    request = sandbox.http.stream(
        "GET", "/topo/v1/me", headers={"authorization": f"Bearer {planted.TOPO_KEY.value}"}
    )
    async with request as answer:
        async for chunk in answer.aiter_bytes():
            seen += len(chunk)
            if seen > 5_000_000:
                break
    assert seen < 50_000_000 == FaultRule(fault=Fault.HUGE).size
    assert (await sandbox.topo("GET", "/me")).status_code == 200


async def test_an_html_page_stands_where_json_should(sandbox: Sandbox) -> None:
    await sandbox.fault("html")
    answer = await write(sandbox)
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert not await acted(sandbox)


async def test_a_redirect_points_to_another_host(sandbox: Sandbox) -> None:
    await sandbox.fault("redirect", status=307, location="https://elsewhere.example/x")
    answer = await write(sandbox)
    assert (answer.status_code, answer.headers["location"]) == (307, "https://elsewhere.example/x")
    assert not await acted(sandbox)


async def test_any_json_may_stand_for_the_answer(sandbox: Sandbox) -> None:
    await sandbox.fault("body", body={"status": "BRAND_NEW"})
    answer = await sandbox.topo("GET", "/me")
    assert (answer.status_code, answer.json()) == (200, {"status": "BRAND_NEW"})


PUBLISHED = {
    "kalent": {401: "invalid_api_key", 402: "plan_upgrade_required", 403: "forbidden", 429: "rate_limit_exceeded",
               500: "internal_error", 503: "temporal_unavailable"},
    "clarky": {400: "bad_request", 409: "conflict", 422: "validation_error", 429: "rate_limited"},
    "topo": {400: "ValidationIssue", 403: "UnauthorizedIssue", 404: "NotFoundIssue", 409: "CommitIssue",
             422: "BusinessIssue"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("vendor", "status", "code"),
    [(vendor, status, code) for vendor, codes in PUBLISHED.items() for status, code in codes.items()],
)
async def test_a_status_comes_in_the_vendors_envelope(
    sandbox: Sandbox, vendor: Any, status: int, code: str
) -> None:
    await sandbox.fault("status", status=status, vendor=vendor)
    answer = await sandbox.call(vendor, "GET", "/me")
    assert answer.status_code == status
    body = answer.json()
    assert (body["type"] if vendor == "topo" else body["error"]["code"]) == code


@pytest.mark.parametrize("act", [False, True], ids=["before acting", "after acting"])
async def test_a_504_may_hide_that_the_vendor_acted(sandbox: Sandbox, act: bool) -> None:
    await sandbox.fault("status", status=504, act=act)
    assert (await write(sandbox)).status_code == 504
    assert await acted(sandbox) is act


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_comes_in_seconds(sandbox: Sandbox, status: int) -> None:
    await sandbox.fault("status", status=status, retry_after=7)
    assert (await write(sandbox)).headers["retry-after"] == "7"


@pytest.mark.parametrize("skew", [0, -3600])
async def test_retry_after_comes_as_a_date_that_agrees_with_the_servers_own(sandbox: Sandbox, skew: int) -> None:
    await sandbox.fault("status", status=429, retry_after=7, retry_after_as_date=True, skew=skew)
    answer = await write(sandbox)
    assert len(answer.headers.get_list("date")) == 1
    date = parsedate_to_datetime(answer.headers["date"])
    assert date == START + timedelta(seconds=skew)
    assert parsedate_to_datetime(answer.headers["retry-after"]) == date + timedelta(seconds=7)


async def test_a_status_may_have_any_body(sandbox: Sandbox) -> None:
    await sandbox.fault("status", status=429, body={"success": False, "error": "Rate limit exceeded: minute"})
    answer = await sandbox.kalent("GET", "/sourcings")
    assert (answer.status_code, answer.json()["error"]) == (429, "Rate limit exceeded: minute")


async def test_a_fault_happens_as_often_as_asked_to_the_requests_meant(sandbox: Sandbox) -> None:
    await sandbox.fault("status", vendor="topo", method="GET", path="/sequences/*", times=2)
    statuses = [(await sandbox.topo("GET", path)).status_code for path in ("/me", *["/sequences/x"] * 3)]
    assert statuses == [200, 500, 500, 404]


def test_rules_are_taken_in_order_and_counted_down() -> None:
    twice, once = FaultRule(fault=Fault.EMPTY, vendor="topo", times=2), FaultRule(fault=Fault.HTML)
    faults = Faults([twice, once])
    assert faults.take("clarky", "GET", "/agents") == once
    assert [faults.take("topo", "GET", "/me") for _ in range(3)] == [
        twice,
        FaultRule(fault=Fault.EMPTY, vendor="topo", times=1),
        None,
    ]
