"""What the whole suite stands on: every run is searched for the secrets that its worlds use."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from tests.secrecy.watch import pytest_configure

if TYPE_CHECKING:
    from tests.sandbox.sandbox_client import Server

__all__ = ["pytest_configure"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # what the programs under test inherit in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)
# How long an example takes says nothing about the product: it depends on the machine and what else runs there.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    """A port of loopback for the sandboxes of a file of tests."""
    from tests.sandbox.sandbox_client import Server

    with Server().running() as one:
        yield one
