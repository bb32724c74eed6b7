"""A PostgreSQL server of our own, which may be killed, a replica of it, and a wire to it, which may be cut.

The server is a cluster in a folder, of PostgreSQL's programs as Debian installs them. The wire is a TCP proxy
before any server: it can be cut and mended, lose the answer to a statement, or be cut by chance.
"""

from __future__ import annotations

import atexit
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from urllib.parse import parse_qs, quote, urlsplit

import psycopg

PATIENCE = 600.0


def server_programs() -> Path | None:
    """Return the folder of the newest PostgreSQL's programs, or None."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    on_path = shutil.which("initdb")
    return installed[-1] if installed else Path(on_path).parent if on_path else None


@dataclass(frozen=True)
class OwnServer:
    """A PostgreSQL server on a socket in its folder; with a ``word`` nobody gets in without it."""

    folder: Path
    programs: Path
    word: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """The address of its one database."""
        word = f":{quote(self.word, safe='')}" if self.word else ""
        return f"postgresql://postgres{word}@/postgres?host={self.folder}"

    def call(self, program: str, *options: str) -> int:
        """Run one of PostgreSQL's programs, which refuse to be root's; return its exit status."""
        who = ("runuser", "-u", "postgres", "--") if os.getuid() == 0 else ()
        command = [*who, str(self.programs / program), "-D", str(self.folder / "data"), *options]
        done = subprocess.run(
            command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=PATIENCE
        )
        return done.returncode

    def make(self) -> None:
        """Make its folder of data."""
        entry = "scram-sha-256" if self.word else "trust"
        options = ["-N", "-U", "postgres", "-E", "UTF8", "--locale=C", "-A", entry]
        file = self.folder / "word.secret"
        if self.word:
            file.write_text(self.word)
            file.chmod(0o644)
            options.append(f"--pwfile={file}")
        if self.call("initdb", *options):
            raise RuntimeError("initdb does not work here")
        file.unlink(missing_ok=True)

    def start(self, **further: str) -> None:
        """Start it, which after a kill also brings its data back into order; ``further`` are settings."""
        # What its processes share is a file of the folder: the system would keep that of a server that was killed.
        settings = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c max_connections=100"
        settings += " -c dynamic_shared_memory_type=mmap"
        settings += "".join(f" -c {name}='{value}'" for name, value in further.items())
        if self.call("pg_ctl", "start", "-w", "-t", "300", "-l", str(self.folder / "log"), "-o", settings):
            raise RuntimeError((self.folder / "log").read_text())

    def kill(self) -> None:
        """End it without letting it finish anything."""
        self.call("pg_ctl", "stop", "-m", "immediate", "-w")

    def restart_as(self, *, replica: bool) -> None:
        """Start it again, as a replica that can only be read, or as a primary."""
        self.call("pg_ctl", "stop", "-m", "fast", "-w")
        mark = self.folder / "data" / "standby.signal"
        mark.touch() if replica else mark.unlink(missing_ok=True)
        self.start()


@dataclass(frozen=True)
class ServerPair:
    """A server, a replica that it does not wait for, and the wire by which its users come to one of them."""

    primary: OwnServer
    replica: OwnServer
    feed: Wire
    wire: Wire

    def await_replica(self) -> None:
        """Wait until the replica has all that the primary has."""
        with psycopg.connect(self.primary.url, autocommit=True) as primary:
            behind = "SELECT 1 FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn()"
            pause = threading.Event()
            assert any(primary.execute(behind).fetchone() or pause.wait(0.05) for _ in range(6_000))

    def part(self) -> None:
        """Let the replica have all until now, and nothing of what is committed from here on."""
        self.await_replica()
        self.feed.cut()

    def fail_over(self) -> None:
        """Kill the primary, have the replica take its place, and give its numbers of transactions again."""
        with psycopg.connect(self.primary.url) as primary:
            [last] = primary.execute("SELECT pg_current_xact_id()::text::bigint").fetchone() or (0,)
        number = int((self.primary.folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(number, signal.SIGKILL)
        assert self.replica.call("pg_ctl", "promote", "-w", "-t", "300") == 0
        with psycopg.connect(self.replica.url, autocommit=True) as promoted:
            while (promoted.execute("SELECT pg_current_xact_id()::text::bigint").fetchone() or (0,))[0] <= last:
                pass
        self.wire.lead_to(self.replica.url)


@contextmanager
def server_pair() -> Iterator[ServerPair]:
    """Make a server and a replica of it, and remove both afterwards."""
    with own_server() as primary, closing(Wire(primary.url)) as feed, TemporaryDirectory() as folder:
        replica = OwnServer(Path(folder), primary.programs)
        if os.getuid() == 0:
            shutil.chown(replica.folder, "postgres")
        if replica.call("pg_basebackup", "-N", "-h", str(primary.folder), "-U", "postgres", "-c", "fast"):
            raise RuntimeError("pg_basebackup does not work here")
        (replica.folder / "data" / "standby.signal").touch()
        replica.start(primary_conninfo=f"host={feed.host} port={feed.port} user=postgres sslmode=disable")
        try:
            with closing(Wire(primary.url)) as wire:
                yield ServerPair(primary, replica, feed, wire)
        finally:
            replica.kill()


@contextmanager
def own_server(word: str = "") -> Iterator[OwnServer]:
    """Make a server and remove it afterwards."""
    programs = server_programs()
    if programs is None:
        raise RuntimeError("PostgreSQL is not installed here")
    with TemporaryDirectory() as folder:
        place = Path(folder)
        if os.getuid() == 0:
            shutil.chown(place, "postgres")
        served = OwnServer(place, programs, word)
        subprocess.run(["cp", "-a", str(_cluster(programs, word)), str(place)], check=True)
        served.start()
        try:
            yield served
        finally:
            served.kill()


@cache
def _cluster(programs: Path, word: str) -> Path:
    """Return a folder of data to copy, made once a process: initdb takes longer than most tests of a server.

    All servers of a process have one system identifier, then, and each a life of its own.
    """
    folder = Path(mkdtemp(prefix="cluster-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    made = OwnServer(folder, programs, word)
    made.make()
    return folder / "data"


@dataclass(eq=False)
class _Line:
    """One connection through the wire."""

    client: socket.socket
    server: socket.socket
    loses_answer: bool = False

    def end(self) -> None:
        """Close both ends, whoever is reading from them."""
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            with suppress(OSError):
                end.close()


class Wire:
    """A way to a server, from a port of its own; to another one than a database's, for whoever names its port.

    ``chance`` is how probable it is that a message to the server is its connection's last one: half of those do
    not arrive, of the others the answer does not.
    """

    def __init__(self, url: str, *, host: str = "127.0.0.1", chance: float = 0.0, seed: int = 1) -> None:
        self.lead_to(url)
        self._parts, self._chance, self._random = urlsplit(url), chance, random.Random(seed)
        self._lost: bytes | None = None
        self._is_cut = self._is_lost_for_good = False
        self._lines: set[_Line] = set()
        self._lock = threading.Lock()
        self.changes: dict[bytes, bytes] = {}  # what the server says, by what the client hears, of the same length
        self.cuts = 0  # connections that it has ended, not those that were closed at either end
        self._listener = socket.create_server((host, 0), backlog=50)
        self.host, self.port = host, self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """The address of the database through this wire."""
        user, _, _ = self._parts.netloc.rpartition("@")
        given = parse_qs(self._parts.query)
        user = user or quote(given.get("user", ["postgres"])[0])
        place = f"{self.host}:{self.port}{self._parts.path}"
        return f"postgresql://{user}@{place}?sslmode=disable&gssencmode=disable"

    def lead_to(self, url: str) -> None:
        """Let everybody who comes from now on reach another server."""
        parts = urlsplit(url)
        folder = parse_qs(parts.query).get("host", [""])[0]
        self._target: str | tuple[str, int] = (parts.hostname or "127.0.0.1", parts.port or 5432)
        if folder.startswith("/"):
            self._target = f"{folder}/.s.PGSQL.{parts.port or 5432}"

    def lose_answer_to(self, words: bytes, *, for_good: bool = False) -> None:
        """Pass on the next message with these words, and cut its connection instead of passing on its answer.

        ``for_good``: and let nobody in from then on, until it is mended.
        """
        self._lost, self._is_lost_for_good = words, for_good

    def cut(self) -> None:
        """End every connection and let nobody in."""
        with self._lock:
            self._is_cut = True
            lines, self._lines = self._lines, set()
            self.cuts += len(lines)
        for line in lines:
            line.end()

    def mend(self) -> None:
        """Let everybody in again."""
        self._is_cut = False

    def close(self) -> None:
        """End it for good."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # it is closed
                return
            if self._is_cut:
                client.close()
                continue
            family = socket.AF_UNIX if isinstance(self._target, str) else socket.AF_INET
            server = socket.socket(family)
            try:
                server.connect(self._target)
            except OSError:  # the server is away
                client.close()
                server.close()
                continue
            line = _Line(client, server)
            with self._lock:
                self._lines.add(line)
            for pump in (self._to_server, self._to_client):
                threading.Thread(target=pump, args=(line,), daemon=True).start()

    def _to_server(self, line: _Line) -> None:
        with suppress(OSError):
            while data := line.client.recv(65_536):
                fate = self._random.random() / self._chance if self._chance else 1.0
                loses_answer = fate < 1.0 or (self._lost is not None and self._lost in data)
                self.cuts += loses_answer
                if fate < 0.5:
                    break
                if loses_answer:
                    self._lost, line.loses_answer = None, True
                    self._is_cut = self._is_cut or self._is_lost_for_good
                line.server.sendall(data)
        self._end(line)

    def _to_client(self, line: _Line) -> None:
        with suppress(OSError):
            while (data := line.server.recv(65_536)) and not line.loses_answer:
                for said, heard in self.changes.items():
                    data = data.replace(said, heard)
                line.client.sendall(data)
        self._end(line)

    def _end(self, line: _Line) -> None:
        with self._lock:
            self._lines.discard(line)
        line.end()
