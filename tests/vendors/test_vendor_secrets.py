"""Twelve planted keys, echoed by the vendor wherever it can: none is found in logs, errors, results or crashes."""

from __future__ import annotations

import dataclasses
import logging
import traceback
from typing import Any

import pytest
from tests.secrecy import planted
from tests.vendors.vendor_calls import CLIENTS, READS, WRITES, VendorCall, answered, fixture, transport
from tests.vendors.vendor_faults import THE_24, VendorFault
from tests.world.fake_vendor import Act, Line, reply, serving

from sequences_mcp.errors import SequencesError
from sequences_mcp.vendors.pacing import Timing

KEYS = [f"{one.value.replace(' ', '-')}/with\"odd'chars" for one in planted.SECRETS]


def echo(key: str, status: int) -> Act:
    """Return an answer that has the key in every place an answer has, in plain and in escapes."""
    escaped = "".join(f"\\u{ord(c):04x}" for c in key)
    plain = key.replace("\\", "\\\\").replace('"', '\\"')
    body = (
        f'{{"success": false, "status": "{plain}", "id": "{plain}", "{plain}": 1, "request_id": "{escaped}",'
        f'"message": "bad key {plain}", "type": "{escaped}", "data": {{"field": "{plain}", "k": ["{escaped}"]}},'
        f'"error": {{"code": "{plain}", "message": "{escaped}", "debugTrackingCode": "{plain}",'
        f'"details": {{"code": "{plain}", "field": "{escaped}", "x": "{plain}"}}}}}}'
    )
    return reply(status, raw=body.encode(), headers={"X-Request-Id": key, "Location": f"/{key}"})


def shown(error: BaseException) -> str:
    """Return everything a crash report could print, the local variables of the product's frames included."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in report.stack if "sequences_mcp" in frame.filename]
    assert frames, "the error comes from somewhere else"
    return f"{[(frame.line, frame.locals) for frame in frames]} {error!r} {error} {vars(error)}"


async def outcome_of(call: VendorCall, url: str, *, key: str, timing: Timing | None = None) -> str:
    """Return everything that can be seen of a call."""
    to = transport(CLIENTS[call.vendor][0], url, key=key, timing=timing)
    try:
        return f"{await call.make(to)!r} {to!r}"
    except SequencesError as error:
        return shown(error)


@pytest.mark.parametrize("key", KEYS)
async def test_a_key_the_vendor_echoes_is_found_nowhere(key: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    calls = (*WRITES, *READS)
    for index, status in enumerate((200, 302, 400, 401, 403, 409, 422, 429, 500)):
        call = calls[(index * 7 + KEYS.index(key)) % len(calls)]
        async with serving(echo(key, status)) as vendor:
            text = await outcome_of(call, vendor.url, key=key)
        assert planted.MARK not in text, (call.name, status)
    assert planted.MARK not in caplog.text


async def test_a_key_in_what_a_vendor_stores_is_not_shown_either() -> None:
    body: dict[str, Any] = {**fixture("topo", "get_sequence")["body"], "variables": {"a": f"x{KEYS[0]}y"}}
    call = next(one for one in READS if one.name == "topo get_sequence")
    async with serving(reply(200, body)) as vendor:
        run = await call.make(transport(CLIENTS["topo"][0], vendor.url, key=KEYS[0]))
    assert run.variables == {"a": "x[key]y"}


@pytest.mark.parametrize("fault", THE_24, ids=lambda fault: fault.name)
async def test_no_fault_shows_a_key(fault: VendorFault, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    call = next(one for one in WRITES if one.name == "topo resume_sequence")
    async with fault.scene() as vendor:
        text = await outcome_of(call, vendor.url, key=KEYS[3], timing=fault.timing)
    assert planted.MARK not in text
    assert planted.MARK not in caplog.text


async def test_the_key_goes_to_the_vendor_and_only_in_its_header() -> None:
    async with serving(answered("kalent", "get_candidate")) as vendor:
        call = next(one for one in READS if one.name == "kalent get_candidate")
        await call.make(transport(CLIENTS["kalent"][0], vendor.url, key=KEYS[1]))
        seen = vendor.seen[0]
    assert seen.headers["x-api-key"] == KEYS[1]
    rest = dataclasses.replace(seen, headers={k: v for k, v in seen.headers.items() if k != "x-api-key"})
    assert planted.MARK not in repr(rest)


async def test_a_vendor_that_hangs_up_on_a_bad_key_does_not_show_it() -> None:
    async def garbage(line: Line) -> None:
        await line.say(f"HTTP/1.1 200 {KEYS[2]}\r\nX: {KEYS[2]}\x01\r\n\r\n".encode())

    call = next(one for one in READS if one.name == "topo get_me")
    async with serving(Act(answer=garbage)) as vendor:
        text = await outcome_of(call, vendor.url, key=KEYS[2])
    assert planted.MARK not in text
