"""A data folder with a passphrase, and its page."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.world.page import PageWorld, Visitor
from tests.world.vendors import Sandbox, Server, token_of


@pytest.fixture
def world(tmp_path: Path) -> PageWorld:
    """Return an empty world in which a passphrase was chosen."""
    world = PageWorld(tmp_path / "data")
    world.lock_up()
    return world


@pytest.fixture
def visitor(world: PageWorld) -> Iterator[Visitor]:
    """Yield somebody who found the page and has not unlocked it."""
    with world.page() as visitor:
        yield visitor


@pytest.fixture
def person(visitor: Visitor) -> Visitor:
    """Return the person, who has unlocked the page."""
    visitor.unlock()
    return visitor


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where pictures of screens are kept: the folder SCREENSHOTS names, for a build to keep."""
    return Path(os.environ.get("SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))


@pytest.fixture
def clarky(world: PageWorld) -> Iterator[Sandbox]:
    """Connect the three vendors, which are the sandbox on loopback."""
    with Server().running() as served, ThreadPoolExecutor(1) as thread:
        runner = asyncio.Runner()
        sandbox: Any = served.sandbox()  # in a thread of its own: a browser's driver has a loop in this
        opened: Sandbox = thread.submit(runner.run, sandbox.__aenter__()).result()
        opened.clock.now = world.clock.now
        world.more |= {
            "CLARKY_API_KEY": token_of("clarky"),
            "CLARKY_BASE_URL": f"{served.origin}/clarky/api/v1",
            "KALENT_API_KEY": token_of("kalent"),
            "KALENT_BASE_URL": f"{served.origin}/kalent/api",
            "TOPO_API_KEY": token_of("topo"),
            "TOPO_BASE_URL": f"{served.origin}/topo/v1",
        }
        yield opened
        thread.submit(runner.run, sandbox.__aexit__(None, None, None)).result()
        thread.submit(runner.close).result()
