"""A data folder with a passphrase, and its page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_world import Visitor, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return an empty world in which a passphrase was chosen."""
    world = World(tmp_path / "data")
    world.lock_up()
    return world


@pytest.fixture
def visitor(world: World) -> Iterator[Visitor]:
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
