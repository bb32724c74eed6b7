"""Kill workers of several hosts, and the PostgreSQL server that they share, while they send; count what arrived.

Each host has a data folder of its own and one worker, which is killed with SIGKILL at a point of the sending
protocol or at any instant, and started again. The server is ended as if its machine had lost power
(``pg_ctl stop -m immediate``) every few seconds, and started again. The promise is the one of ``benchmarks.kill``:
nobody gets a message twice, nobody is recorded as sent who got nothing, nobody is forgotten.

    python -m benchmarks.kill_postgres --messages 400 --kills 100 --hosts 2

Exit status 1 when it does not hold. Needs PostgreSQL's programs, of Debian's package or on the path.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.kill import ANYWHEN, POINTS, Round, compare, fill, mail_server, now, show, work

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.store.unit_of_work import Store

PATIENCE = 600.0


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL server of our own, on a socket in its folder."""

    folder: Path
    programs: Path

    @property
    def url(self) -> str:
        """The address of its one database."""
        return f"postgresql:///postgres?host={self.folder}&user=postgres"

    def call(self, program: str, *options: str) -> int:
        """Run one of PostgreSQL's programs, which refuse to be root's; return its exit status."""
        who = ("runuser", "-u", "postgres", "--") if os.getuid() == 0 else ()
        command = [*who, str(self.programs / program), "-D", str(self.folder / "data"), *options]
        return subprocess.run(command, cwd="/", capture_output=True, check=False, timeout=PATIENCE).returncode

    def start(self) -> None:
        """Start it, which after a kill also brings its data back into order."""
        settings = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c max_connections=100"
        if self.call("pg_ctl", "start", "-w", "-l", str(self.folder / "log"), "-o", settings):
            raise RuntimeError((self.folder / "log").read_text())

    def kill(self) -> None:
        """End it without letting it finish anything."""
        self.call("pg_ctl", "stop", "-m", "immediate", "-w")


@contextmanager
def server() -> Iterator[Server]:
    """Make a server and remove it afterwards."""
    [programs] = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:] or [
        Path(shutil.which("initdb") or "/").parent
    ]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if os.getuid() == 0:
            shutil.chown(place, "postgres")
        served = Server(place, programs)
        if served.call("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"):
            raise RuntimeError("initdb does not work here")
        served.start()
        try:
            yield served
        finally:
            served.kill()


def main() -> int:
    """Run and print the table."""
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--messages", type=int, default=400)
    wanted.add_argument("--kills", type=int, default=100, help="of workers")
    wanted.add_argument("--hosts", type=int, default=2)
    wanted.add_argument("--restart-every", type=float, default=5.0, help="seconds between two kills of the server")
    wanted.add_argument("--seed", type=int, default=1)
    wanted.add_argument("--as-host", nargs=5, metavar=("URL", "FOLDER", "PORT", "POINT", "AFTER"))
    options = wanted.parse_args()
    if options.as_host:
        url, folder, port, point, after = options.as_host
        death = Round(point, float(after)) if point != "none" else None
        work(Path(folder), int(port), None, death, url)
        return 0
    with server() as served, tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with mail_server(place / "received", options.seed) as port:
            begun = time.monotonic()
            kills, restarts = run(served, place, port, options)
            verdict = compare(place / "host0", place / "received", None, served.url)
            show(kills, verdict, time.monotonic() - begun)
            print(f"  kills of the server            {restarts:>5}")
    return 0 if verdict.holds else 1


def run(served: Server, place: Path, port: int, options: argparse.Namespace) -> tuple[Counter[str], int]:
    """Plan, approve and send; return where workers died, and how often the server was killed."""
    with Store.open(Workspace(place / "host0"), now=now(), url=served.url) as store:
        asyncio.run(fill(store, options.messages))
    kills: Counter[str] = Counter()
    done = threading.Event()
    restarts: list[float] = []
    killing = threading.Thread(target=kill_server, args=(served, done, restarts, options))
    hosts = [
        threading.Thread(target=keep_host, args=(served, place / f"host{number}", port, kills, options, number))
        for number in range(options.hosts)
    ]
    for thread in (killing, *hosts):
        thread.start()
    for thread in hosts:
        thread.join()
    done.set()
    killing.join()
    for number in range(options.hosts):  # what a host has accepted and could not write down yet
        host(served, place / f"host{number}", port, None).wait(timeout=PATIENCE)
    return kills, len(restarts)


def kill_server(served: Server, done: threading.Event, restarts: list[float], options: argparse.Namespace) -> None:
    """Kill the server again and again, until the hosts are done."""
    chance = random.Random(options.seed)
    while not done.wait(chance.uniform(0.5, 1.5) * options.restart_every):
        served.kill()
        served.start()
        restarts.append(time.monotonic())


def keep_host(
    served: Server, folder: Path, port: int, kills: Counter[str], options: argparse.Namespace, number: int
) -> None:
    """Start a host's worker until nothing is due, with a death for each as long as there are kills left."""
    chance = random.Random(options.seed + number + 1)
    places = (*POINTS, ANYWHEN)
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        left = kills.total() < options.kills
        point = chance.choice(places)
        visits = chance.uniform(0.3, 2.0) if point == ANYWHEN else chance.randint(1, 4)
        death = Round(point, visits) if left else None
        child = host(served, folder, port, death)
        if death is not None and point == ANYWHEN:
            time.sleep(death.after)
            child.kill()
        status = child.wait(timeout=PATIENCE)
        if status < 0:
            kills[point] += 1
        elif status == 0:
            return
        else:
            time.sleep(0.2)  # the server was away while it started


def host(served: Server, folder: Path, port: int, death: Round | None) -> subprocess.Popen[bytes]:
    """Start one worker in a process of its own."""
    facts = (death.point, str(death.after)) if death is not None else ("none", "0")
    command = [sys.executable, "-m", "benchmarks.kill_postgres", "--as-host", served.url, str(folder), str(port)]
    return subprocess.Popen([*command, *facts], stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
