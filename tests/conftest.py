"""What the whole suite stands on: every run is searched for the secrets that its worlds use."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from shutil import disk_usage
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from tests import turns
from tests.secrecy import watch

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from tests.review_page.page_browser import RunningBrowser
    from tests.world.vendors import Server

# What the programs under test inherit in the background, of a shell or of nohup.
for _number, _handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)
# When the garbage collector goes through what is new: a fifth of the time of a run went into its rounds.
SELDOM = (50_000, 50, 100)
MEMORY, ROOM = Path("/dev/shm"), 2 * 1024**3
# Nothing that a test speaks to has a certificate of a public authority; to load all of these takes a client 40 ms.
AUTHORITY = Path(__file__).parent / "world" / "authority.pem"
# How long an example takes says nothing about the product: it depends on the machine and what else runs there.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.hookimpl(tryfirst=True)  # before pytest chooses its folder
def pytest_configure(config: pytest.Config) -> None:
    """Begin to watch, say what the marks mean, and keep every file in memory where the system has room for it.

    A commit waits for its disk four times, which takes ten times as long as everything else that a test does; a
    server of PostgreSQL is a thousand files, and those of the programs under test are as many.
    """
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
        if not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
            tempfile.tempdir = os.environ.setdefault("TMPDIR", str(MEMORY))
    os.environ.setdefault("SSL_CERT_FILE", str(AUTHORITY))
    if (
        getattr(config.option, "dist", "no") == "load"
    ):  # half of the tests each, and what a file shares is made once
        config.option.dist = "worksteal"
    watch.pytest_configure(config)
    config.addinivalue_line("markers", turns.ALONE)
    if hasattr(config, "workerinput"):
        # After all else that is done at its end. To take half a gigabyte apart takes a process some seconds, for
        # which the one that counts the tests waits.
        atexit.register(os._exit, 0)
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        _keep_bytecode(config.rootpath / ".pytest_cache" / "bytecode")
    gc.set_threshold(*SELDOM)


def _keep_bytecode(folder: Path) -> None:
    """Keep bytecode in a folder of its own where it is not to stand beside its source.

    A run starts the product some hundreds of times, and each of them would compile all that it imports.
    """
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(folder)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return how many processes ``-n auto`` is: three more than processors.

    One of them has the browser and one has what waits for time limits and other programs (``turns``). With one
    less, 7 of 100 parts of two processors' time were left, with these 3.
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return processors + 3


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leave all that is loaded with the tests out of the garbage collector's rounds: it stays until the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Let each of several processes begin to read the tests at another folder.

    Where nothing is compiled yet, each compiles a part, which the others find when they come to it.
    """
    report = yield
    if isinstance(collector, pytest.Dir) and (process := turns.number_of(collector.config)) is not None:
        report.result = turns.begun_at(report.result, *process)
    return report


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests in the order in which several processes have done them soonest."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.path)
        items[:] = turns.arranged(items, processes=config.workerinput["workercount"])


@pytest.fixture(autouse=os.environ.get("TEST_STORE") == "postgres")
def on_a_server() -> Iterator[None]:
    """Remove the databases that a test has made on the PostgreSQL server of the tests."""
    from tests.world import stores

    yield
    stores.drop_databases()


@pytest.fixture(scope="session")
def served() -> Iterator[Server]:
    """A port of loopback for the sandboxes of the tests, each of which puts a fresh one behind it."""
    from tests.world.vendors import Server

    with Server().running() as one:
        yield one


@pytest.fixture(scope="session")
def running_browser() -> Iterator[RunningBrowser]:
    """Yield the one browser of all tests of this process, started when the first of them needs it."""
    from tests.review_page.page_browser import RunningBrowser

    running = RunningBrowser()
    yield running
    running.close()


@pytest.fixture
def browser(running_browser: RunningBrowser) -> Iterator[Browser]:
    """Yield the browser, for this test to open windows in that share nothing with those of others."""
    with running_browser.taken() as browser:
        yield browser
