"""One database a test, in a folder of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.world.data_folder import Clock
from tests.world.product import ERAS, World
from tests.world.product import bureau as bureau
from tests.world.vendors import Connected, Server, connected


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> str:
    """Each era of the protocol in turn: with and without a handshake."""
    return str(request.param)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A server on an empty database, at noon of a Monday."""
    return World(folder=tmp_path / "data", clock=Clock(), changes={})


@pytest_asyncio.fixture
async def vendors(tmp_path: Path, served: Server) -> AsyncIterator[Connected]:
    """A server on an empty database, with all three vendors connected to a fresh sandbox, by one clock."""
    async with connected(tmp_path / "data", served) as world:
        world.sandbox.clock.now = world.clock.now
        yield world
