"""A real browser at the real page: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from tests.secrecy.hearing import heard, learnt
from tests.world.page import PASSPHRASE, PageWorld, Visitor

from sequences_mcp.review.lock.first_visit import FolderSetup

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE = {"width": 390, "height": 800}
DESK = {"width": 1100, "height": 900}
PATIENCE = 60_000  # milliseconds; only ends what has failed


@dataclass
class Screen:
    """One tab, and where its page is."""

    tab: Page
    visitor: Visitor
    shots: Path

    def opens(self, path: str) -> None:
        """Go to a path of the page."""
        self.tab.goto(f"{self.visitor.origin}{path}")

    def unlocks(self) -> None:
        """Type the passphrase as a person does."""
        self.tab.get_by_label("Passphrase").fill(PASSPHRASE)
        self.tab.get_by_role("button", name="Unlock").click()
        self.tab.get_by_role("button", name="Lock", exact=True).wait_for()

    def photographs(self, name: str) -> None:
        """Keep a picture of the whole screen, where somebody wants to see it: drawing one takes long."""
        if not os.environ.get("SCREENSHOTS"):
            return
        self.shots.mkdir(parents=True, exist_ok=True)
        self.tab.screenshot(path=self.shots / f"{name}.png", full_page=True)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser; without one these tests are left out."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("there is no Chromium on this machine")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def screen(
    browser: Browser, world: PageWorld, shots: Path, *, setup: FolderSetup | None = None, **options: Any
) -> Iterator[Screen]:
    """Serve the world's page and open an empty tab for it."""
    with world.page(setup=setup) as visitor:
        context = browser.new_context(**{"viewport": DESK, **options})
        context.set_default_timeout(PATIENCE)
        try:
            yield Screen(context.new_page(), visitor, shots)
        finally:
            _noted(context)
            context.close()


def _noted(context: BrowserContext) -> None:
    """Tell the search for secrets what the browser knows and shows."""
    for cookie in context.cookies():
        learnt("a session's cookie", cookie.get("value", ""))
    for tab in context.pages:
        heard("a page in the browser", tab.content())
