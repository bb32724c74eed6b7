"""A mail server that sends one byte at a time: it is left when the time is over, and when the program ends."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme
from tests.world.dovecot import PASSWORD, USER
from tests.world.engine import until

from sequences_mcp.engine.channels.mail_server import Deadline
from sequences_mcp.engine.inbound.imap import ImapServer, ImapWalker
from sequences_mcp.errors import InboxUnreadError
from sequences_mcp.lazy_dataclasses import replace

BETWEEN = 0.05  # seconds between two bytes
LONG = 60.0  # seconds that nothing here waits for
SOON = 1.0  # after which a walk has to end by itself
ENDS = 20.0  # a bound on that, for a slow machine
SAID = {
    "CAPABILITY": b"* CAPABILITY IMAP4rev1 CONDSTORE ENABLE IDLE\r\n",
    "LIST": b'* LIST () "/" INBOX\r\n',
    "LOGOUT": b"* BYE\r\n",
}
RECORD = b"\x16\x03\x03\x3f\xff"  # begins a handshake message of 16 KB


class SlowServer:
    """A mail server that answers at once up to a phase, and from there on sends one byte at a time or nothing."""

    def __init__(self, phase: str, *, trust: ssl.SSLContext | None = None, is_silent: bool = False) -> None:
        self.phase, self.trust, self.is_silent = phase, trust, is_silent
        self.is_slow, self.over = threading.Event(), threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        self.came = self.left = 0

    def serve(self) -> None:
        """Answer one connection after the other until the listener is closed."""
        while not self.over.is_set():
            with suppress(OSError):
                wire, _ = self.listener.accept()
                self.came += 1
                try:
                    with wire:
                        self._answer(wire)
                finally:
                    self.left += 1

    def _answer(self, wire: socket.socket) -> None:
        if self.phase == "handshake":
            wire.sendall(b"" if self.is_silent else RECORD)
            self._be_slow(wire)
            return
        with self.trust.wrap_socket(wire, server_side=True) if self.trust else wire as sock:
            if self.phase == "greeting":
                self._be_slow(sock)
                return
            sock.sendall(b"* OK ready\r\n")
            for line in sock.makefile("rb"):
                tag, command = line.split()[:2]
                if command.decode() == self.phase:
                    if self.phase != "IDLE":  # there it hangs up
                        self._be_slow(sock)
                    return
                sock.sendall(SAID.get(command.decode(), b"") + tag + b" OK done\r\n")

    def _be_slow(self, sock: socket.socket) -> None:
        self.is_slow.set()
        while not self.is_silent and not self.over.wait(BETWEEN):
            sock.sendall(b"x")
        while sock.recv(1000):
            pass


@contextmanager
def slow(phase: str, *, is_silent: bool = False, trust: ssl.SSLContext | None = None) -> Iterator[SlowServer]:
    """Serve in a thread of its own, until the block ends."""
    server = SlowServer(phase, trust=trust, is_silent=is_silent)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        with suppress(OSError):
            server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()


def walker_of(
    port: int,
    *,
    over_tls: bool = False,
    with_token: bool = False,
    trust: ssl.SSLContext | None = None,
    total: float = LONG,
    answer: float = LONG,
) -> ImapWalker:
    account = quote(USER, safe="") + (";AUTH=XOAUTH2" if with_token else f":{quote(PASSWORD, safe='')}")
    return ImapWalker(
        ImapServer.parse(f"{'imaps' if over_tls else 'imap'}://{account}@127.0.0.1:{port}"),
        context=trust,
        connect_within=LONG,
        answer_within=answer,
        total_within=total,
        tokens=(lambda refused: PASSWORD) if with_token else None,
    )


class Reading:
    """A reading of the folders, in a thread of its own, and how it ended."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.act, self.errors = act, list[InboxUnreadError]()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.act()
        except InboxUnreadError as error:
            self.errors.append(error)

    @property
    def why(self) -> str:
        """Why it ended, once it has; it is lost then, and says what to do next."""
        self.thread.join(ENDS)
        assert not self.thread.is_alive(), "it still waits"
        [error] = self.errors
        assert (error.data["lost"], error.data["refused"]) == (True, False)
        assert "sequences-mcp doctor" in error.next_step
        return str(error.data["why"])


@pytest.fixture(scope="module", name="trusts")
def both_trusts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server over TLS proves itself with, and what a client checks that with."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    return server, client


PLAIN_PHASES = ("greeting", "CAPABILITY", "LOGIN", "AUTHENTICATE", "ENABLE", "LIST")
PHASES = [
    *((phase, False, False) for phase in PLAIN_PHASES),
    ("handshake", True, False),
    ("handshake", True, True),
    ("greeting", True, False),
    ("LOGIN", True, False),
    ("LOGIN", True, True),
]
each_phase = pytest.mark.parametrize(
    ("phase", "over_tls", "is_silent"),
    PHASES,
    ids=[f"{phase}{' over TLS' * tls}, {'nothing' if none else 'by bytes'}" for phase, tls, none in PHASES],
)


@contextmanager
def met(
    phase: str,
    *,
    over_tls: bool,
    is_silent: bool,
    trusts: tuple[ssl.SSLContext, ssl.SSLContext],
    total: float = LONG,
) -> Iterator[tuple[SlowServer, ImapWalker]]:
    served, checked = trusts if over_tls else (None, None)
    with slow(phase, is_silent=is_silent, trust=served) as server:
        is_token = phase == "AUTHENTICATE"
        yield server, walker_of(server.port, over_tls=over_tls, with_token=is_token, trust=checked, total=total)


@each_phase
def test_a_server_that_is_slow_from_a_phase_on_is_left_when_the_total_time_is_over(
    phase: str, over_tls: bool, is_silent: bool, trusts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    meeting = met(phase, over_tls=over_tls, is_silent=is_silent, trusts=trusts, total=SOON)
    with meeting as (server, walker):
        assert Reading(walker.folders).why == "the server did not answer in time"
        until(lambda: server.left == server.came)


@each_phase
def test_a_server_that_is_slow_from_a_phase_on_is_left_at_once_when_the_program_ends(
    phase: str, over_tls: bool, is_silent: bool, trusts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    with met(phase, over_tls=over_tls, is_silent=is_silent, trusts=trusts) as (server, walker):
        reading = Reading(walker.folders)
        assert server.is_slow.wait(ENDS)
        walker.interrupt()
        assert reading.why == "the reading was interrupted"
        until(lambda: server.left == server.came)


def test_a_server_that_is_slow_to_answer_the_last_command_is_left_when_its_time_is_over() -> None:
    with slow("LOGOUT") as server:
        walker = walker_of(server.port)
        assert walker.folders() == ["INBOX"]
        walker.answer_within = SOON
        closing = threading.Thread(target=walker.close, daemon=True)
        closing.start()
        closing.join(ENDS)
        assert not closing.is_alive()
        until(lambda: server.left == server.came)


def test_a_server_that_is_slow_to_answer_the_last_command_is_left_at_once_when_the_program_ends() -> None:
    with slow("LOGOUT") as server:
        walker = walker_of(server.port)
        assert walker.folders() == ["INBOX"]
        closing = threading.Thread(target=walker.close, daemon=True)
        closing.start()
        assert server.is_slow.wait(ENDS)
        walker.interrupt()
        closing.join(ENDS)
        assert not closing.is_alive()


def test_a_connection_whose_sign_in_was_not_answered_is_closed_though_its_error_is_kept() -> None:
    with slow("LOGIN", is_silent=True) as server:
        walker = walker_of(server.port, answer=SOON)
        reading = Reading(walker.folders)
        assert reading.why == "the server did not answer in time"
        until(lambda: server.left == server.came)


def test_what_was_interrupted_asks_no_server_any_more() -> None:
    with slow("LOGOUT") as server:
        walker = walker_of(server.port)
        walker.interrupt()
        assert Reading(walker.folders).why == "the reading was interrupted"
        assert server.came == 0


@contextmanager
def full_server() -> Iterator[int]:
    """Listen where no connection is taken any more, as behind a firewall that drops what comes."""
    with ExitStack() as held:
        listener = held.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            sock = held.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])


def connecting(port: int) -> int:
    """Return how many connections to a port wait for an answer to their first packet."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == "02" for row in rows)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing ends an attempt to connect from outside")
def test_a_host_that_takes_no_connection_is_left_when_the_time_is_over_and_when_the_program_ends() -> None:
    with full_server() as port:
        walker = walker_of(port, total=SOON)
        assert Reading(walker.folders).why == "the server did not answer in time"
        walker, before = walker_of(port), connecting(port)
        reading = Reading(walker.folders)
        until(lambda: connecting(port) > before)
        walker.interrupt()
        assert reading.why == "the reading was interrupted"


def test_a_host_whose_first_address_does_not_answer_is_reached_at_the_next() -> None:
    with slow("nothing") as server:
        walker = walker_of(server.port)
        walker.server = replace(walker.server, host="localhost")
        assert walker.folders() == ["INBOX"]  # where ::1 comes first, nobody listens there
        walker.close()


def test_what_is_watched_when_the_time_is_over_already_is_cut_at_once() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(0) as deadline:
        until(lambda: deadline.is_over)
        deadline.watch(ours)
        theirs.settimeout(ENDS)
        assert theirs.recv(1) == b""


class Stop(threading.Event):
    """Waits for nothing, and notes for how long it should have."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Return at once."""
        assert timeout is not None
        self.waits.append(timeout)
        return False


def test_a_server_that_hangs_up_on_each_wait_is_signed_in_at_less_and_less_often() -> None:
    with slow("IDLE") as server:
        walker, stop = walker_of(server.port), Stop()
        for _ in range(10):
            walker.folders()
            walker.wait(stop, seconds=100)
        walker.close()
    assert stop.waits == [1, 2, 4, 8, 16, 32, 64, 100, 100, 100]
    assert walker.logins == 10
