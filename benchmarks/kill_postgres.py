"""Kill workers of several hosts, their PostgreSQL server and the wires to it while they send; count what arrived.

Each host has a data folder of its own and one worker, which is killed with SIGKILL at a point of the sending
protocol, or at an instant of its work drawn by chance, and started again. A host is a process that has everything
loaded and forks its workers, so that a start takes what opening the database takes. The server is ended as if its
machine had lost power (``pg_ctl stop -m immediate``) every few seconds, and started again. Each host reaches it
over a wire of its own that is cut by chance, also between a COMMIT and its answer, and now and then for some
seconds. The promise is the one of ``benchmarks.kill``: nobody gets a message twice, nobody is recorded as sent who
got nothing, nobody is forgotten.

    python -m benchmarks.kill_postgres --messages 400 --kills 400 --hosts 4 --namespaces 2

With ``--namespaces`` (Linux, as root, with iproute2) the hosts stand in as many network namespaces, each on a
network of its own, whose link goes down too. Several runs at once, each with a seed of its own, do not meet: a run
has its own server, namespaces and networks. ``--tally`` appends what it found to a file, a JSON object a line;
``--sum`` adds up such a file. Exit status 1 when the promise does not hold. Needs PostgreSQL's programs, of
Debian's package or on the path.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.forked import At, Deaths, keep_working, meanwhile
from benchmarks.kill import Verdict, compare, fill, mail_server, now, show, work
from tests.world.database_server import OwnServer, Wire, own_server

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.store.unit_of_work import Store


@dataclass(frozen=True, slots=True)
class Place:
    """A host: its data folder, its wires to the database and to the mail server, and its network namespace."""

    folder: Path
    database: Wire
    mail: Wire
    namespace: str = ""

    def start(self, kills: int, seed: int) -> subprocess.Popen[str]:
        """Start the host's process, whose workers die so often before they may live."""
        mail = f"smtp://{self.mail.host}:{self.mail.port}"
        facts = [self.database.url, str(self.folder), mail, str(kills), str(seed)]
        command = [sys.executable, "-m", "benchmarks.kill_postgres", "--as-host", *facts]
        inside = ["ip", "netns", "exec", self.namespace] if self.namespace else []
        return subprocess.Popen([*inside, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

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
    wanted.add_argument("--tally", type=Path, help="a file to which the findings are appended")
    wanted.add_argument("--sum", type=Path, help="print the sum of such a file, and do nothing else")
    wanted.add_argument("--as-host", nargs=5, metavar=("URL", "FOLDER", "MAIL", "KILLS", "SEED"))
    options = wanted.parse_args()
    if options.as_host:
        url, folder, mail, kills, seed = options.as_host
        be_host(url, Path(folder), mail, kills=int(kills), seed=int(seed))
        return 0
    if options.sum:
        print_sum(options.sum)
        return 0
    with own_server() as served, tempfile.TemporaryDirectory() as folder, ExitStack() as closing:
        place = Path(folder)
        port = closing.enter_context(mail_server(place / "received", options.seed))
        begun = time.monotonic()
        places = closing.enter_context(hosts(served, place, port, options))
        kills, failed, restarts = run(served, places, options)
        verdict = compare(place / "host0", place / "received", None, served.url)
        seconds = time.monotonic() - begun
        cuts = sum(one.database.cuts for one in places)
        show(kills, verdict, seconds)
        print(f"  kills of the server            {restarts:>5}")
        print(f"  connections that were cut      {cuts:>5}")
        print(f"  workers ended by an error      {failed.total():>5} {dict(failed) or ''}")
        if options.tally:
            found = asdict(verdict) | {"kills": dict(kills), "failed": dict(failed), "restarts": restarts}
            keep_tally(options, found | {"cuts": cuts, "seconds": round(seconds)})
            keep_broken(options, verdict, served, place)
    return 0 if verdict.holds else 1


def keep_tally(options: argparse.Namespace, found: dict[str, Any]) -> None:
    """Append what was found to the file of a tally."""
    line = json.dumps({"at": f"{now():%Y-%m-%d %H:%M}", "seed": options.seed, **found})
    with options.tally.open("a") as file:
        file.write(f"{line}\n")


def keep_broken(options: argparse.Namespace, verdict: Verdict, served: OwnServer, place: Path) -> None:
    """Keep the database and what arrived of a run in which the promise did not hold."""
    if verdict.holds:
        return
    kept = options.tally.with_suffix(f".broken{options.seed}")
    kept.mkdir(exist_ok=True)
    (kept / "received").write_bytes((place / "received").read_bytes())
    with (kept / "dump.sql").open("w") as file:
        subprocess.run([str(served.programs / "pg_dump"), served.url], stdout=file, check=False)


def print_sum(tally: Path) -> None:
    """Print the sum of the findings in a file."""
    sums: Counter[str] = Counter()
    for line in tally.read_text().splitlines():
        for name, value in json.loads(line).items():
            if name in ("kills", "failed"):
                sums.update({f"{name}: {point}": number for point, number in value.items()})
                sums[name] += sum(value.values())
            elif name not in ("at", "seed"):
                sums[name] += value if name != "sound" else not value
        sums["runs"] += 1
    for name, number in sums.items():
        print(f"  {'not sound' if name == 'sound' else name:<40} {number:>6}")


@contextmanager
def hosts(served: OwnServer, folder: Path, port: int, options: argparse.Namespace) -> Iterator[list[Place]]:
    """Yield the hosts, each with wires of its own, in their namespaces where some are wanted."""
    network = f"10.{64 + os.getpid() % 128}"
    names = [f"sq{os.getpid()}n{number}" for number in range(options.namespaces)]
    results: list[Place] = []
    try:
        for number, name in enumerate(names):
            _ip("netns", "add", name)
            _ip("link", "add", f"{name}r", "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("addr", "add", f"{network}.{number}.1/24", "dev", f"{name}r")
            _ip("link", "set", f"{name}r", "up")
            _ip("-n", name, "addr", "add", f"{network}.{number}.2/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                _ip("-n", name, "link", "set", device, "up")
        for number in range(options.hosts):
            space = number % len(names) if names else 0
            near = f"{network}.{space}.1" if names else "127.0.0.1"
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


def run(
    served: OwnServer, places: list[Place], options: argparse.Namespace
) -> tuple[Counter[str], Counter[str], int]:
    """Plan, approve and send; return where workers died, what ended others, and the kills of the server."""
    with Store.open(Workspace(places[0].folder), now=now(), url=served.url) as store:
        asyncio.run(fill(store, options.messages))
    done = threading.Event()
    restarts: list[float] = []
    breaking = [
        threading.Thread(target=kill_server, args=(served, done, restarts, options)),
        threading.Thread(target=cut_wires, args=(places, done, options)),
    ]
    share = -(-options.kills // len(places))
    working = [place.start(share, options.seed * 1_000 + number) for number, place in enumerate(places)]
    with meanwhile(breaking, done=done):
        counted = [Deaths.of(host) for host in working]
    for place in places:  # what a host has accepted and could not write down yet, over a wire that is whole
        whole = replace(place, database=Wire(served.url, host=place.database.host))
        counted.append(Deaths.of(whole.start(0, options.seed)))
        whole.database.close()
    deaths = Deaths.together(counted)
    return deaths.killed, deaths.failed, len(restarts)


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


def be_host(url: str, folder: Path, mail: str, *, kills: int, seed: int) -> None:
    """Have workers send and die until nothing is due; print how they died."""

    def send(at: At) -> None:
        # A mail server is spoken to without TLS on the machine itself alone: a port of this host leads to it.
        work(folder, Wire(mail).port, None, at, url)

    keep_working(send, kills=kills, seed=seed)


if __name__ == "__main__":
    sys.exit(main())
