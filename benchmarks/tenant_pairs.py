"""Random pairs of a tenant and an id of another's, over HTTP, by every request that takes an id.

Each tenant has plans that wait and are over, texts, tasks and people. Whoever asks has a token that is good where
they ask. Every question is asked once more with an id of the same kind that nobody has: both answers have to be
the same.

    python -m benchmarks.tenant_pairs [--pairs 10000] [--tenants 5] [--seed 1]

The exit status is 1 when an answer tells anything.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.world.issuer import PUBLIC, issuing
from tests.world.tenant_pairs import asking, ids_of, populate, questions, revealing, tokens_for
from tests.world.tenants import TenantsWorld, serving_tenants

from sequences_mcp.server.http.options import ServeOptions

UNHURRIED = ServeOptions(public_url=PUBLIC, per_minute=10**9, tenant_rate=10**9)
SHOWN = 10
AT_ONCE = 500  # pairs between two lines of progress


def main() -> int:
    """Ask for all pairs; return 1 when an answer tells anything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--tenants", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    begun, told = time.monotonic(), list[str]()
    with tempfile.TemporaryDirectory() as folder:
        tenants = TenantsWorld(Path(folder))
        names = [f"firm-{number}" for number in range(given.tenants)]
        for name in names:
            populate(tenants, name)
        with (
            issuing() as issuer,
            serving_tenants(tenants, issuer, UNHURRIED) as served,
            asking(served, tokens_for(issuer, names, seconds=36_000)) as ask,
        ):
            ids = {name: ids_of(ask, name) for name in names}
            for done in range(0, given.pairs, AT_ONCE):
                pairs = min(AT_ONCE, given.pairs - done)
                told += revealing(ask, ids, pairs=pairs, seed=given.seed + done)
                print(f"{done + pairs:>8,} pairs, {len(told)} that tell something", flush=True)
            same = {name: ids_of(ask, name) for name in names} == ids
    minutes = (time.monotonic() - begun) / 60
    print(
        f"{given.pairs:,} pairs of {given.tenants} tenants by {len(questions())} requests in {minutes:.1f} minutes"
    )
    print("what each tenant has is as before" if same else "WHAT A TENANT HAS WAS CHANGED BY ANOTHER")
    for line in told[:SHOWN]:
        print(line)
    return 1 if told or not same else 0


if __name__ == "__main__":
    sys.exit(main())
