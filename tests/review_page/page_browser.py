"""A real browser at the real page: Debian's Chromium, driven by Playwright, and axe-core in it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Frame,
    Page,
    Playwright,
    ViewportSize,
    expect,
    sync_playwright,
)
from tests.secrecy.hearing import heard, learnt
from tests.world.page import PASSPHRASE, PageWorld, Visitor

from sequences_mcp.review.lock.first_visit import FolderSetup

# The first that is there. The headless shell has no window around its pages: that takes two thirds of the time.
PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome")
# What is left out: Playwright's own list (chromiumSwitches.ts), which the browser forgets when given another,
# then the suggestions under an address bar that nobody types into, and processes begun before they are needed.
LEFT_OUT = (
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,"
    "HttpsFirstBalancedModeAutoEnable,LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,"
    "AvoidCorsURLLoaderRestartOnRedirect,OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch,"
    "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,SpareRendererForSitePerProcess"
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={LEFT_OUT}",
)
AXE, WITHOUT_AXE = os.environ.get("AXE_CORE"), "AXE_CORE does not name axe-core's axe.min.js"
PHONE = ViewportSize(width=390, height=800)
DESK = ViewportSize(width=1100, height=900)
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
        self.tab.wait_for_load_state()  # the page's script has run by then

    def photographs(self, name: str) -> None:
        """Keep a picture of the whole screen, where somebody wants to see it: drawing one takes long."""
        if not os.environ.get("SCREENSHOTS"):
            return
        self.shots.mkdir(parents=True, exist_ok=True)
        self.tab.screenshot(path=self.shots / f"{name}.png", full_page=True)


def _program() -> str:
    """Return the browser's program; without one these tests are left out."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        pytest.skip("there is no Chromium on this machine")
    return found


class RunningBrowser:
    """One browser for many tests, started when the first of them takes it.

    Playwright's driver keeps its event loop marked as running in the thread that it was started in. The mark is
    taken off while nobody has the browser, so that the tests between can run loops of their own.
    """

    def __init__(self, *flags: str) -> None:
        self._flags = (*FLAGS, *flags)
        self._driver: Playwright | None = None
        self._browser: Browser | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def taken(self) -> Iterator[Browser]:
        """Yield the browser; start another one when it has crashed."""
        asyncio._set_running_loop(self._loop)
        try:
            program = _program()
            if self._driver is None:
                expect.set_options(timeout=PATIENCE)
                self._driver = sync_playwright().start()
                self._loop = asyncio.get_running_loop()
            if self._browser is None or not self._browser.is_connected():
                self._browser = self._driver.chromium.launch(executable_path=program, args=list(self._flags))
            yield self._browser
        finally:
            asyncio._set_running_loop(None)

    def close(self) -> None:
        """End the browser and its driver."""
        if self._driver is not None:
            asyncio._set_running_loop(self._loop)
            if self._browser is not None:
                self._browser.close()
            self._driver.stop()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser."""
    one = RunningBrowser()
    try:
        with one.taken() as browser:
            yield browser
    finally:
        one.close()


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


def violations(place: Page | Frame) -> list[str]:
    """Return what axe-core finds wrong with a page as it is now: each rule, with the elements that break it.

    What it finds right is not asked for: to list that takes three quarters of the time.
    """
    if not AXE:
        pytest.skip(WITHOUT_AXE)
    if not place.evaluate("'axe' in window"):
        place.evaluate(Path(AXE).read_text())
    found = place.evaluate("axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations)")
    return [f"{one['id']}: {[node['html'] for node in one['nodes']]}" for one in found]
