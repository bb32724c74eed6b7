"""The worlds as fixtures: a folder's conftest imports the one its tests stand on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.world.bureau import Bureau
from tests.world.local_world import World


@pytest.fixture
def bureau(tmp_path: Path) -> Bureau:
    """The product on an empty database, at noon of a Monday, writing to its outbox."""
    return Bureau.at(tmp_path)


@pytest.fixture(name="world")
def embedded(tmp_path: Path) -> Iterator[World]:
    """The embedded provider on an empty database."""
    world = World.open(tmp_path)
    yield world
    world.store.close()
