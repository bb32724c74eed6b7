"""How long a chat waits for its first list and its first call, beside a bare SDK server and one of Node.

Times are wall clock, from the spawning of a process; the sides take turns, and the median ratio counts. A first
call is measured in processor time, because there is more of it and a neighbour does not change it much.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.measure import NO_KEYS, Measured, facts, in_pairs
from benchmarks.people import SETTINGS
from benchmarks.wire import BARE, PRODUCT, Child, Era

FIRST_LIST = 0.30
FIRST_CALL = 1.20
MEMORY_MB = 3.0
NODE_SDK = "@modelcontextprotocol/sdk@1.32.2"
NODE_SERVER = Path(__file__).with_name("bare_node.mjs")
OFF = {"SEQUENCES_PRELUDE": "off"}


@contextmanager
def node_modules() -> Iterator[Path | None]:
    """Yield a folder with the TypeScript SDK, installed by npm; None where there is no Node, npm or registry."""
    if not shutil.which("node") or not (npm := shutil.which("npm")):
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        install = [npm, "install", "--silent", "--no-fund", "--no-audit", "--prefix", folder, NODE_SDK, "zod@3"]
        done = subprocess.run(install, capture_output=True, check=False)
        (Path(folder) / "package.json").touch()
        yield Path(folder) if done.returncode == 0 else None


def first_lists(
    era: Era, *, rounds: int, keys: Mapping[str, str] = NO_KEYS, modules: Path | None = None
) -> Iterator[Measured]:
    """Yield what the first list takes beside a bare SDK server, and beside Node's where that is there."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {**SETTINGS, **keys, "SEQUENCES_DATA_DIR": folder}
        taken: dict[Callable[[], object], list[float]] = {}

        def ours() -> None:
            taken.setdefault(ours, []).append(_first_list(PRODUCT, era, settings))

        def bare() -> None:
            taken.setdefault(bare, []).append(_first_list(BARE, era, {}))

        def node() -> None:
            taken.setdefault(node, []).append(
                _first_list(("node", str(NODE_SERVER)), "legacy", {"NODE_MODULES": str(modules)})
            )

        connected = ", all three vendors" if keys else ""
        in_pairs(ours, bare, rounds=rounds)
        yield _beside(f"first list{connected}, {era} era", taken.pop(ours), taken[bare], allowed=FIRST_LIST)
        if modules:
            in_pairs(ours, node, rounds=rounds)
            yield _beside(f"first list over Node's{connected}, {era} era", taken[ours], taken[node], allowed=1.0)


def first_call(era: Era, *, rounds: int) -> list[Measured]:
    """Measure processor time and memory up to the first call of a tool, with the prelude and without it."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {**SETTINGS, "SEQUENCES_DATA_DIR": folder}
        rows = []
        for number in range(rounds + 1):
            plain = _first_call(PRODUCT, era, {**settings, **OFF}, tool="list_tasks")
            ours = _first_call(PRODUCT, era, settings, tool="list_tasks")
            if number:
                rows.append((ours, plain))
    with_it, without = (median(each[0] for each in side) for side in zip(*rows, strict=True))
    grown = median(ours[1] for ours, _ in rows) - median(plain[1] for _, plain in rows)
    ratio = median(ours[0] / plain[0] for ours, plain in rows)
    detail = f"{with_it:.0f} ms against {without:.0f} ms of processor time"
    return [
        Measured(f"first call, with the prelude over without, {era} era", ratio, FIRST_CALL, "x", detail),
        Measured(f"memory after it, with the prelude, {era} era", grown, MEMORY_MB, "MB", "more than without"),
    ]


def first_call_beside_echo(era: Era, *, rounds: int) -> Measured:
    """Compare the processor time up to the first call of a tool with a bare server's up to its first echo."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {**SETTINGS, "SEQUENCES_DATA_DIR": folder}
        rows = []
        for number in range(rounds + 1):
            echo, _ = _first_call(BARE, era, {}, tool="echo", text="x")
            ours, _ = _first_call(PRODUCT, era, settings, tool="list_tasks")
            if number:
                rows.append((ours, echo))
    mine, theirs = (median(side) for side in zip(*rows, strict=True))
    ratio = median(ours / echo for ours, echo in rows)
    detail = f"{mine:.0f} ms against {theirs:.0f} ms of processor time"
    return Measured(f"first call over a bare server's echo, {era} era", ratio, FIRST_CALL, "x", detail)


def _first_list(command: tuple[str, ...], era: Era, settings: Mapping[str, str]) -> float:
    with Child(command, era=era, settings=settings) as child:
        child.list_tools()
        return time.perf_counter() - child.started


def _first_call(
    command: tuple[str, ...], era: Era, settings: Mapping[str, str], *, tool: str, **arguments: str
) -> tuple[float, float]:
    """Return milliseconds of processor time up to the first answer of a tool, and the memory then."""
    with Child(command, era=era, settings=settings) as child:
        child.list_tools()
        answer = child.call(tool, arguments)
        if tool != "echo":
            facts(answer)
        return child.precise_processor_ms(), child.memory_mb()


def _beside(what: str, ours: list[float], others: list[float], *, allowed: float) -> Measured:
    """Compare the rounds of two sides; the first of each warms up and does not count."""
    mine, theirs = ours[1:], others[1:]
    ratio = median(a / b for a, b in zip(mine, theirs, strict=True))
    detail = f"{median(mine) * 1000:.0f} ms against {median(theirs) * 1000:.0f} ms"
    return Measured(what, ratio, allowed, "x", detail)
