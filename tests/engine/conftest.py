"""What the tests of the embedded provider stand on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from local_world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Yield a fresh world."""
    world = World.open(tmp_path)
    yield world
    world.store.close()
