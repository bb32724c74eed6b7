"""Move a database of many runs to a PostgreSQL server and back, and hold what is there against what was.

Each way the rows of every table are compared one by one by the command itself; here the canonical dumps of both
sides are compared once more, and those of before and after. The audit has a row for each run, in its chain.

    python -m benchmarks.move --runs 100000

Exit status 1 where a dump differs or a chain does not hold. Needs PostgreSQL's programs, of Debian's package or on
the path.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks import due
from tests.world.database_server import own_server

from sequences_mcp.domain.actors import ENGINE, TERMINAL
from sequences_mcp.domain.entries import AuditRow
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.settings import read_settings
from sequences_mcp.store import moving
from sequences_mcp.store.unit_of_work import Store
from sequences_mcp.upkeep import move_database


def main() -> int:
    """Fill a folder, move it there and back, and print what was found."""
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--runs", type=int, default=100_000)
    options = wanted.parse_args()
    with own_server() as served, tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "data"
        fill(folder, options.runs)
        before = dumped(folder, None)
        held = []
        for way, at, target in (("to the server", None, served.url), ("back", served.url, folder)):
            begun, used = time.monotonic(), time.process_time()
            number, total = move(folder, at, target)
            print(
                f"  {way:14} {total:>9,} rows of {number} tables in {time.monotonic() - begun:6.1f} s, "
                f"{time.process_time() - used:.1f} s of processor time here"
            )
            here, there = dumped(folder, None), dumped(folder, served.url)
            held.append(here == there)
        held.append(without_audit(before) == without_audit(dumped(folder, None)))
        with Store.open(Workspace(folder), now=due.now()) as store:
            broken, rows = store.audit.verify(), store.audit.last_number()
        print(f"  the audit's chain of {rows:,} rows {'holds' if broken is None else 'is broken'}")
        held.append(broken is None)
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"  dumps equal: {', '.join('yes' if one else 'NO' for one in held[:3])}; at most {size:.0f} MB of memory"
    )
    return 0 if all(held) else 1


def fill(folder: Path, runs: int) -> None:
    """Make a folder with so many runs asleep, and a row of the audit for each."""
    due.fill(folder, runs)
    with Store.open(Workspace(folder), now=due.now()) as store, store.transaction() as work:
        subjects = (f"local:seq_S{number}" for number in range(1, runs + 1))
        detail = {"steps": [{"id": "s1", "state": "planned"}]}
        work.audit.append(
            AuditRow(at=due.now(), actor=ENGINE, action="sequence.started", subject=subject, detail=detail)
            for subject in subjects
        )


def move(folder: Path, at: str | None, target: str | Path) -> tuple[int, int]:
    """Move the database of a folder, or the one at an address; return how many tables and rows it has."""
    environ = {"SEQUENCES_DATA_DIR": str(folder)} | ({"SEQUENCES_DATABASE_URL": at} if at else {})
    report, _ = move_database(read_settings(environ), target, actor=TERMINAL, progress=lambda *_: None)
    return len(report.rows), report.total


def dumped(folder: Path, url: str | None) -> Mapping[str, moving.Dump]:
    """Return the canonical dump of either database."""
    with moving.source_of(folder, url) as side:
        return moving.dumped(side)


def without_audit(dump: Mapping[str, moving.Dump]) -> Mapping[str, moving.Dump]:
    """Return a dump without the audit, which says of each move that it was made."""
    return {name: table for name, table in dump.items() if name != "audit"}


if __name__ == "__main__":
    raise SystemExit(main())
