"""A page of another web site that calls the server from a browser: where its site was named, and with a token."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser
from tests.secrecy.hearing import heard
from tests.world.http_server import JSON, MODERN, TOKEN, Served, serving
from tests.world.issuer import PUBLIC, issuing, signed_in
from tests.world.page import PageWorld

from sequences_mcp.server.http.options import ServeOptions

CALLS = """async ([url, headers, body, credentials]) => {
  try {
    const method = body ? "POST" : "GET";
    const answer = await fetch(url, {method, headers, credentials, body: body ? JSON.stringify(body) : undefined});
    const read = (name) => answer.headers.get(name);
    return {status: answer.status, text: await answer.text(), session: read("mcp-session-id"),
            challenge: read("www-authenticate"), wait: read("retry-after"), other: read("x-content-type-options")};
  } catch (error) { return {status: 0, text: String(error)}; }
}"""
META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": META}}
MODERN_HEADERS = {**JSON, "Mcp-Protocol-Version": MODERN, "Mcp-Method": "tools/list"}
OPENING = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "a page", "version": "1"},
    },
}


@pytest.fixture(scope="module")
def site() -> Iterator[int]:
    """A web site of somebody's, under two names: the port of both."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>A chat</title>")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def calls(
    browser: Browser, origin: str, url: str, headers: dict[str, str], body: object, *, credentials: str = "omit"
) -> dict[str, Any]:
    """Return what a page of an origin gets to see of an answer."""
    page = browser.new_page()
    try:
        page.goto(origin)
        seen: dict[str, Any] = page.evaluate(CALLS, [url, headers, body, credentials])
        heard("what a page saw", json.dumps(seen))
        return seen
    finally:
        page.close()


def test_a_page_of_a_listed_site_uses_the_server_in_both_eras_and_one_of_another_learns_nothing(
    world: PageWorld, browser: Browser, site: int
) -> None:
    listed, other = f"http://127.0.0.1:{site}", f"http://localhost:{site}"
    token = {"Authorization": f"Bearer {TOKEN}"}
    with serving(world, ServeOptions(origins=(listed,))) as served:
        modern = calls(browser, listed, served.url, {**MODERN_HEADERS, **token}, LIST)
        legacy = calls(browser, listed, served.url, {**JSON, **token}, OPENING)
        nobody = calls(browser, listed, served.url, MODERN_HEADERS, LIST)
        with_cookies = calls(browser, listed, served.url, {**MODERN_HEADERS, **token}, LIST, credentials="include")
        before = len(served.lines)
        foreign = calls(browser, other, served.url, {**MODERN_HEADERS, **token}, LIST)
        simple = calls(browser, other, served.url, {"Content-Type": "text/plain"}, LIST)
        assert served.ask("GET", "/none").status == 404
        asked = served.log[before:-1]
    assert modern["status"] == 200 and "list_blueprints" in modern["text"] and modern["other"] is None
    assert legacy["status"] == 200 and legacy["session"]
    assert nobody["status"] == 401 and nobody["challenge"].startswith("Bearer")
    assert [one["status"] for one in (with_cookies, foreign, simple)] == [0, 0, 0]
    assert [(line["method"], line["status"]) for line in asked] == [("OPTIONS", 403), ("POST", 403)]


def test_without_a_listed_site_no_page_learns_anything(world: PageWorld, browser: Browser, site: int) -> None:
    with serving(world) as served:
        token = {"Authorization": f"Bearer {TOKEN}"}
        seen = calls(browser, f"http://127.0.0.1:{site}", served.url, {**MODERN_HEADERS, **token}, LIST)
        assert served.ask("GET", "/none").status == 404
        assert seen["status"] == 0 and [line["status"] for line in served.log][:-1] == [403]


def preflight(served: Served, origin: str, *, method: str = "POST", headers: str = "authorization") -> Any:
    """Return what a browser is told before a call."""
    return served.ask(
        "OPTIONS",
        token="",
        Host="mcp.example.com",
        Origin=origin,
        Access_Control_Request_Method=method,
        Access_Control_Request_Headers=headers,
    )


def test_a_browser_is_told_of_one_site_no_cookies_and_what_the_protocol_needs(
    world: PageWorld,
) -> None:
    options = ServeOptions(public_url=PUBLIC, origins=("https://chat.example", "https://Other.example"))
    with issuing() as issuer, signed_in(world, issuer, options) as served:
        told = preflight(
            served, "https://chat.example", headers="authorization, content-type, mcp-name, mcp-method"
        )
        lower = preflight(served, "https://other.example")
        refused = [
            preflight(served, "https://chat.example", method="PUT"),
            preflight(served, "https://chat.example", headers="x-forwarded-for"),
            preflight(served, "https://chat.example.evil.example"),
            preflight(served, "null"),
        ]
        where = "/.well-known/oauth-protected-resource/mcp"
        metadata = served.ask("GET", where, token="", Host="mcp.example.com", Origin="https://chat.example")
        own = served.ask("GET", where, token="", Host="mcp.example.com")
        answers = [told, lower, metadata, own, *refused]
    assert (told.status, told.headers["access-control-allow-origin"]) == (200, "https://chat.example")
    assert told.headers["access-control-allow-methods"] == "GET, POST, DELETE"
    assert lower.headers["access-control-allow-origin"] == "https://other.example"
    assert [one.status for one in refused] == [400, 400, 403, 403]
    assert [one.headers.get("access-control-allow-origin") for one in refused[2:]] == [None, None]
    assert metadata.headers["access-control-allow-origin"] == "https://chat.example"
    assert "access-control-allow-origin" not in own.headers
    assert all("origin" in one.headers["vary"].lower() for one in (told, metadata, own))
    assert not any("access-control-allow-credentials" in one.headers for one in answers)
    assert not any(one.headers.get("access-control-allow-origin") == "*" for one in answers)
