"""A fresh sandbox for each test, behind one server for them all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from tests.world.vendors import Sandbox, Server


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[Server]:
    with Server().running() as one:
        yield one


@pytest_asyncio.fixture
async def sandbox(sandbox_server: Server) -> AsyncIterator[Sandbox]:
    async with sandbox_server.sandbox() as one:
        yield one
