"""The 24 ways a call to a vendor can go wrong, each as it really happens on a wire, and what each must come to."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.world.fake_vendor import Act, FakeVendor, Line, reply, serving

from sequences_mcp.vendors.pacing import Timing

NOT_DONE, UNKNOWN = "not_done", "unknown"
CONNECTS_QUICKLY = Timing(connect=0.12)
PATIENT = Timing()
Scene = Callable[[], AbstractAsyncContextManager[FakeVendor]]


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorFault:
    """One fault: its scene, the outcome of a write without a key, the codes it may have, and the pace of the test.

    ``is_passing``: a read, and a write with a key, may try again.
    """

    name: str
    scene: Scene
    outcome: str
    codes: frozenset[str]
    is_passing: bool = True
    timing: Timing = PATIENT


def _played(act: Act) -> Scene:
    return lambda: serving(act)


def _without_listener(url: str) -> Scene:
    @asynccontextmanager
    async def scene() -> AsyncIterator[FakeVendor]:
        yield FakeVendor([], url=url)

    return scene


@asynccontextmanager
async def _refused() -> AsyncIterator[FakeVendor]:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        yield FakeVendor([], url=f"http://127.0.0.1:{closed.getsockname()[1]}")


@asynccontextmanager
async def _full_backlog() -> AsyncIterator[FakeVendor]:
    """A listener that accepts nobody: with its queue full, a connection attempt gets no answer at all."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        await asyncio.sleep(0)
        yield FakeVendor([], url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        for one in waiting:
            one.close()


def _bad_certificate() -> AbstractAsyncContextManager[FakeVendor]:
    return serving(reply(200, {}), tls=_self_signed())


@cache
def _self_signed() -> ssl.SSLContext:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        pem = Path(folder) / "pair.pem"
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        pem.write_bytes(key.private_bytes(*form) + signed.public_bytes(serialization.Encoding.PEM))
        context.load_cert_chain(pem)
    return context


async def _reset(line: Line) -> None:
    line.reset()


async def _endless(line: Line) -> None:
    await line.say(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
    for _ in range(800):  # 50 MB, if anybody took them
        await line.say(b" " * 65_536)


async def _cut(line: Line) -> None:
    await line.say(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"success": true, "data": {"sta')
    line.reset()


@asynccontextmanager
async def _redirected(status: int) -> AsyncIterator[FakeVendor]:
    async with (
        serving(reply(200, {"id": "stolen"})) as other,
        serving(reply(status, headers={"Location": f"{other.url}/elsewhere"})) as vendor,
    ):
        yield vendor
        assert other.seen == [], "the redirect was followed"


IN_TEN_SECONDS = {
    "Date": "Sat, 21 Nov 2026 10:00:00 GMT",
    "Retry-After": "Sat, 21 Nov 2026 10:00:10 GMT",
}


def _status(status: int, codes: str, *, outcome: str = NOT_DONE, **headers: str) -> VendorFault:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return VendorFault(
        name=str(status),
        scene=_played(reply(status, {"error": {"code": "some_code", "message": "no"}}, headers=named)),
        outcome=outcome,
        codes=frozenset(codes.split()),
        is_passing=status >= 500,
    )


def _connection(name: str, scene: Scene, *, timing: Timing = PATIENT) -> VendorFault:
    codes = frozenset({"provider_unavailable"})
    return VendorFault(name=name, scene=scene, outcome=NOT_DONE, codes=codes, timing=timing)


def _lost(name: str, act: Act, *, timing: Timing = PATIENT) -> VendorFault:
    codes = frozenset({"outcome_unknown", "provider_unavailable"})
    return VendorFault(name=name, scene=_played(act), outcome=UNKNOWN, codes=codes, timing=timing)


def _garbled(name: str, act: Act, *, is_passing: bool) -> VendorFault:
    codes = frozenset({"outcome_unknown", "unexpected_answer"})
    return VendorFault(name=name, scene=_played(act), outcome=UNKNOWN, codes=codes, is_passing=is_passing)


LIMITED = reply(429, {}, headers={"Retry-After": "7"})
LIMITED_UNTIL = reply(429, {}, headers=IN_TEN_SECONDS)
THE_24 = (
    _connection("DNS failure", _without_listener("https://vendor.invalid")),
    _connection("refused", _refused),
    _connection("connect timeout", _full_backlog, timing=CONNECTS_QUICKLY),
    _connection("bad certificate", _bad_certificate),
    _lost("reset before the body", Act(answer=_reset, reads="nothing")),
    _lost("reset during the body", Act(answer=_reset, reads="head")),
    _lost("reset after the body", Act(answer=_reset)),
    _lost("stall", Act(answer=Line.stall)),
    _garbled("empty", reply(200), is_passing=True),
    _garbled("huge", Act(answer=_endless), is_passing=False),
    _garbled("wrong type", reply(200, "done"), is_passing=False),
    VendorFault(
        name="redirect to another host",
        scene=lambda: _redirected(307),
        outcome=NOT_DONE,
        codes=frozenset({"unexpected_answer"}),
        is_passing=False,
    ),
    _status(400, "provider_rejected"),
    _status(401, "provider_unauthorized"),
    _status(402, "plan_upgrade_required"),
    _status(403, "provider_forbidden"),
    _status(404, "not_found"),
    _status(409, "provider_conflict"),
    _status(422, "provider_rejected provider_conflict"),
    VendorFault(
        name="429 in seconds", scene=_played(LIMITED), outcome=NOT_DONE, codes=frozenset({"rate_limited"})
    ),
    VendorFault(
        name="429 until a time",
        scene=_played(LIMITED_UNTIL),
        outcome=NOT_DONE,
        codes=frozenset({"rate_limited"}),
    ),
    _status(500, "outcome_unknown provider_unavailable", outcome=UNKNOWN),
    _status(503, "outcome_unknown provider_unavailable", outcome=UNKNOWN, Retry_After="2"),
    _status(504, "outcome_unknown provider_unavailable", outcome=UNKNOWN),
)
FURTHER = (
    _lost("answer cut in its middle", Act(answer=_cut)),
    _garbled("an HTML page", reply(200, raw=b"<html>Sign in</html>"), is_passing=True),
    _garbled("null", reply(200, raw=b"null"), is_passing=False),
    VendorFault(
        name="redirect that may follow an action",
        scene=lambda: _redirected(303),
        outcome=UNKNOWN,
        codes=frozenset({"outcome_unknown", "unexpected_answer"}),
        is_passing=False,
    ),
    VendorFault(
        name="408",
        scene=_played(reply(408, {})),
        outcome=UNKNOWN,
        codes=frozenset({"outcome_unknown", "provider_rejected"}),
    ),
    _status(502, "outcome_unknown provider_unavailable", outcome=UNKNOWN),
)

# One of each outcome and code that a fault may end in: what comes behind the transport sees no more of it.
KINDS = tuple(
    {(fault.outcome, fault.codes, fault.is_passing): fault for fault in reversed((*THE_24, *FURTHER))}.values()
)
