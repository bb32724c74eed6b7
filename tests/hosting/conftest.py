"""One data folder a test, served over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.world.data_folder import Clock
from tests.world.page import PageWorld
from tests.world.product import ERAS


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> str:
    """Each era of the protocol in turn: with and without a handshake."""
    return str(request.param)


@pytest.fixture
def world(tmp_path: Path) -> PageWorld:
    """An empty database, at noon of a Monday."""
    return PageWorld(folder=tmp_path / "data", clock=Clock())
