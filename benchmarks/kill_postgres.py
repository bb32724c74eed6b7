"""Kill workers of several hosts, their PostgreSQL server and the wires to it while they send; count what arrived.

Each host has a data folder of its own and one worker, which is killed with SIGKILL at a point of the sending
protocol or at any instant, and started again. The server is ended as if its machine had lost power
(``pg_ctl stop -m immediate``) every few seconds, and started again. Each host reaches it over a wire of its own
that is cut by chance, also between a COMMIT and its answer, and now and then for some seconds. The promise is the
one of ``benchmarks.kill``: nobody gets a message twice, nobody is recorded as sent who got nothing, nobody is
forgotten.

    python -m benchmarks.kill_postgres --messages 400 --kills 100 --hosts 4 --namespaces 2

With ``--namespaces`` (Linux, as root, with iproute2) the hosts stand in as many network namespaces, each on a
network of its own, whose link goes down too. Exit status 1 when the promise does not hold. Needs PostgreSQL's
programs, of Debian's package or on the path.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.kill import ANYWHEN, POINTS, Round, compare, fill, mail_server, now, show, work
from tests.world.database_server import OwnServer, Wire, own_server

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.store.unit_of_work import Store

PATIENCE = 900.0
NETWORK = "10.77"


@dataclass(frozen=True, slots=True)
class Place:
    """A host: its data folder, its wires to the database and to the mail server, and its network namespace."""

    folder: Path
    database: Wire
    mail: Wire
    namespace: str = ""

    def start(self, death: Round | None) -> subprocess.Popen[bytes]:
        """Start its worker in a process of its own."""
        facts = (death.point, str(death.after)) if death is not None else ("none", "0")
        mail = f"smtp://{self.mail.host}:{self.mail.port}"
        command = [
            sys.executable,
            "-m",
            "benchmarks.kill_postgres",
            "--as-host",
            self.database.url,
            str(self.folder),
        ]
        inside = ["ip", "netns", "exec", self.namespace] if self.namespace else []
        return subprocess.Popen([*inside, *command, mail, *facts], stderr=subprocess.DEVNULL)

    def link(self, state: str) -> None:
        """Set the namespace's link ``up`` or ``down``, where there is one."""
        if self.namespace:
            _ip("link", "set", f"{self.namespace}r", state)


def main() -> int:
    """Run and print the table."""
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--messages", type=int, default=400)
    wanted.add_argument("--kills", type=int, default=100, help="of workers")
    wanted.add_argument("--hosts", type=int, default=4)
    wanted.add_argument("--namespaces", type=int, default=0, help="in which the hosts stand, as root")
    wanted.add_argument("--restart-every", type=float, nargs=2, default=(5.0, 40.0), metavar=("FROM", "TO"))
    wanted.add_argument("--chance", type=float, default=0.003, help="that a message is its connection's last")
    wanted.add_argument("--seed", type=int, default=1)
    wanted.add_argument("--as-host", nargs=5, metavar=("URL", "FOLDER", "MAIL", "POINT", "AFTER"))
    options = wanted.parse_args()
    if options.as_host:
        url, folder, mail, point, after = options.as_host
        death = Round(point, float(after)) if point != "none" else None
        # A mail server is spoken to without TLS on the machine itself alone: a port of this host leads to it.
        work(Path(folder), Wire(mail).port, None, death, url)
        return 0
    with own_server() as served, tempfile.TemporaryDirectory() as folder, ExitStack() as closing:
        place = Path(folder)
        port = closing.enter_context(mail_server(place / "received", options.seed))
        begun = time.monotonic()
        places = closing.enter_context(hosts(served, place, port, options))
        kills, restarts = run(served, places, options)
        verdict = compare(place / "host0", place / "received", None, served.url)
        show(kills, verdict, time.monotonic() - begun)
        print(f"  kills of the server            {restarts:>5}")
        print(f"  connections that were cut      {sum(one.database.cuts for one in places):>5}")
    return 0 if verdict.holds else 1


@contextmanager
def hosts(served: OwnServer, folder: Path, port: int, options: argparse.Namespace) -> Iterator[list[Place]]:
    """Yield the hosts, each with wires of its own, in their namespaces where some are wanted."""
    names = [f"seqns{number}" for number in range(options.namespaces)]
    results: list[Place] = []
    try:
        for number, name in enumerate(names):
            _ip("netns", "add", name)
            _ip("link", "add", f"{name}r", "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("addr", "add", f"{NETWORK}.{number}.1/24", "dev", f"{name}r")
            _ip("link", "set", f"{name}r", "up")
            _ip("-n", name, "addr", "add", f"{NETWORK}.{number}.2/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                _ip("-n", name, "link", "set", device, "up")
        for number in range(options.hosts):
            space = number % len(names) if names else 0
            near = f"{NETWORK}.{space}.1" if names else "127.0.0.1"
            seed = options.seed * 1_000 + number
            results.append(
                Place(
                    folder / f"host{number}",
                    Wire(served.url, host=near, chance=options.chance, seed=seed),
                    Wire(f"smtp://127.0.0.1:{port}", host=near),
                    names[space] if names else "",
                )
            )
        yield results
    finally:
        for one in results:
            one.database.close()
            one.mail.close()
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def run(served: OwnServer, places: list[Place], options: argparse.Namespace) -> tuple[Counter[str], int]:
    """Plan, approve and send; return where workers died, and how often the server was killed."""
    with Store.open(Workspace(places[0].folder), now=now(), url=served.url) as store:
        asyncio.run(fill(store, options.messages))
    kills: Counter[str] = Counter()
    done = threading.Event()
    restarts: list[float] = []
    breaking = [
        threading.Thread(target=kill_server, args=(served, done, restarts, options)),
        threading.Thread(target=cut_wires, args=(places, done, options)),
    ]
    working = [
        threading.Thread(target=keep_host, args=(place, kills, options, number))
        for number, place in enumerate(places)
    ]
    for thread in (*breaking, *working):
        thread.start()
    for thread in working:
        thread.join()
    done.set()
    for thread in breaking:
        thread.join()
    for place in places:  # what a host has accepted and could not write down yet, over a wire that is whole
        whole = replace(place, database=Wire(served.url, host=place.database.host))
        whole.start(None).wait(timeout=PATIENCE)
        whole.database.close()
    return kills, len(restarts)


def kill_server(
    served: OwnServer, done: threading.Event, restarts: list[float], options: argparse.Namespace
) -> None:
    """Kill the server again and again, until the hosts are done."""
    chance = random.Random(options.seed)
    while not done.wait(chance.uniform(*options.restart_every)):
        served.kill()
        served.start()
        restarts.append(time.monotonic())


def cut_wires(places: list[Place], done: threading.Event, options: argparse.Namespace) -> None:
    """Cut the wire or the link of one host after another for a while, until they are done."""
    chance = random.Random(options.seed + 99)
    while not done.wait(chance.uniform(1.0, 8.0)):
        place = chance.choice(places)
        is_link = bool(place.namespace) and chance.random() < 0.3
        place.link("down") if is_link else place.database.cut()
        done.wait(chance.uniform(0.2, 4.0))
        place.link("up") if is_link else place.database.mend()


def keep_host(place: Place, kills: Counter[str], options: argparse.Namespace, number: int) -> None:
    """Start a host's worker until nothing is due, with a death for each as long as there are kills left."""
    chance = random.Random(options.seed + number + 1)
    points = (*POINTS, ANYWHEN)
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        left = kills.total() < options.kills
        point = chance.choice(points)
        visits = chance.uniform(0.3, 4.0) if point == ANYWHEN else chance.randint(1, 4)
        death = Round(point, visits) if left else None
        child = place.start(death)
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


if __name__ == "__main__":
    sys.exit(main())
