"""One database a test, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from open_server import ERAS, Clock, World


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> str:
    """Each era of the protocol in turn: with and without a handshake."""
    return str(request.param)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A server on an empty database, at noon of a Monday."""
    return World(folder=tmp_path / "data", clock=Clock(), changes={})
