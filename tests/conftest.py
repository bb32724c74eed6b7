"""What the whole suite stands on: every run is searched for the secrets that its worlds use."""

from __future__ import annotations

import signal
import sys
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from tests import turns
from tests.secrecy import watch

if TYPE_CHECKING:
    from tests.world.sandbox_client import Server

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # what the programs under test inherit in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)
# How long an example takes says nothing about the product: it depends on the machine and what else runs there.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_configure(config: pytest.Config) -> None:
    """Begin to watch, and say what the marks mean."""
    watch.pytest_configure(config)
    config.addinivalue_line("markers", turns.ALONE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let a test that measures have the machine to itself."""
    folder = turns.shared_folder(item.config)
    if folder is None or sys.platform == "win32":
        return (yield)
    with turns.turn(folder, alone=item.get_closest_marker("alone") is not None):
        return (yield)


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    """A port of loopback for the sandboxes of a file of tests."""
    from tests.world.sandbox_client import Server

    with Server().running() as one:
        yield one
