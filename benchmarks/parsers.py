"""Reads many replies of the vendors, each changed at random, and counts crashes and wrong "done"s.

Run as ``python benchmarks/parsers.py [how many] [seed]``, 50,000 by default. It exits with 1 when it finds one.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from itertools import cycle, islice
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.vendors.vendor_mutations import NoneDoneError, Parser, mutated, parsers

from sequences_mcp.vendors.parsing import UnreadableError

COUNT = 50_000


def verdict(parser: Parser, random: Random) -> str:
    """Return what became of one changed reply."""
    body = mutated(parser.body, random)
    try:
        parser.read(body)
    except (UnreadableError, NoneDoneError):
        return "refused"
    except Exception as error:  # noqa: BLE001 - a crash of any kind is what is being looked for
        return f"CRASH {parser.name}: {error!r}"
    is_done = parser.says_done is None or parser.says_done(body)
    return "read" if is_done else f"WRONG DONE {parser.name}: {body!r:.300}"


def verdicts(count: int, *, seed: int) -> Counter[str]:
    """Return how many of so many replies ended in each verdict, the parsers taking turns."""
    random = Random(seed)
    return Counter(verdict(parser, random) for parser in islice(cycle(parsers()), count))


def main() -> int:
    """Read the replies and report."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    began = time.perf_counter()
    found = verdicts(count, seed=int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    seconds = time.perf_counter() - began
    bad = {what: number for what, number in found.items() if what not in ("read", "refused")}
    print(f"{count} replies in {seconds:.1f} s: {found['read']} read, {found['refused']} refused, {len(bad)} bad")
    for what, number in sorted(bad.items())[:20]:
        print(f"{number} x {what}")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
