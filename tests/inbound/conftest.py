"""What the tests of what comes in stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.world.dovecot import Dovecot, dovecot
from tests.world.engine import embedded as embedded
from tests.world.product import bureau as bureau


@pytest.fixture(name="dovecot")
def installed_dovecot() -> Iterator[Dovecot]:
    """A Dovecot of its own for a test, with the usual folders."""
    with dovecot() as server:
        yield server
