"""What an idle worker on PostgreSQL weighs: ``sequences-mcp work`` in a process of its own, beside one on a file.

A worker is idle once its process listens for news from the server, which it does when it sleeps for the first
time; on a file, after as long. Resident is what ``ps`` shows, with libraries that other processes share; own is
what is given back when it ends.

    python -m benchmarks.idle_postgres

Exit status 1 when the one on PostgreSQL has more than 90 MB resident. Needs PostgreSQL's programs and Linux.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from tests.world.database_server import own_server

PATIENCE, MOST = 300.0, 90.0
LOOKS = 3.0  # seconds after it has gone to sleep, in which it looks some times
SETTINGS = {
    "SEQUENCES_SENDER": "Ada Lovelace <ada@example.com>",
    "SEQUENCES_SMTP_URL": "smtp://127.0.0.1:9",
    "SEQUENCES_WORKER": "on",
}


def main() -> int:
    """Run and print the figures."""
    with own_server() as served, tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        resident, own = weigh(Path(folder) / "host", served.url)
        waited = time.monotonic() - begun
        print(f"  on PostgreSQL: {resident:5.1f} MB resident, {own:5.1f} MB its own (at most {MOST:.0f} resident)")
        alike = weigh(Path(folder) / "file", None, waited=waited)
        print(f"  on a file:     {alike[0]:5.1f} MB resident, {alike[1]:5.1f} MB its own")
    return 0 if resident <= MOST else 1


def weigh(folder: Path, url: str | None, *, waited: float = 0.0) -> tuple[float, float]:
    """Start a worker, wait until it is idle, and return its resident megabytes and those of its own."""
    variables = {**os.environ, **SETTINGS, "SEQUENCES_DATA_DIR": str(folder)}
    if url is not None:
        variables["SEQUENCES_DATABASE_URL"] = url
    command = [sys.executable, "-m", "sequences_mcp", "work"]
    child = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        if url is not None:
            _wait_until_it_listens(url, child)
        time.sleep(waited or LOOKS)
        text = Path(f"/proc/{child.pid}/smaps_rollup").read_text()
    finally:
        child.terminate()
        child.wait()
    kilobytes = {words[0]: int(words[1]) for line in text.splitlines()[1:] if (words := line.split())}
    own = kilobytes["Private_Clean:"] + kilobytes["Private_Dirty:"]
    return kilobytes["Rss:"] / 1024, own / 1024


def _wait_until_it_listens(url: str, child: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + PATIENCE
    with psycopg.connect(url, autocommit=True) as server:
        while time.monotonic() < give_up and child.poll() is None:
            asked = (
                "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_notify%' AND pid <> pg_backend_pid()"
            )
            if server.execute(asked).fetchone():
                return
            time.sleep(0.1)
    raise RuntimeError("the worker did not go to sleep")


if __name__ == "__main__":
    sys.exit(main())
