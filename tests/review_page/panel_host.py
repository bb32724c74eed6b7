"""A host of MCP Apps in a real browser: its page, and a server for it that passes requests on to an MCP client."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from playwright.sync_api import Browser, FrameLocator, Page, expect
from tests.world.page import PASSPHRASE, Bridge, PageWorld

FILES = Path(__file__).parent / "host"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}


@dataclass
class Panel:
    """A person before the panel in a chat."""

    tab: Page
    bridge: Bridge
    shots: Path
    frame: FrameLocator = field(init=False)

    def __post_init__(self) -> None:
        self.frame = self.tab.frame_locator("#view")

    def button(self, name: str) -> Any:
        """Find a button of the panel."""
        return self.frame.get_by_role("button", name=name)

    def reads(self) -> None:
        """Scroll through all there is to read, until the panel has reported that it was on screen."""
        letters = self.frame.locator("[data-mark]")
        letters.first.wait_for()
        for place in range(letters.count()):
            letters.nth(place).scroll_into_view_if_needed()
        expect(self.frame.locator(".duties li.done").first).to_be_visible()

    def types(self, given: str = PASSPHRASE) -> None:
        """Read, tick the warnings where there are any, then type the passphrase and press Enter."""
        self.reads()
        if self.frame.locator("#warned").count():
            self.frame.locator("#warned").check()
        self.frame.get_by_label("Your passphrase").fill(given)
        self.frame.get_by_label("Your passphrase").press("Enter")

    def photographs(self, name: str) -> None:
        """Make the window as high as the chat, and keep a picture of it where somebody wants to see it."""
        height = self.tab.evaluate("document.documentElement.scrollHeight")
        width = self.tab.viewport_size["width"] if self.tab.viewport_size else 860
        self.tab.set_viewport_size({"width": width, "height": min(height, 4000)})
        drawn = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        for frame in self.tab.frames:
            frame.evaluate(drawn)
        if os.environ.get("SCREENSHOTS"):
            self.shots.mkdir(parents=True, exist_ok=True)
            self.tab.screenshot(path=self.shots / f"{name}.png", full_page=True)


@contextmanager
def panel(browser: Browser, world: PageWorld, shots: Path, *, width: int = 860, **options: Any) -> Iterator[Panel]:
    """Serve a host and open an empty tab in it; ``shows`` leads it to a tool's result."""
    with Bridge(world) as bridge, served(bridge) as origin:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(60_000)
        tab = context.new_page()
        tab.set_extra_http_headers({"x-origin": origin})
        try:
            found = Panel(tab, bridge, shots)
            found.tab.goto(f"{origin}/empty.html")
            yield found
        finally:
            context.close()


def shows(found: Panel, tool: str, theme: str = "light", **arguments: Any) -> None:
    """Let a model call a tool, whose result the panel shows."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(found.tab.url))
    found.tab.goto(f"{origin}/host.html?tool={tool}&theme={theme}&arguments={quote(json.dumps(arguments))}")


@contextmanager
def served(bridge: Bridge) -> Iterator[str]:
    """Serve the host's page and its bridge on loopback."""

    class Host(BaseHTTPRequestHandler):
        """The host's own server."""

        def do_GET(self) -> None:
            """Send one of the host's files."""
            path = FILES / urlsplit(self.path).path.lstrip("/")
            found = path.is_file() and path.parent == FILES
            self._answer(path.read_bytes() if found else b"", KINDS.get(path.suffix, "text/plain"))

        def do_POST(self) -> None:
            """Pass a request on."""
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with suppress(ConnectionError):  # the page is left, and nobody reads it
                answer = bridge.ask(body["method"], body["params"])
                self._answer(json.dumps(answer).encode(), "application/json")

        def _answer(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(server.serve_forever)
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:  # else the pool would wait for it for ever after a test that failed
            server.shutdown()
            server.server_close()
