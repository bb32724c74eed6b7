"""What connected vendors cost: cold start and tokens with all three, and a read tool beside the bare httpx call.

python -m benchmarks.vendors
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
from benchmarks import tokens
from benchmarks.measure import COLD_START, LIST_TOKENS, taking_turns
from benchmarks.people import SETTINGS
from benchmarks.wire import BARE, ERAS, PRODUCT, Child, Era

from sequences_mcp.sandbox.serve import settings

PORT = 18_765


@contextmanager
def served() -> Iterator[Mapping[str, str]]:
    """Run the sandbox in a process of its own and yield the environment that points at it."""
    command = (*PRODUCT, "sandbox", "--port", str(PORT))
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ)) as serving:
        assert serving.stdout is not None
        serving.stdout.readline()
        try:
            yield settings(PORT)
        finally:
            serving.terminate()


@contextmanager
def connected(environment: Mapping[str, str], *, era: Era) -> Iterator[Child]:
    """Run the product with all three vendors, over a new folder."""
    with tempfile.TemporaryDirectory() as folder:
        known = {**SETTINGS, **environment, "SEQUENCES_DATA_DIR": folder}
        with Child(PRODUCT, era=era, settings=known) as child:
            yield child


def cold_start(environment: Mapping[str, str], era: Era, *, rounds: int) -> tuple[float, float]:
    """Return the best seconds to the first tools/list: ours with three vendors, and a bare ten-tool server's."""

    def ours() -> None:
        with connected(environment, era=era) as child:
            child.list_tools()

    def bare() -> None:
        with Child(BARE, era=era) as child:
            child.list_tools()

    best = taking_turns({"ours": ours, "bare": bare}, rounds=rounds)
    return best["ours"], best["bare"]


def overhead(environment: Mapping[str, str], *, rounds: int) -> tuple[float, float]:
    """Return the median seconds of a list at Topo through the server, and of the same bare httpx call."""
    headers = {"authorization": f"Bearer {environment['TOPO_API_KEY']}"}
    address = f"{environment['TOPO_BASE_URL']}/sequences"
    ours: list[float] = []
    bare: list[float] = []
    with connected(environment, era="modern") as child, httpx.Client(headers=headers, trust_env=False) as client:
        child.list_tools()
        for _ in range(rounds):
            begun = time.perf_counter()
            child.call("list_sequences", {"provider": "topo"})
            between = time.perf_counter()
            client.get(address, params={"page": 1, "size": 10}).raise_for_status()
            ours.append(between - begun)
            bare.append(time.perf_counter() - between)
    return sorted(ours)[rounds // 2], sorted(bare)[rounds // 2]


def main() -> int:
    """Print what was found; 1 when a budget is not kept."""
    kept = True
    with served() as environment:
        for era in ERAS:
            ours, bare = cold_start(environment, era, rounds=7)
            kept &= ours <= bare * COLD_START
            print(f"cold start, {era} era: {ours * 1000:.0f} ms, {ours / bare:.2f} x bare (at most {COLD_START})")
        with connected(environment, era="modern") as child:
            cost = tokens.cost(child.list_tools())
        kept &= cost <= LIST_TOKENS
        print(f"tools/list: {cost} tokens (at most {LIST_TOKENS})")
        ours, bare = overhead(environment, rounds=50)
        print(f"list_sequences at Topo: {ours * 1000:.1f} ms, the bare call {bare * 1000:.1f} ms")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
