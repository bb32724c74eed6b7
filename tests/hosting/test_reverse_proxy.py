"""Behind a real nginx, set up as docs/hosting.md says: requests that two programs could read in two ways.

Nobody gets another's answer, no header of a client gives trust, no spelling of a path leads to another tenant.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.hosting.test_tenants import token
from tests.world.http_server import MODERN, Served, serving
from tests.world.issuer import PUBLIC, Issuer, issuing
from tests.world.page import PageWorld
from tests.world.reverse_proxy import NAME, NGINX, Proxy, everything, proxied, statuses
from tests.world.tenants import ACME, HOPPER, TenantsWorld, at, serving_tenants

from sequences_mcp.server.http.opt_out import build_opt_out
from sequences_mcp.server.http.options import ServeOptions, path_of_tenant
from sequences_mcp.server.http.sites import HostedPage

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not here")
BEHIND = ServeOptions(public_url=PUBLIC, proxies=("127.0.0.1",))
HIDDEN = f"GET /smuggled HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode()
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}
CALLED = {"name": "list_blueprints", "arguments": {}, "_meta": ENVELOPE}
CALL = json.dumps({"jsonrpc": "2.0", "id": "mine", "method": "tools/call", "params": CALLED}).encode()
CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(CALL), CALL)
TE = "Transfer-Encoding: chunked\r\n"
LONG = f"X: {'a' * 1000}\r\n"
WHERE = path_of_tenant(ACME)


class Crowd(NamedTuple):
    """Two tenants on one server, the two ways to it, and a token for each of them."""

    served: Served
    apart: Proxy  # a connection to the server for each request
    shared: Proxy  # one for all requests
    acme: str
    hopper: str


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """An issuer with one key."""
    with issuing() as made:
        yield made


@pytest.fixture(scope="module")
def crowd(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    """The server with both proxies before it."""
    world = TenantsWorld(tmp_path_factory.mktemp("tenants"))
    world.tenant(ACME)
    world.tenant(HOPPER)
    folders = [tmp_path_factory.mktemp(name) for name in ("apart", "shared")]
    with (
        serving_tenants(world, issuer, BEHIND) as served,
        proxied(served.port, folders[0]) as apart,
        proxied(served.port, folders[1], is_shared=True) as shared,
    ):
        yield Crowd(served, apart, shared, token(issuer, ACME), token(issuer, HOPPER))


def request(
    bearer: str,
    more: str = "",
    body: bytes = CALL,
    *,
    line: str = f"POST {WHERE} HTTP/1.1",
    host: str = f"Host: {NAME}\r\n",
    length: bool = True,
    closes: bool = True,
) -> bytes:
    """Return the bytes of a call, the last on its connection: what comes after it must never be a request."""
    head = f"{line}\r\n{host}Authorization: Bearer {bearer}\r\nContent-Type: application/json\r\n"
    head += f"Accept: application/json, text/event-stream\r\nMcp-Protocol-Version: {MODERN}\r\n"
    head += "Mcp-Method: tools/call\r\nMcp-Name: list_blueprints\r\n"
    head += f"Content-Length: {len(body)}\r\n" if length else ""
    head += "Connection: close\r\n" if closes else ""
    return f"{head}{more}\r\n".encode() + body


class Attack(NamedTuple):
    """Headers and a body; what the proxy answers, and what this server does where there is no proxy."""

    more: str
    body: bytes
    proxy: int
    alone: int
    length: bool = False
    line: str = f"POST {WHERE} HTTP/1.1"


ATTACKS = {
    "both lengths": Attack(TE, b"0\r\n\r\n" + HIDDEN, 400, 400, length=True),
    "chunks that a length cuts": Attack(TE + "Content-Length: 4\r\n", CHUNKED + HIDDEN, 400, 400),
    "two encodings": Attack(TE + "Transfer-Encoding: identity\r\n", CHUNKED + HIDDEN, 400, 400),
    "a list of encodings": Attack("Transfer-Encoding: identity, chunked\r\n", CHUNKED + HIDDEN, 501, 400),
    "an unknown encoding": Attack("Transfer-Encoding: xchunked\r\n", CHUNKED + HIDDEN, 501, 400),
    "a tab before the encoding": Attack("Transfer-Encoding:\tchunked\r\n", CHUNKED + HIDDEN, 501, 200),
    "a control before the encoding": Attack("Transfer-Encoding: \x0bchunked\r\n", CHUNKED + HIDDEN, 501, 400),
    "a space before the colon": Attack("Transfer-Encoding : chunked\r\n", CHUNKED + HIDDEN, 400, 400),
    "a folded encoding": Attack("Transfer-Encoding:\r\n chunked\r\n", CHUNKED + HIDDEN, 400, 200),
    "an encoding with an underscore": Attack("Transfer_Encoding: chunked\r\n", CALL, 200, 200, length=True),
    "the same length twice": Attack(f"Content-Length: {len(CALL)}\r\n", CALL, 400, 200, length=True),
    "two lengths that differ": Attack("Content-Length: 3\r\n", CALL, 400, 400, length=True),
    "a list of lengths": Attack(f"Content-Length: {len(CALL)}, {len(CALL)}\r\n", CALL, 400, 200),
    "a length with a sign": Attack(f"Content-Length: +{len(CALL)}\r\n", CALL, 400, 400),
    "a length below zero": Attack("Content-Length: -1\r\n", CALL, 400, 400),
    "a line that ends too early": Attack("X: a\rTransfer-Encoding: chunked\r\n", CALL, 400, 400, length=True),
    "a zero byte": Attack("X: a\0b\r\n", CALL, 400, 400, length=True),
    "a plain line feed": Attack("X: a\nY: b\r\n", CALL, 200, 200, length=True),
    "chunks": Attack(TE, CHUNKED, 200, 200),
    "chunks and more": Attack(TE, CHUNKED + HIDDEN, 200, 200),
    "an extension of a chunk": Attack(TE, CHUNKED.replace(b"\r\n", b';a="b"\r\n', 1) + HIDDEN, 200, 200),
    "an extension that a line feed ends": Attack(TE, CHUNKED.replace(b"\r\n", b";a\n", 1) + HIDDEN, 200, 400),
    "a chunk below zero": Attack(TE, b"-1\r\n" + CHUNKED, 400, 400),
    "a trailer that would be a token": Attack(TE, CHUNKED[:-2] + b"Authorization: Bearer x\r\n\r\n", 200, 200),
    "more than the length": Attack(f"Content-Length: {len(CALL)}\r\n", CALL + HIDDEN, 200, 200),
    "chunks of an older client": Attack(TE, CHUNKED + HIDDEN, 400, 400, line=f"POST {WHERE} HTTP/1.0"),
    "a body where there is none": Attack("", HIDDEN, 405, 405, length=True, line=f"GET {WHERE} HTTP/1.1"),
    "an expectation": Attack("Expect: 100-continue\r\n", CALL, 200, 200, length=True),
    "an unknown expectation": Attack("Expect: x\r\n", CALL, 200, 200, length=True),
    "another protocol": Attack("Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n", CALL, 200, 200, length=True),
    "a tunnel": Attack("", b"", 400, 404, line=f"CONNECT {NAME}:443 HTTP/1.1"),
    "an echo": Attack("", b"", 405, 405, line=f"TRACE {WHERE} HTTP/1.1"),
    "a head of 20 KB": Attack(20 * LONG, CALL, 431, 431, length=True),
    "a head of 40 KB": Attack(40 * LONG, CALL, 400, 431, length=True),
    "a whole address": Attack("", CALL, 200, 404, length=True, line=f"POST {PUBLIC}{WHERE} HTTP/1.1"),
    "another's address": Attack(
        "", CALL, 421, 404, length=True, line=f"POST https://evil.example{WHERE} HTTP/1.1"
    ),
    "a version of its own": Attack("", CALL, 400, 400, length=True, line=f"POST {WHERE} HTTP/1.1 x"),
}


def test_what_two_programs_could_read_differently_is_one_request_or_none(crowd: Crowd) -> None:
    served, last = crowd.served, {}
    for name, attack in ATTACKS.items():
        sent = request(crowd.hopper, attack.more, attack.body, line=attack.line, length=attack.length)
        alone = request(crowd.acme, attack.more, attack.body, line=attack.line, length=attack.length)
        said = [crowd.apart.says(alone), crowd.shared.says(alone), crowd.shared.says(sent)]
        with socket.create_connection(("127.0.0.1", served.port), 60) as connection:
            said.append(everything(connection, alone))
        last[name] = [statuses(one)[-1:] for one in (said[0], said[1], said[3])]
        # Whoever comes next on the connection to the server gets the answer to what they asked.
        victim = crowd.shared.says(request(crowd.acme, body=CALL.replace(b'"mine"', b'"theirs"')))
        assert statuses(victim) == [200] and b'"id":"theirs"' in victim, name
        assert b'"mine"' not in victim and b'"theirs"' not in b"".join(said), name
    # Newer versions of nginx refuse more of them.
    wrong = {
        name: last[name]
        for name, attack in ATTACKS.items()
        if last[name][2] != [attack.alone] or any(one not in ([attack.proxy], [400]) for one in last[name][:2])
    }
    assert not wrong
    assert at(served, ACME).tool("list_blueprints", token=crowd.acme).status == 200
    assert not [line for line in served.log if "smuggled" in line["path"] or line["status"] >= 500]


def test_requests_one_after_the_other_on_a_connection_are_answered_in_their_order(crowd: Crowd) -> None:
    theirs = request(crowd.hopper, body=CALL.replace(b"mine", b"second"), closes=False)  # of another tenant
    sent = request(crowd.acme, closes=False) + theirs + request(crowd.acme, body=CALL.replace(b"mine", b"third"))
    for proxy in (crowd.apart, crowd.shared):
        said = proxy.says(sent)
        assert statuses(said) == [200, 401, 200]
        assert re.findall(rb'"id":"(\w+)"', said) == [b"mine", b"third"]


HOSTS = {
    f"Host: {NAME}\r\nHost: evil.example\r\n": 400,
    f"Host: evil.example\r\nHost: {NAME}\r\n": 400,
    "": 400,
    "Host: evil.example\r\n": 421,
    "Host: localhost\r\n": 421,
    f"Host: {NAME}.evil.example\r\n": 421,
    f"Host: {NAME}/x\r\n": 400,
    "Host: localhost@evil.example\r\n": 421,
    f"Host: {NAME}:443\r\n": 200,
}


def test_a_request_for_another_host_does_not_come_through(crowd: Crowd) -> None:
    found = {host: statuses(crowd.apart.says(request(crowd.acme, host=host))) for host in HOSTS}
    assert found == {host: [status] for host, status in HOSTS.items()}


PATHS = (
    "//t/acme/mcp",
    "/t//acme/mcp",
    "/t/acme/mcp/",
    "/t/acme/mcp/..;/",
    "/t/hopper-and-sons/../acme/mcp",
    "/t/hopper-and-sons/%2e%2e/acme/mcp",
    "/t/hopper-and-sons/..%2facme/mcp",
    "/t/hopper-and-sons/mcp/../../acme/mcp",
    "/t/hopper-and-sons/..;/acme/mcp",
    "/t/acme%2fmcp",
    "/t/%61cme/mcp",
    "/t/acme/mcp%00",
    "/t/acme/mcp%20",
    "/t/acme/mcp;x",
    "/t/acme/mcp#x",
    "/t/acme/./mcp",
    "/t/acme\\mcp",
    "/t/ACME/mcp",
    "/T/acme/mcp",
    "/../t/acme/mcp",
    "t/acme/mcp",
    "//mcp",
    "/mcp",
    "*",
)


def test_no_spelling_of_a_path_but_its_own_leads_to_a_tenant(crowd: Crowd) -> None:
    for bearer in (crowd.acme, crowd.hopper):
        for path in PATHS:
            sent = request(bearer, line=f"POST {path} HTTP/1.1")
            with socket.create_connection(("127.0.0.1", crowd.served.port), 60) as connection:
                said = [crowd.apart.says(sent), everything(connection, sent)]
            assert [statuses(one) in ([400], [404]) for one in said] == [True, True], (path, said)
    query = request(crowd.hopper, line=f"POST {path_of_tenant(HOPPER)}?x={WHERE} HTTP/1.1")
    assert statuses(crowd.apart.says(query)) == [200]
    others = [line for line in crowd.served.log if line["path"] not in (WHERE, path_of_tenant(HOPPER))]
    assert {line["status"] for line in others} <= {400, 404}


FORGED = "".join(
    f"{name}: {value}\r\n"
    for name, value in {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Prefix": "/evil",
        "X-Forwarded-User": "root",
        "X-Real-IP": "203.0.113.9",
        "X-Original-URL": WHERE,
        "X-Rewrite-URL": WHERE,
        "X-HTTP-Method-Override": "GET",
        "Forwarded": 'for="203.0.113.9";host=evil.example;proto=http',
        "X_Forwarded_For": "203.0.113.9",
        "Authorization_": "Bearer x",
    }.items()
)


def test_what_a_client_says_of_its_way_here_is_not_believed(crowd: Crowd) -> None:
    path = path_of_tenant(HOPPER)
    for proxy in (crowd.apart, crowd.shared):
        said = proxy.says(request("no token", FORGED))
        assert statuses(said) == [401]
        assert f'resource_metadata="{PUBLIC}/.well-known/oauth-protected-resource{WHERE}"'.encode() in said
        assert statuses(proxy.says(request(crowd.acme, FORGED, line=f"POST {path} HTTP/1.1"))) == [401]
        assert statuses(proxy.says(request(crowd.hopper, FORGED, line=f"POST {path} HTTP/1.1"))) == [200]
    assert {line["client"] for line in crowd.served.log} == {"127.0.0.1"}


def test_no_header_lets_a_client_ask_more_often(world: PageWorld, tmp_path: Path) -> None:
    options = ServeOptions(public_url=PUBLIC, proxies=("127.0.0.1",), per_minute=3)
    page = HostedPage(build_opt_out(world.app), frozenset({NAME}))
    folder = tmp_path / "nginx"
    folder.mkdir()
    with (
        serving(world, options, opt_out=page, elapsed=lambda: 0.0) as served,
        proxied(served.port, folder) as proxy,
    ):
        sent = [
            f"POST /u/x HTTP/1.1\r\nHost: {NAME}\r\nX-Forwarded-For: 203.0.113.{n}\r\n"
            f"Forwarded: for=203.0.113.{n}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
            for n in range(5)
        ]
        assert [statuses(proxy.says(one)) for one in sent] == [[200], [200], [200], [429], [429]]


HEAD = [
    (b":method", b"POST"),
    (b":scheme", b"https"),
    (b":path", WHERE.encode()),
    (b":authority", NAME.encode()),
    (b"content-type", b"application/json"),
    (b"accept", b"application/json, text/event-stream"),
    (b"mcp-protocol-version", MODERN.encode()),
    (b"mcp-method", b"tools/call"),
    (b"mcp-name", b"list_blueprints"),
]
Changed = dict[bytes, bytes | None]
FRAMES: dict[str, tuple[Changed, list[tuple[bytes, bytes]], str]] = {
    "an encoding": ({}, [(b"transfer-encoding", b"chunked")], "200"),  # which is left out
    "a length that is too short": ({}, [(b"content-length", b"3")], "400"),
    "a length that is too long": ({}, [(b"content-length", b"9999")], "400"),
    "a line's end in a value": ({}, [(b"x", b"a\r\nTransfer-Encoding: chunked")], "reset"),
    "a line feed in a value": ({}, [(b"x", b"a\nTransfer-Encoding: chunked")], "reset"),
    "a line's end in a name": ({}, [(b"x: a\r\ntransfer-encoding", b"chunked")], "reset"),
    "a colon in a name": ({}, [(b"transfer-encoding:", b"chunked")], "reset"),
    "a request in the path": ({b":path": b"/x HTTP/1.1\r\nHost: y\r\n\r\nGET /smuggled"}, [], "reset"),
    "a space in the path": ({b":path": b"/smuggled HTTP/1.1 x"}, [], "400"),
    "a request in the method": ({b":method": b"GET /smuggled HTTP/1.1\r\n\r\nPOST"}, [], "reset"),
    "a line's end in the host": ({b":authority": b"mcp.example.com\r\nX: y"}, [], "reset"),
    "another host": ({b":authority": b"evil.example"}, [], "421"),
    "another host as well": ({}, [(b"host", b"evil.example")], "400"),
    "a second path": ({}, [(b":path", b"/smuggled")], "400"),
    "no path": ({b":path": None}, [], "400"),
    "a large head": ({}, [(b"x-%d" % n, b"a" * 1000) for n in range(20)], "431"),
    "nothing amiss": ({}, [], "200"),
}


def test_a_request_of_http_2_becomes_one_of_http_1_or_none(crowd: Crowd) -> None:
    found = {}
    for name, (changed, more, _) in FRAMES.items():
        given = [(key, changed.get(key, value)) for key, value in HEAD]
        headers = [(key, value) for key, value in given if value is not None]
        headers += [(b"authorization", f"Bearer {crowd.acme}".encode()), *more]
        found[name] = crowd.shared.frames(headers, CALL)
        assert statuses(crowd.shared.says(request(crowd.acme))) == [200], name
    wrong = {name: found[name] for name, (_, _, status) in FRAMES.items() if found[name] not in (status, "400")}
    assert not wrong
    assert not [line for line in crowd.served.log if "smuggled" in line["path"]]
