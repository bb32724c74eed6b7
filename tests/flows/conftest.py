"""What the tests of the verbs stand on."""

from __future__ import annotations

from pathlib import Path

import pytest
from bureau import Bureau


@pytest.fixture
def bureau(tmp_path: Path) -> Bureau:
    """The product on an empty database, at noon of a Monday, writing to its outbox."""
    return Bureau.at(tmp_path)
