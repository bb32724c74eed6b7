"""How many steps a second workers do on PostgreSQL and on SQLite, and what a step takes of the processor.

Each worker is a process with a mailbox of its own, whose channel accepts everything at once: what is measured is
the product and its database. All wait until everybody is ready, then begin together. The kinds alternate, so that
another load on the machine weighs on all of them; of each the best round counts, and times of the processor are
those of the whole round: the workers' and, on PostgreSQL, the server's. A shared machine says little about steps a
second, and more about the ratios of times of the processor.

    python -m benchmarks.steps                       # 1, 2 and 4 workers, three rounds
    python -m benchmarks.steps --steps 300 --workers 1 --profile steps.prof

Needs PostgreSQL's programs, Linux and ``fork``.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import logging
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from benchmarks.due import STEP, TERMS, now, provider, start, worker_on
from tests.world.database_server import OwnServer, own_server

from sequences_mcp.domain.blueprint import Sourcing
from sequences_mcp.domain.plan import Terms
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.store.unit_of_work import Store

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Measured:
    """A round: steps a second, and milliseconds of the processor for a step."""

    rate: float
    worker_ms: float
    server_ms: float

    @property
    def words(self) -> str:
        """The round, for people to read."""
        both = self.worker_ms + self.server_ms
        return f"{self.rate:6.1f} steps/s, a step takes {both:5.1f} ms: {self.worker_ms:.1f} the worker's, "


def main() -> int:
    """Run and print the figures."""
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--steps", type=int, default=200, help="of each worker")
    wanted.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    wanted.add_argument("--rounds", type=int, default=3)
    wanted.add_argument("--profile", type=Path, help="a file for the profile of a worker on PostgreSQL")
    options = wanted.parse_args()
    with own_server() as served, tempfile.TemporaryDirectory() as folder, ExitStack() as closing:
        found: dict[tuple[str, int], list[Measured]] = {}
        for number in range(options.rounds):
            for workers in options.workers:
                for kind in ("sqlite", "postgres"):
                    place = Path(folder) / f"{kind}{number}_{workers}"
                    url = _fresh(served, place.name) if kind == "postgres" else None
                    profile = options.profile if url and not number and workers == options.workers[0] else None
                    measured = measure(served, place, url, workers, options.steps, profile)
                    found.setdefault((kind, workers), []).append(measured)
        closing.close()
    best = {key: max(rounds, key=lambda one: one.rate) for key, rounds in found.items()}
    for (kind, workers), one in best.items():
        print(f"  {kind:<9} {workers} workers: {one.words}{one.server_ms:.1f} the server's")
    for workers in options.workers:
        ours, theirs = (best[kind, workers] for kind in ("postgres", "sqlite"))
        both = ours.worker_ms + ours.server_ms
        print(
            f"  {workers} workers, PostgreSQL over SQLite: {ours.rate / theirs.rate:.2f} x the steps a second, "
            f"{ours.worker_ms / theirs.worker_ms:.2f} x a worker's processor time, "
            f"{both / theirs.worker_ms:.2f} x with the server's"
        )
    return 0


def _fresh(served: OwnServer, name: str) -> str:
    with psycopg.connect(served.url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
    return served.url.replace("/postgres?", f"/{name}?")


def _terms(number: int) -> Terms:
    return replace(TERMS, sender_address=f"ada{number}@example.com")


def measure(
    served: OwnServer, folder: Path, url: str | None, workers: int, steps: int, profile: Path | None
) -> Measured:
    """Fill a database, let the workers do all that is due, and return what that took."""
    with Store.open(Workspace(folder / "0"), now=now(), url=url) as store:
        asyncio.run(provider(store).create_blueprint(name="Due", steps=[STEP], sourcing=Sourcing()))
        for number in range(workers):
            terms = _terms(number)
            asyncio.run(start(provider(store, terms=terms), steps, terms=terms))
    ready, begin, told = os.pipe(), os.pipe(), os.pipe()
    for number in range(workers):
        own = folder / (str(number) if url else "0")  # each host on PostgreSQL has a folder of its own
        if not os.fork():
            _work(own, url, _terms(number), ready[1], begin, told[1], None if number else profile)
    os.close(begin[0])
    os.close(told[1])
    for _ in range(workers):
        os.read(ready[0], 1)
    before, begun = server_time(served), time.monotonic()
    os.close(begin[1])  # all begin
    with os.fdopen(told[0]) as pipe:
        lines = pipe.read().splitlines()
    took = time.monotonic() - begun
    server = server_time(served) - before
    for _ in range(workers):
        os.wait()
    for end in ready:
        os.close(end)
    done = [json.loads(line) for line in lines]
    number = sum(one["done"] for one in done)
    if number != steps * workers:
        raise RuntimeError(f"{number} steps were done of {steps * workers}")
    return Measured(number / took, sum(one["cpu"] for one in done) / number * 1e3, server / number * 1e3)


def _work(
    folder: Path,
    url: str | None,
    terms: Terms,
    ready: int,
    begin: tuple[int, int],
    told: int,
    profile: Path | None,
) -> None:
    """Do what is due once all may begin, tell how much that was and what it took, and end this process."""
    os.close(begin[1])
    logging.disable(logging.WARNING)  # each says that it leaves the other mailboxes' e-mails to their workers
    with Store.open(Workspace(folder), now=now(), url=url) as store:
        taken: list[str] = []
        worker = worker_on(store, taken=taken, terms=terms)
        worker.run_due(limit=1)  # loads what a step needs
        os.write(ready, b" ")
        os.read(begin[0], 1)
        watch = cProfile.Profile() if profile else None
        if watch:
            watch.enable()
        used = time.process_time()
        while worker.run_due(limit=10_000):
            pass
        used = time.process_time() - used
        if watch:
            watch.disable()
            watch.dump_stats(str(profile))
    os.write(told, f"{json.dumps({'done': len(taken), 'cpu': used})}\n".encode())
    os._exit(0)


def server_time(served: OwnServer) -> float:
    """Return the seconds of the processor that a server and all its processes have taken so far."""
    first = int((served.folder / "data" / "postmaster.pid").read_text().split()[0])
    total = 0
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, facts = int(place.parent.name), place.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if number == first:
            total += sum(int(value) for value in facts[11:15])  # with those of its processes that have ended
        elif int(facts[1]) == first:
            total += int(facts[11]) + int(facts[12])
    return total / TICKS


if __name__ == "__main__":
    sys.exit(main())
