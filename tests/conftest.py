"""What the whole suite stands on: every run is searched for the secrets that its worlds use."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from tests.secrecy.watch import pytest_configure

if TYPE_CHECKING:
    from tests.sandbox.sandbox_client import Server

__all__ = ["pytest_configure"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # what the programs under test inherit in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    """A port of loopback for the sandboxes of a file of tests."""
    from tests.sandbox.sandbox_client import Server

    with Server().running() as one:
        yield one
