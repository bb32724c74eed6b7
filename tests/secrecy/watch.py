"""A pytest plugin: no planted secret stands in anything that a run of the tests writes, says or answers.

Searched after each test: its captured standard output and error, which have those of the servers it started; the
product's log down to DEBUG, and everybody else's at the level a test asks for; a failure's report; every file in
its temporary folder, the databases with their journals among them, before and after what it stands on is taken
down; and what it told ``hearing.heard``: the answers of servers and pages, and the output of programs it read
itself. Searched at the end: whatever else stands in the run's temporary folders. One find fails the run. Where
pytest-xdist shares the tests among processes, each of them searches its own and tells the first one at its end.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterator
from fnmatch import fnmatch
from pathlib import Path
from shutil import rmtree
from typing import Any, BinaryIO, NamedTuple

import pytest
from _pytest.runner import runtestprotocol
from tests.secrecy.hearing import HEARD, LEARNT
from tests.secrecy.planted import found_in

from sequences_sandbox.seeds import KEYS_KEYS

# Logs that are kept down to DEBUG in every test. httpcore's is not: it takes so long that it decides races.
LOUD = ("sequences_mcp", "mcp", "httpx", "uvicorn", "mail.log")


class Allowed(NamedTuple):
    """Where a secret may stand, and why."""

    place: str
    why: str


ALLOWED = (
    Allowed("file */passphrase.txt", "the person's own file, which --passphrase-file names"),
    Allowed("file */p.txt", "the same, written without a line end"),
    Allowed("file */new.txt", "the person's file with the next passphrase"),
    Allowed("file */w.txt", "the person's file with a wrong passphrase"),
    Allowed("file */*.secret", "a file with one secret, which settings.toml names"),
    Allowed("file */serve-token.txt", "the token that serve made, for whoever reads the data folder"),
    Allowed("the sandbox's welcome", "it prints a block to copy, with keys that open nothing else"),
)


class Leak(NamedTuple):
    """A secret where it must not be."""

    test: str
    secret: str
    place: str


def pytest_configure(config: pytest.Config) -> None:
    """Begin to watch."""
    is_shared = getattr(config.option, "dist", "no") != "no" and not hasattr(config, "workerinput")
    config.pluginmanager.register(Watch(is_shared=is_shared), "secrets")


class Watch(logging.Handler):
    """Collects what a run leaves behind, and searches it; ``is_shared`` where other processes do its tests."""

    def __init__(self, *, is_shared: bool = False) -> None:
        super().__init__(logging.DEBUG)
        self.leaks: dict[Leak, None] = {}
        self._searched: dict[Path, tuple[int, int]] = {}
        self._kept_open: list[BinaryIO] = []
        self._shared = is_shared
        self._failed: set[str] = set()

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Listen to every log; what pytest shows of a failed test stays at WARNING."""
        logging.getLogger().addHandler(self)
        shown = session.config.pluginmanager.get_plugin("logging-plugin")
        assert shown is not None
        shown.report_handler.setLevel(logging.WARNING)

    def pytest_runtest_setup(self) -> None:
        """Listen to all that is logged, whatever level a command that an earlier test ran has set."""
        for name in LOUD:
            if (log := logging.getLogger(name)).level != logging.DEBUG:  # a change empties the caches of all
                log.setLevel(logging.DEBUG)

    def emit(self, record: logging.LogRecord) -> None:
        """Note one line of a log."""
        HEARD.append((f"the log of {record.name}", self.format(record).encode("utf-8", "surrogatepass")))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Do a test that another process counts as pytest does it, and tell that process what it counts alone.

        Each of the six things that are told of a test costs both processes a third of a millisecond. That it has
        begun, was set up, taken down or ended is told only where the run lists what took longest; a part that
        did not pass is told in any case.
        """
        if not hasattr(item.config, "workerinput") or item.config.getoption("durations") is not None:
            return None
        for report in runtestprotocol(item, log=False, nextitem=nextitem):
            if report.passed and report.when != "call":
                self.pytest_runtest_logreport(report)
            else:
                item.ihook.pytest_runtest_logreport(report=report)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        """Search a test's files while what it stands on is still open."""
        try:
            yield
        finally:
            self._search_files(item.nodeid, _folder(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None]:
        """Search the files that have changed while it was taken down; then only those of a failed test stay."""
        folder = _folder(item)
        try:
            yield
        finally:
            self._search_files(item.nodeid, folder)
            if folder and item.nodeid not in self._failed:
                rmtree(folder, ignore_errors=True)
            self.close_files()

    def close_files(self) -> None:
        """Close the databases that were read during a test, which has closed them by now."""
        while self._kept_open:
            self._kept_open.pop().close()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Search what a test said, once it is over, in the process that ran it; one that died is told here."""
        if report.failed:
            self._failed.add(report.nodeid)
        elif self._shared:
            return
        self._search(report.nodeid, "the report of its failure", report.longreprtext.encode("utf-8", "replace"))
        if report.when != "teardown":
            return
        for name, text in report.sections:
            self._search(report.nodeid, name.lower(), text.encode("utf-8", "replace"))
        if found_in(b"\n".join(data for _, data in HEARD), {**LEARNT, **_SANDBOX}):  # all at once, then each
            for where, data in HEARD:
                self._search(report.nodeid, where, data)
        HEARD.clear()
        LEARNT.clear()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Search what no single test owns, and fail the run for what was found."""
        logging.getLogger().removeHandler(self)
        factory: pytest.TempPathFactory = session.config._tmp_path_factory  # type: ignore[attr-defined]
        if not self._shared:
            self._search_files("", factory.getbasetemp())
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["leaks"] = [tuple(one) for one in self.leaks]
        if self.leaks:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what another process of this run has found."""
        self._shared = True
        for leak in getattr(node, "workeroutput", {}).get("leaks", ()):
            self.leaks[Leak(*leak)] = None

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name each test, secret and place."""
        if self.leaks:
            terminalreporter.section("secrets found", red=True)
        for leak in self.leaks:
            terminalreporter.line(f"LEAK {leak.test or 'the run'}: {leak.secret} is in {leak.place}")

    def _search(self, test: str, place: str, data: bytes) -> None:
        if not data or any(fnmatch(place, one.place) for one in ALLOWED):
            return
        for secret in found_in(data, {**LEARNT, **_SANDBOX}):
            self.leaks[Leak(test, secret, place)] = None

    def _search_files(self, test: str, folder: Path | None) -> None:
        for path in _files(folder):
            try:
                stat = path.stat()
                if self._searched.get(path) != (found := (stat.st_mtime_ns, stat.st_size)):
                    self._searched[path] = found
                    self._search(test, f"file {path}", self._unfolded(path))
            except FileNotFoundError:  # a server that is still running took it away
                continue

    def _unfolded(self, path: Path) -> bytes:
        """Return a file's bytes; an e-mail also as it reads without the folds of its transfer encodings.

        A database may be open in this process: the files of it that were read stay open as long as the test lasts,
        because closing any of them drops all locks that SQLite has on it here
        (https://www.sqlite.org/howtocorrupt.html, 2.2).
        """
        file = path.open("rb")
        if ".db" in path.name:
            self._kept_open.append(file)
            return file.read()
        with file:
            data = file.read()
        if path.suffix != ".eml":
            return data
        return data + data.replace(b"\r\n", b"\n").replace(b"=\n", b"").replace(b"\n", b"")


# Programs that a test starts by themselves, such as the demo, use the sandbox with its own keys.
_SANDBOX = {known[0].token: f"the sandbox's own key of {vendor}" for vendor, known in KEYS_KEYS.items()}


def _folder(item: pytest.Item) -> Path | None:
    found = getattr(item, "funcargs", {}).get("tmp_path")
    return found if isinstance(found, Path) else None


def _files(folder: Path | None) -> Iterator[Path]:
    for where, _, names in os.walk(folder) if folder else ():
        yield from (path for name in names if (path := Path(where, name)).is_file())
