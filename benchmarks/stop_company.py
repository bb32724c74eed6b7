"""How long it takes to stop 1,000 live runs of a company, on PostgreSQL and on a file, in the same run.

The whole company is put on the suppression list, which ends all that covers it in one transaction, with a row of
the audit for each run, and answers with all of them.

    python -m benchmarks.stop_company

Printed are the seconds by the clock and, since others may use the machine too, those of the processor, with the
server's. Exit status 1 when PostgreSQL takes more than a second of the best of three. Needs PostgreSQL's programs
and Linux.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psycopg
from benchmarks.due import STEP, now, provider, start
from benchmarks.steps import server_time
from tests.world.database_server import OwnServer, own_server

from sequences_mcp.domain.blueprint import Sourcing
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.store.unit_of_work import Store

MOST, ROUNDS = 1.0, 3


def main() -> int:
    """Run and print the figures."""
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--runs", type=int, default=1_000)
    runs = wanted.parse_args().runs
    found: dict[str, list[tuple[float, float]]] = {"PostgreSQL": [], "a file": []}
    with own_server() as served, tempfile.TemporaryDirectory() as folder, ExitStack() as closing:
        for number in range(ROUNDS):
            for kind, times in found.items():
                url = None
                if kind == "PostgreSQL":
                    with psycopg.connect(served.url, autocommit=True) as server:
                        server.execute(f"CREATE DATABASE stop{number}".encode())
                    url = served.url.replace("/postgres?", f"/stop{number}?")
                place = Workspace(Path(folder) / f"{kind}{number}")
                times.append(stop(closing.enter_context(Store.open(place, now=now(), url=url)), served, runs))
        closing.close()
    for kind, times in found.items():
        took, used = min(times)
        print(f"  {runs:,} runs of a company stopped on {kind}: {took:.2f} s, {used:.2f} s of the processor's")
    return 0 if min(found["PostgreSQL"])[0] <= MOST else 1


def stop(store: Store, served: OwnServer, runs: int) -> tuple[float, float]:
    """Start so many people of one company and stop them; return the seconds, and those of the processor."""
    local = provider(store)
    asyncio.run(local.create_blueprint(name="Due", steps=[STEP], sourcing=Sourcing()))
    asyncio.run(start(local, runs, host="company.example"))
    begun, used = time.monotonic(), time.process_time() + server_time(served)
    answer = asyncio.run(local.suppressions.suppress("domain", "company.example", reason="asked"))
    took = time.monotonic() - begun, time.process_time() + server_time(served) - used
    if len(answer.stopped) != runs:
        raise RuntimeError(f"{len(answer.stopped)} runs were stopped of {runs}")
    return took


if __name__ == "__main__":
    sys.exit(main())
