"""The server over HTTP under load: beside a bare SDK server, with users of several tenants, with open streams.

Four measurements, each on processes of its own on loopback:

- ``latency``: calls in turns to a bare SDK server, to the product with a token file, and with signed tokens;
- ``users``: so many users of some tenants, each with a connection and a pause between calls, reading and writing;
- ``streams``: so many streams that only listen, held open while others call;
- ``memory``: the resident memory by the number of tenants that are open.

    python -m benchmarks.http_load [--quick] [latency users streams memory]

The exit status is 1 when a budget is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Any, NamedTuple

from benchmarks.wire import META, MODERN
from tests.world.issuer import Issuer, issuing
from tests.world.product import MAIL

ROOT = Path(__file__).resolve().parents[1]
BARE = "import sys; from benchmarks.bare import build; build().run('streamable-http', port=int(sys.argv[1]))"
TOKEN = "a-token-of-a-benchmark-on-loopback-only"
LATENCY, TOKEN_MS, BASE_MB, TENANT_MB = 2.0, 1.0, 90.0, 4.0
READS: Mapping[str, Mapping[str, Any]] = {
    "list_blueprints": {},
    "find_contacts": {"query": "Ada"},
    "list_sequences": {},
    "list_providers": {},
    "list_reviews": {},
}
WRITES: Mapping[str, Mapping[str, Any]] = {
    "save_contacts": {"contacts": [{"first_name": "Ada", "email": "ada@hopper.example"}]},
    "check_blueprint": {"steps": [MAIL]},
    "create_blueprint": {"name": "Engineers", "steps": [MAIL], "job_title": "Engineer"},
}
PATIENCE = 60.0
LONGEST_PAUSE = 10.0  # seconds: after 15 an idle connection is closed, perhaps just as a request leaves


class Found(NamedTuple):
    """One figure, and what is allowed."""

    name: str
    value: float
    most: float
    unit: str

    @property
    def holds(self) -> bool:
        """Whether it is within what is allowed."""
        return self.value <= self.most

    def __str__(self) -> str:
        mark = "ok" if self.holds else "BROKEN"
        return f"{mark:>6}  {self.name:<58} {self.value:>9.2f} {self.unit:<5} (at most {self.most:g})"


@dataclass
class HttpChild:
    """A server in its own process that listens on loopback."""

    process: subprocess.Popen[bytes]
    port: int
    path: str = "/mcp"

    def memory_mb(self) -> float:
        """Resident memory, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))

    def processor_ms(self) -> float:
        """Processor time used so far in ms, in steps of 10."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def started(*command: str, port: int, environ: Mapping[str, str] | None = None) -> Iterator[HttpChild]:
    """Start a server and wait until it listens on its port."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**{key: it for key, it in os.environ.items() if not key.startswith("SEQUENCES_")}, **(environ or {})},
    )
    try:
        until = time.monotonic() + PATIENCE
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{command} did not begin to listen")
            time.sleep(0.05)
        yield HttpChild(process, port)
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def serve(folder: Path, *options: str, issuer: Issuer | None = None) -> Iterator[HttpChild]:
    """Start the product; with an issuer for the tenants in a folder, else for one data folder and a token file."""
    port = _free_port()
    environ = {"SEQUENCES_DATA_DIR": str(folder / "server"), "SEQUENCES_REVIEW_PAGE": "off"}
    if issuer is not None:
        environ["SEQUENCES_OAUTH_ISSUER"] = issuer.url
    else:
        secret = folder / "token"
        secret.touch(mode=0o600)
        secret.write_text(TOKEN)
        options = (*options, "--token-file", str(secret))
    limits = ("--rate", "1000000", "--tenant-rate", "1000000", "--connections", "4096")
    command = (sys.executable, "-m", "sequences_mcp", "serve", "--port", str(port), *limits, *options)
    with started(*command, port=port, environ=environ) as child:
        until = time.monotonic() + PATIENCE
        while issuer is not None and not _is_ready(child) and time.monotonic() < until:
            time.sleep(0.2)
        yield child


def _is_ready(child: HttpChild) -> bool:
    connection = HTTPConnection("127.0.0.1", child.port, timeout=PATIENCE)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    finally:
        connection.close()


def request(method: str, params: Mapping[str, Any], *, port: int, path: str, token: str, number: int = 1) -> bytes:
    """Return one request of the newer protocol as it is on the wire."""
    body = json.dumps(
        {"jsonrpc": "2.0", "id": number, "method": method, "params": {**params, "_meta": META}}
    ).encode()
    head = [
        f"POST {path} HTTP/1.1",
        f"Host: localhost:{port}",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        f"MCP-Protocol-Version: {MODERN}",
        f"Mcp-Method: {method}",
        *([f"Mcp-Name: {params['name']}"] if "name" in params else []),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one answer with its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = int(head.split(" ", 2)[1])
    for line in head.split("\r\n"):
        if line.startswith("content-length:"):
            return status, await reader.readexactly(int(line.partition(":")[2]))
    body = b""
    while (size := int(await reader.readuntil(b"\r\n"), 16)) > 0:
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
    return status, body


class Timed:
    """One connection on which calls are timed, one after the other."""

    def __init__(self, child: HttpChild, token: str, *, path: str = "/mcp") -> None:
        self.child, self._token, self._path = child, token, path
        self._socket = self._connected()

    def _connected(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.child.port), timeout=PATIENCE)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def call(self, tool: str, arguments: Mapping[str, Any]) -> float:
        """Call a tool; return for how many ms that took. RuntimeError for an error."""
        params = {"name": tool, "arguments": arguments}
        sent = request("tools/call", params, port=self.child.port, path=self._path, token=self._token)
        for again in (True, False):
            with suppress(ConnectionError):
                return self._timed(sent, tool)
            if again:  # a connection that was idle for long is closed by a server
                self.close()
                self._socket = self._connected()
        raise RuntimeError("the server closed the connection")

    def _timed(self, sent: bytes, tool: str) -> float:
        begun = time.perf_counter()
        self._socket.sendall(sent)
        answer = b""
        while True:
            if not (piece := self._socket.recv(262_144)):
                raise ConnectionResetError
            answer += piece
            head, blank, body = answer.partition(b"\r\n\r\n")
            if blank and len(body) >= _length(head):
                break
        took = (time.perf_counter() - begun) * 1000
        if b" 200 " not in head.split(b"\r\n", 1)[0] or b'"isError":true' in body:
            raise RuntimeError(f"{tool}: {answer[:500]!r}")
        return took


def _length(head: bytes) -> int:
    return next(
        int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
    )


def tenant_folder(folder: Path, name: str) -> None:
    """Make a tenant with a mailbox whose e-mails go to its outbox."""
    place = folder / name
    place.mkdir(parents=True)
    mailbox = f'[mailboxes.ada]\nname = "Ada Lovelace"\naddress = "ada@{name}.example"\n'
    (place / "settings.toml").write_text(mailbox)


def _of(port: int, tenant: str) -> tuple[str, str]:
    path = f"/t/{tenant}/mcp"
    return path, f"http://127.0.0.1:{port}{path}"


def latency(rounds: int, calls: int) -> Iterator[Found]:
    """Compare calls with the bare server's, and signed tokens with a token file; the best round of each counts."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        issuer = stack.enter_context(issuing())
        tenant_folder(folder / "tenants", "acme")
        port = _free_port()
        bare = stack.enter_context(started(sys.executable, "-c", BARE, str(port), port=port))
        plain = stack.enter_context(serve(folder))
        signed = stack.enter_context(serve(folder, "--tenants", str(folder / "tenants"), issuer=issuer))
        path, audience = _of(signed.port, "acme")
        sides = {
            "bare": Timed(bare, "none"),
            "plain": Timed(plain, TOKEN),
            "signed": Timed(signed, issuer.token(aud=audience, exp=int(time.time()) + 36_000), path=path),
        }
        wanted: Mapping[str, Mapping[str, Any]] = READS
        best: dict[tuple[str, str], float] = {}
        for _ in range(rounds):
            for tool, arguments in wanted.items():
                for name, side in sides.items():
                    called, given = ("echo", {"text": "x"}) if name == "bare" else (tool, arguments)
                    took = median([side.call(called, given) for _ in range(calls)])
                    best[name, tool] = min(best.get((name, tool), took), took)
        for side in sides.values():
            side.close()
    bare_ms = min(best["bare", tool] for tool in wanted)
    yield Found("a call of the bare server", bare_ms, 1_000, "ms")
    for tool in wanted:
        yield Found(f"{tool}, times the bare server's call", best["plain", tool] / bare_ms, LATENCY, "x")
    cost = mean(best["signed", tool] - best["plain", tool] for tool in wanted)
    yield Found("a signed token and a tenant, on top of a token file", cost, TOKEN_MS, "ms")


@dataclass
class Tally:
    """What the users of a load saw."""

    took: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class User:
    """One user of a tenant, with a connection of their own."""

    number: int
    child: HttpChild
    path: str
    token: str

    async def work(self, until: float, pause: float, tally: Tally) -> None:
        """Call one thing after the other, with pauses, until an instant of the monotonic clock."""
        chance = random.Random(self.number)
        await asyncio.sleep(chance.uniform(0, pause))
        reader, writer = await asyncio.open_connection("127.0.0.1", self.child.port, limit=2**22)
        made = 0
        while time.monotonic() < until:
            made += 1
            sent = self._next(chance, made)
            begun = time.perf_counter()
            try:
                if reader.at_eof():  # a server closes a connection that was idle for long, as every client knows
                    writer.close()
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.child.port, limit=2**22)
                writer.write(sent)
                status, body = await _answer(reader)
            except (OSError, asyncio.IncompleteReadError) as error:
                tally.statuses[type(error).__name__] += 1
                tally.wrong.append(repr(error))
                reader, writer = await asyncio.open_connection("127.0.0.1", self.child.port, limit=2**22)
                continue
            tally.took.append((time.perf_counter() - begun) * 1000)
            tally.statuses[str(status)] += 1
            if status != 200 or b'"isError":true' in body or b'"error"' in body[:40]:
                tally.wrong.append(f"{status} {body[:300]!r}")
            await asyncio.sleep(min(chance.expovariate(1 / pause), LONGEST_PAUSE))
        writer.close()

    def _next(self, chance: random.Random, made: int) -> bytes:
        """Return the next request: seven of ten read, the others write or plan."""
        kind = chance.random()
        if kind < 0.7:
            tool = chance.choice([*READS])
            params: dict[str, Any] = {"name": tool, "arguments": dict(READS[tool])}
        elif kind < 0.85:
            person = {"first_name": "Ada", "email": f"u{self.number}n{made}@hopper.example"}
            arguments = {"contacts": [person], "idempotency_key": f"k{made}"}
            params = {"name": "save_contacts", "arguments": arguments}
        elif kind < 0.95:
            params = {"name": "check_blueprint", "arguments": {"steps": [MAIL]}}
        else:
            arguments = {"name": f"Engineers {made}", "steps": [MAIL], "job_title": "Engineer"}
            params = {"name": "create_blueprint", "arguments": arguments}
        return request("tools/call", params, port=self.child.port, path=self.path, token=self.token)


async def _all_at_work(people: list[User], *, seconds: float, pause: float) -> tuple[Tally, list[float]]:
    """Let them all work; return what they saw, and the server's memory second by second."""
    tally, memory = Tally(), list[float]()
    until = time.monotonic() + seconds

    async def watch() -> None:
        while time.monotonic() < until:
            memory.append(people[0].child.memory_mb())
            await asyncio.sleep(1)

    await asyncio.gather(watch(), *(user.work(until, pause, tally) for user in people))
    return tally, memory


def users(count: int, *, tenants: int, seconds: float, pause: float) -> Iterator[Found]:
    """Have so many users work for so many seconds, each with a pause of ``pause`` on average between calls."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        issuer = stack.enter_context(issuing())
        names = [f"firm-{number}" for number in range(tenants)]
        for name in names:
            tenant_folder(folder / "tenants", name)
        child = stack.enter_context(serve(folder, "--tenants", str(folder / "tenants"), issuer=issuer))
        people = []
        for number in range(count):
            path, audience = _of(child.port, names[number % tenants])
            token = issuer.token(aud=audience, sub=f"user-{number}", exp=int(time.time()) + 36_000)
            people.append(User(number, child, path, token))
        for user in people[:tenants]:  # each is open, as most of the time
            connection = Timed(child, user.token, path=user.path)
            connection.call("list_blueprints", {})
            connection.close()
        begun = child.processor_ms()
        tally, memory = asyncio.run(_all_at_work(people, seconds=seconds, pause=pause))
        worked = child.processor_ms() - begun
    fifth = max(len(memory) // 5, 1)
    growth = mean(memory[-fifth:]) - mean(memory[fifth : 2 * fifth] or memory)
    cuts = quantiles(tally.took, n=100)
    calls = len(tally.took)
    print(f"        {count} users of {tenants} tenants, {seconds:g} s: {calls:,} calls, {dict(tally.statuses)}")
    print(f"        median {cuts[49]:.0f} ms, 95 % {cuts[94]:.0f} ms, 99 % {cuts[98]:.0f} ms")
    print(f"        {worked / calls:.1f} ms of processor time a call")
    for line in tally.wrong[:5]:
        print(f"        {line}")
    yield Found("calls that went wrong", len(tally.wrong), 0, "")
    end = mean(memory[-fifth:])
    yield Found(f"memory with {tenants} tenants at the end", end, BASE_MB + TENANT_MB * tenants, "MB")
    yield Found("memory: the last fifth of the time against the second", growth, 8.0, "MB")


def streams(count: int) -> Iterator[Found]:
    """Hold so many streams open that only listen, and call meanwhile."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        issuer = stack.enter_context(issuing())
        tenant_folder(folder / "tenants", "acme")
        child = stack.enter_context(serve(folder, "--tenants", str(folder / "tenants"), issuer=issuer))
        path, audience = _of(child.port, "acme")
        token = issuer.token(aud=audience, exp=int(time.time()) + 36_000)
        timed = Timed(child, token, path=path)
        before = [timed.call("list_blueprints", {}) for _ in range(50)]
        small = child.memory_mb()
        opened, during, big = asyncio.run(_held_open(child, path, token, count=count, timed=timed))
        after = [timed.call("list_blueprints", {}) for _ in range(50)]
        timed.close()
    middle = [median(times) for times in (before, during, after)]
    print("        a call took {:.1f} ms before, {:.1f} with them, {:.1f} after".format(*middle))
    print(f"        memory {small:.0f} MB before, {big:.0f} MB with them")
    yield Found("streams that were not open", count - opened, 0, "")
    yield Found("memory of a stream", (big - small) * 1024 / count, 100.0, "KB")


async def _held_open(
    child: HttpChild, path: str, token: str, *, count: int, timed: Timed
) -> tuple[int, list[float], float]:
    """Open the streams and call while they are open; return how many are, the times in ms, the memory in MB."""
    filters = {"notifications": {"toolsListChanged": True}}
    held: list[asyncio.StreamWriter] = []
    acknowledged = 0
    for number in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", child.port)
        writer.write(
            request("subscriptions/listen", filters, port=child.port, path=path, token=token, number=number)
        )
        head = await reader.readuntil(b"\r\n\r\n")
        first = await reader.readuntil(b"\n")
        acknowledged += b" 200 " in head.split(b"\r\n", 1)[0] and bool(first)
        held.append(writer)
    during = await asyncio.to_thread(lambda: [timed.call("list_blueprints", {}) for _ in range(50)])
    still = acknowledged - sum(writer.is_closing() for writer in held)
    memory = child.memory_mb()
    for writer in held:
        writer.close()
    return still, during, memory


def memory(tenants: int) -> Iterator[Found]:
    """Compare a server with one tenant and one with so many, all open and each used by a user of its own."""
    with issuing() as issuer:
        one, many = _memory_of(1, issuer), _memory_of(tenants, issuer)
    print(f"        one tenant {one:.0f} MB, {tenants} tenants {many:.0f} MB")
    yield Found("memory with one tenant", one, BASE_MB + TENANT_MB, "MB")
    yield Found("memory of each further tenant", (many - one) / (tenants - 1), TENANT_MB, "MB")


def _memory_of(tenants: int, issuer: Issuer) -> float:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        names = [f"firm-{number}" for number in range(tenants)]
        for name in names:
            tenant_folder(folder / "tenants", name)
        options = ["--tenants", str(folder / "tenants"), "--tenants-open", str(tenants), "--tenant-idle", "36000"]
        child = stack.enter_context(serve(folder, *options, issuer=issuer))
        for name in names:
            path, audience = _of(child.port, name)
            connection = Timed(child, issuer.token(aud=audience), path=path)
            for tool, arguments in {**READS, **WRITES}.items():
                connection.call(tool, arguments)
            connection.close()
        time.sleep(40)  # their workers have gone round, and free memory was given back
        size: float = child.memory_mb()
        return size


def main() -> int:
    """Measure what is asked for; return 1 when a budget is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["latency", "users", "streams", "memory"])
    parser.add_argument("--quick", action="store_true", help="a short form of each")
    given = parser.parse_args()
    quick = given.quick
    parts = {
        "latency": lambda: latency(3 if quick else 12, 20 if quick else 60),
        "users": lambda: (
            users(20, tenants=3, seconds=4, pause=0.5) if quick else users(200, tenants=10, seconds=300, pause=2.0)
        ),
        "streams": lambda: streams(100 if quick else 1_000),
        "memory": lambda: memory(6 if quick else 40),
    }
    broken = 0
    for name in given.what:
        print(f"{name}:")
        for found in parts[name]():
            print(found)
            broken += not found.holds
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
