"""What a request may be, from where and how often: the rest is refused before anything of it is carried out."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from starlette.types import Message, Receive, Scope, Send
from tests.secrecy import planted
from tests.world.http_server import MODERN, TOKEN, serving, token_file
from tests.world.page import PageWorld

from sequences_mcp.errors import SettingsError
from sequences_mcp.http_connection import ConnectionLimits
from sequences_mcp.server.http.gate import BODY_LIMIT, LISTEN, UserRates, only_listens, passed_until
from sequences_mcp.server.http.listening import HEAD_BYTES
from sequences_mcp.server.http.options import ServeOptions

LISTED = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
PUBLIC = ServeOptions(
    public_url="https://mcp.example.com", names=("inside:8443",), origins=("https://chat.example",)
)
HOSTS = {
    "mcp.example.com": True,
    "MCP.example.com": False,  # clients write names in small letters
    "mcp.example.com:443": True,
    "inside:8443": True,
    "localhost:{port}": True,
    "127.0.0.1:{port}": True,
    "inside": False,
    "localhost": False,
    "mcp.example.com:80": False,
    "mcp.example.com.evil.example": False,
    "evil.example": False,
    "": False,
}


@pytest.mark.parametrize(("host", "may"), HOSTS.items(), ids=[host or "none" for host in HOSTS])
def test_only_a_listed_host_is_answered(world: PageWorld, host: str, may: bool) -> None:
    with serving(world, PUBLIC) as served:
        answer = served.ask(body=LISTED, Host=host.format(port=served.port))
    assert (answer.status == 421) is not may
    assert ("text/html" in answer.headers["content-type"]) is False


ORIGINS = {
    "https://mcp.example.com": True,
    "https://chat.example": True,
    "http://localhost:{port}": True,
    "http://mcp.example.com": False,
    "https://chat.example.evil.example": False,
    "https://chat.example:8443": False,
    "null": False,
    "https://evil.example": False,
}


@pytest.mark.parametrize(("origin", "may"), ORIGINS.items(), ids=[*ORIGINS])
def test_only_a_listed_site_may_send_requests(world: PageWorld, origin: str, may: bool) -> None:
    with serving(world, PUBLIC) as served:
        answer = served.ask(body=LISTED, Origin=origin.format(port=served.port))
    assert (answer.status == 403) is not may


def test_a_user_is_kept_waiting_but_never_with_what_holds_messages_back(world: PageWorld) -> None:
    with serving(world, ServeOptions(per_minute=3), elapsed=lambda: 0.0) as served:  # no time passes
        statuses = [served.tool("list_blueprints").status for _ in range(5)]
        stopped = served.tool("stop_sequence", sequence_id="local:seq_0")
        disguised = served.tool("list_blueprints", stop_sequence="stop_sequence")
        huge = served.ask(body=b" " * (BODY_LIMIT + 1), MCP_Protocol_Version=MODERN)
    assert statuses == [200, 200, 200, 429, 429]
    assert stopped.status == 200
    assert (disguised.status, disguised.facts["error"]) == (429, "too_many_requests")
    assert int(disguised.headers["retry-after"]) >= 1
    assert huge.status == 413


def test_a_minute_allows_so_much_at_once_and_then_as_much_as_passes() -> None:
    now = 0.0
    rates = UserRates(60, lambda: now)
    assert [rates.wait("ada") for _ in range(60)] == [0.0] * 60
    assert rates.wait("ada") == pytest.approx(1.0) and rates.wait("grace") == 0.0
    now += 2
    assert [rates.wait("ada"), rates.wait("ada")] == [0.0, 0.0]
    assert rates.wait("ada") > 0


def test_a_body_that_is_too_long_is_refused_whether_its_length_is_told_or_not(world: PageWorld) -> None:
    with serving(world) as served:
        told = served.ask(body=b" " * (BODY_LIMIT + 1), MCP_Protocol_Version=MODERN)
        with socket.create_connection(("127.0.0.1", served.port), timeout=60) as one:
            one.sendall(_head(served.port) + b"Transfer-Encoding: chunked\r\n\r\n")
            piece = b"%x\r\n%b\r\n" % (2**20, b" " * 2**20)
            for _ in range(BODY_LIMIT // 2**20 + 2):
                try:
                    one.sendall(piece)
                except OSError:
                    break
            chunked = one.recv(4_096)
        assert served.ask(body=LISTED, MCP_Protocol_Version=MODERN).status != 413
    assert told.status == 413
    assert chunked.startswith(b"HTTP/1.1 413")


def _head(port: int) -> bytes:
    return (
        f"POST /mcp HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Content-Type: application/json\r\nMcp-Protocol-Version: {MODERN}\r\n"
    ).encode()


def test_a_body_that_comes_too_slowly_ends_its_connection_and_no_other(world: PageWorld) -> None:
    quick = ConnectionLimits(most=64, head=600, body=0.3, answer=None, life=600)
    with serving(world, limits=quick) as served:
        with socket.create_connection(("127.0.0.1", served.port), timeout=60) as one:
            one.sendall(_head(served.port) + b"Content-Length: 100\r\n\r\n{")
            try:
                ended = one.recv(4_096) == b""
            except ConnectionError:
                ended = True
        assert served.tool("list_blueprints").status == 200
    assert ended


def test_a_head_that_is_too_long_is_refused(world: PageWorld) -> None:
    with serving(world) as served, socket.create_connection(("127.0.0.1", served.port), timeout=60) as one:
        one.sendall(_head(served.port) + b"X-Padding: " + b"x" * HEAD_BYTES + b"\r\n\r\n")
        assert one.recv(100).startswith((b"HTTP/1.1 431", b"HTTP/1.1 400"))  # 400 where it came in pieces


def test_idle_connections_never_keep_a_caller_out(world: PageWorld) -> None:
    few = ConnectionLimits(most=8, head=600, body=600, answer=None, life=600)
    with serving(world, limits=few) as served:
        idle = [socket.create_connection(("127.0.0.1", served.port), timeout=60) for _ in range(40)]
        try:
            assert served.tool("list_blueprints").status == 200
        finally:
            for one in idle:
                one.close()


SMUGGLED: dict[str, Any] = {
    "X-Forwarded-For": "203.0.113.9",
    "Forwarded": "for=203.0.113.9",
    "X-Forwarded-Host": "evil.example",
}


def test_only_a_named_proxy_says_who_the_client_is(world: PageWorld) -> None:
    with serving(world) as served:
        served.ask(body=LISTED, **SMUGGLED)
        assert served.log[-1]["client"] == "127.0.0.1"
    with serving(world, ServeOptions(proxies=("127.0.0.0/8",))) as served:
        served.ask(body=LISTED, **SMUGGLED)
        assert served.log[-1]["client"] == "203.0.113.9"
        served.ask(body=LISTED, X_Forwarded_For="203.0.113.9, 198.51.100.7")
        assert served.log[-1]["client"] == "198.51.100.7"  # what was there before the proxy's own word
        assert (
            served.ask(body=LISTED, Host="evil.example", X_Forwarded_Host=f"localhost:{served.port}").status == 421
        )


async def test_tls_is_spoken_with_the_files_of_a_certificate(world: PageWorld, tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued.private_key_pem.write_to_path(key)
    for part in (*issued.cert_chain_pems, authority.cert_pem):
        part.write_to_path(certificate, append=True)
    with serving(world, ServeOptions(certificate=certificate, private_key=key)) as served:
        async with served.client() as host:
            assert (await host.call("list_providers"))["providers"]


UNSOUND: dict[str, tuple[dict[str, Any], str]] = {
    "a network without TLS": ({"host": "0.0.0.0", "public_url": "https://a.example"}, "unencrypted"),
    "a network without its address": ({"host": "0.0.0.0", "proxies": ("10.0.0.1",)}, "--public-url"),
    "a token file on a network": (
        {
            "host": "::",
            "public_url": "https://a.example",
            "proxies": ("10.0.0.1",),
            "token_file": Path("t"),
        },
        "is for loopback alone",
    ),
    "a token file behind a proxy": ({"public_url": "https://a.example"}, "is for loopback alone"),
    "a token file and an issuer": (
        {"host": "0.0.0.0", "public_url": "https://a.example", "proxies": ("::1",), "token_file": Path("t")},
        "exclude one another",
    ),
    "half of a certificate": ({"certificate": Path("c.pem")}, "belong together"),
    "an address over http": ({"public_url": "http://a.example"}, "https alone"),
    "an address with a path": ({"public_url": "https://a.example/mcp"}, "without a path"),
    "an address with a password": ({"public_url": "https://a:b@a.example"}, "without a path"),
    "no address": ({"public_url": "a.example"}, "without a path"),
    "a port that is none": ({"public_url": "https://a.example:99999"}, "without a path"),
    "a proxy by its name": ({"proxies": ("proxy.example",)}, "neither an address nor a network"),
    "an origin with a path": ({"origins": ("https://a.example/x",)}, "--allow-origin"),
}


@pytest.mark.parametrize(("given", "why"), UNSOUND.values(), ids=UNSOUND.keys())
def test_a_way_to_be_reached_that_is_not_safe_is_refused(given: dict[str, Any], why: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(why)) as refused:
        ServeOptions(**given).require_sound(has_issuer=given.get("host") == "0.0.0.0")
    assert "docs/hosting.md" in refused.value.next_step


SOUND: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "http://127.0.0.1:8765/mcp"),
    ({"host": "::1", "token_file": Path("t")}, "http://[::1]:8765/mcp"),
    ({"certificate": Path("c"), "private_key": Path("k")}, "https://127.0.0.1:8765/mcp"),
    ({"public_url": "https://localhost:8443/", "proxies": ("127.0.0.1",)}, "https://localhost:8443/mcp"),
    ({"public_url": "https://a.example/", "proxies": ("127.0.0.1",)}, "https://a.example/mcp"),
    (
        {"host": "0.0.0.0", "public_url": "https://a.example/", "proxies": ("10.0.0.0/8",)},
        "https://a.example/mcp",
    ),
)


@pytest.mark.parametrize(("given", "address"), SOUND)
def test_clients_are_given_the_address_under_which_it_is_reached(given: dict[str, Any], address: str) -> None:
    options = ServeOptions(**given)
    options.require_sound(has_issuer=not options.is_private)
    assert options.address(8_765) == address


@pytest.mark.parametrize(
    ("methods", "listens"),
    [
        ([LISTEN], True),
        ([LISTEN, b"tools/call"], True),
        ([b"tools/call", LISTEN], False),  # the call that the SDK makes of it comes to its end
        ([b"Subscriptions/Listen"], False),
        ([], False),
    ],
)
def test_a_request_listens_where_its_first_method_says_so(methods: list[bytes], listens: bool) -> None:
    headers = [(b"host", b"localhost"), *((b"mcp-method", method) for method in methods)]
    assert only_listens({"type": "http", "method": "POST", "headers": headers}) == listens


async def test_a_token_file_holds_only_while_nobody_else_may_read_it(tmp_path: Path) -> None:
    file = token_file(tmp_path)
    for mode, holds in ((0o600, True), (0o604, False), (0o600, True), (0o620, False), (0o400, True)):
        file.path.chmod(mode)
        assert ((await file.verify(TOKEN)) is not None, mode) == (holds, mode)
    (tmp_path / "elsewhere").mkdir()
    other = token_file(tmp_path / "elsewhere", planted.CLARKY_KEY.value + "x").path
    other.replace(file.path)  # as many bytes, put in its place
    assert await file.verify(TOKEN) is None
    assert await file.verify(planted.CLARKY_KEY.value + "x") is not None
    file.path.unlink()
    file.path.mkdir(mode=0o700)
    assert await file.verify(planted.CLARKY_KEY.value + "x") is None


async def test_a_new_token_in_the_file_holds_at_once_and_the_old_one_no_longer(tmp_path: Path) -> None:
    file = token_file(tmp_path)
    caller = await file.verify(TOKEN)
    assert caller is not None and caller.actor == "agent:token-file" and not caller.actor.may_approve
    token_file(tmp_path, planted.CLARKY_KEY.value + "x")
    assert await file.verify(TOKEN) is None
    file.path.chmod(0o640)
    assert await file.verify(planted.CLARKY_KEY.value + "x") is None
    file.path.unlink()
    assert await file.verify("") is None


BAD_FILES = {"empty": "", "short": "x" * 31, "two": f"{TOKEN} {TOKEN}", "letters": "ä" * 40, "long": "x" * 5_000}


@pytest.mark.parametrize("text", BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_file_without_a_whole_token_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match="one token of 32 to 4096 characters") as refused:
        token_file(tmp_path, text).require_sound()
    assert TOKEN not in json.dumps(refused.value.args)


LISTENING = 100


def test_streams_that_only_listen_keep_nobody_out_and_end_with_the_server(world: PageWorld) -> None:
    listen: dict[str, Any] = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "subscriptions/listen",
        "params": {
            "notifications": {},
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        },
    }
    body = json.dumps(listen).encode()
    streams: list[socket.socket] = []
    try:
        with serving(world) as served:
            head = _head(served.port) + b"Accept: application/json, text/event-stream\r\n"
            whole = head + b"Mcp-Method: subscriptions/listen\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
            for _ in range(LISTENING):
                streams.append(socket.create_connection(("127.0.0.1", served.port), timeout=60))
                streams[-1].sendall(whole)
            firsts = [stream.recv(65_536) for stream in streams]
            assert served.tool("list_blueprints").status == 200
        ends = [_rest(stream) for stream in streams]
    finally:
        for stream in streams:
            stream.close()
    assert all(first.startswith(b"HTTP/1.1 200") and b"text/event-stream" in first for first in firsts)
    assert all(end.endswith(b"0\r\n\r\n") for end in ends)  # a whole answer, not one that breaks off


def _rest(stream: socket.socket) -> bytes:
    data = b""
    while piece := stream.recv(65_536):
        data += piece
    return data


@pytest.mark.parametrize("is_held", [True, False], ids=["while nothing comes", "after something came"])
async def test_a_stream_that_ends_by_itself_leaves_nothing_that_waits_for_the_drain(is_held: bool) -> None:
    asked, silent = asyncio.Event(), asyncio.Event()

    async def receive() -> Message:
        asked.set()
        if is_held:
            await silent.wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def listens(scope: Scope, receive: Receive, send: Send) -> None:
        listening = asyncio.ensure_future(receive())
        await asked.wait()
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening

    async def send(message: Message) -> None:
        raise AssertionError(message)

    before = asyncio.all_tasks()
    for _ in range(10):
        asked.clear()
        await passed_until(asyncio.Event(), listens, ({"type": "http"}, receive, send))
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
