"""What the tests of the whole product stand on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.world.installation import ERAS, Installation
from tests.world.mail_servers import PostOffice, post_office


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> str:
    """Each era of the protocol in turn: with and without a handshake."""
    return str(request.param)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[PostOffice]:
    """A mail server that keeps what it is given."""
    with post_office(tmp_path / "post") as running:
        yield running


@pytest.fixture
def installation(tmp_path: Path, office: PostOffice) -> Installation:
    """The product on an empty data folder, with a mail server."""
    return Installation(tmp_path).having(SMTP_URL=f"smtp://127.0.0.1:{office.port}")
