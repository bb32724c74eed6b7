"""Openings of conversations, drawn by chance, played with and without the prelude: what comes back is the same.

    python -m benchmarks.prelude [--openings 10000] [--processes 300] [--first 0]

``--openings`` are played to a server in this process, where the SDK comes at a chosen fragment; ``--processes`` to
processes of their own, started as a chat starts them, where it comes when it comes. Exit status 1 at a difference.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

from benchmarks.measure import KEYS
from benchmarks.openings import OpeningScript, drawn, owed
from benchmarks.played import LIMIT, Played, Player, differences, ids_of

from sequences_mcp.bootstrap import open_context
from sequences_mcp.domain.ids import VENDORS
from sequences_mcp.server.app import SequencesServer, build_server
from sequences_mcp.server.prelude.snapshot import FrozenAnswers
from sequences_mcp.settings import read_settings
from sequences_mcp.vendors.registry import DESCRIPTIONS

PAUSE = 0.15  # seconds between two fragments at most: the SDK is there after one to five of them
SHOWN = 5
HANGS = 600.0  # seconds for an answer of a process, on a machine that is as busy as it may be


async def in_process(seeds: range) -> Iterator[tuple[int, int, list[str]]]:
    """Play openings to a server in this process; return each seed with the early answers and the differences."""
    frozen, results = FrozenAnswers.load(), []
    with tempfile.TemporaryDirectory() as folder:
        async with open_context(read_settings({**KEYS, "SEQUENCES_DATA_DIR": folder}), worker=False) as app:

            def server(vendors: Sequence[str]) -> SequencesServer:
                return build_server(lambda: nullcontext(app), vendors=vendors)

            for seed in seeds:
                script = drawn(seed, tuple(VENDORS))
                plain = await Player(script, server(script.vendors), None).play()
                other = await Player(script, server(script.vendors), frozen).play()
                results.append((seed, other.early, list(differences(script, plain, other))))
    return iter(results)


async def by_processes(seeds: range) -> Iterator[tuple[int, int, list[str]]]:
    """Play openings to processes, without and with the prelude; a data folder is in use by all of them."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            script = drawn(seed, tuple(VENDORS))
            plain = await _by_process(script, seed, Path(folder), "off")
            other = await _by_process(script, seed, Path(folder), "on")
            results.append((seed, other.early, list(differences(script, plain, other))))
    return iter(results)


async def _by_process(script: OpeningScript, seed: int, folder: Path, switch: str) -> Played:
    environ = {DESCRIPTIONS[name].key_setting: KEYS[DESCRIPTIONS[name].key_setting] for name in script.vendors}
    environ |= {"SEQUENCES_DATA_DIR": str(folder), "SEQUENCES_REVIEW_PAGE": "off", "SEQUENCES_PRELUDE": switch}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sequences_mcp"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, **environ},
        limit=LIMIT,
    )
    assert process.stdin is not None and process.stdout is not None
    chance, lines, sent = random.Random(seed), list[bytes](), b""

    async def answered() -> None:
        ids, cancelled = owed(sent)
        while any(number not in cancelled for number in ids - ids_of(lines)):
            try:
                line = await asyncio.wait_for(process.stdout.readline(), HANGS)  # type: ignore[union-attr]
            except TimeoutError:
                raise AssertionError(f"seed {seed}: no answer to {ids - ids_of(lines)}, {switch}") from None
            if not line:
                raise AssertionError(f"seed {seed}: the server ended without {ids - ids_of(lines)}")
            lines.append(line)

    for number, fragment in enumerate((*script.fragments, b"")):
        if number in script.patient or (not fragment and not script.leaves):
            await answered()
        elif fragment:
            await asyncio.sleep(chance.uniform(0, PAUSE))
        process.stdin.write(fragment)
        sent += fragment
    process.stdin.close()
    lines += (await process.stdout.read()).splitlines(keepends=True)
    if code := await process.wait():
        raise AssertionError(f"seed {seed}: the server ended with {code}")
    return Played(tuple(lines), 0)


def report(what: str, results: Iterator[tuple[int, int, list[str]]], began: float) -> int:
    """Print what was found, and return how many openings came back otherwise."""
    seen, early, bad = 0, 0, Counter[int]()
    for seed, answered, found in results:
        seen, early = seen + 1, early + answered
        if found:
            bad[seed] = len(found)
            if len(bad) <= SHOWN:
                print(f"seed {seed}:", *found, sep="\n  ")
    by_prelude = f", {early:,} answers given by the prelude" if early else ""
    print(f"{seen:,} openings {what}: {len(bad)} differ{by_prelude}; {time.monotonic() - began:.0f} s", flush=True)
    return len(bad)


def main() -> int:
    """Play all of it; 0 where nothing differs."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--openings", type=int, default=10_000)
    arguments.add_argument("--processes", type=int, default=300)
    arguments.add_argument("--first", type=int, default=0)
    asked = arguments.parse_args()
    logging.disable(logging.CRITICAL)
    first, began = asked.first, time.monotonic()
    bad = report("in one process", asyncio.run(in_process(range(first, first + asked.openings))), began)
    began = time.monotonic()
    bad += report("by processes", asyncio.run(by_processes(range(first, first + asked.processes))), began)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
