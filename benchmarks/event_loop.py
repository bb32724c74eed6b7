"""The longest piece that a call of many people keeps the event loop for, beside the SDK's reading of the call.

    python -m benchmarks.event_loop [--people N]

Whatever else the server does meanwhile waits for such a piece: an answer of another call, a ping. Each server runs
in a process of its own over real pipes, so that nothing of the client is in what is measured. A task asks for its
turn again and again; the processor time of the loop's thread between two of them is a piece. The bare SDK server
takes the same 2 MB of people with a tool that does nothing: its longest piece is the SDK's reading of the line.
Not on Windows: a signal asks a server for the longest piece so far.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import anyio
from benchmarks import bare
from benchmarks.measure import Measured, facts
from benchmarks.people import SETTINGS, SOURCING, people, steps
from benchmarks.wire import Child
from mcp.server import MCPServer

PEOPLE = 10_000
# Times the SDK's reading of the call. 0.3 and 0.8 were measured; with all that is checked before a save in one
# piece it would be 1.5, with all that is counted after a start 2.
SAVING, STARTING = 0.6, 1.0
PATIENCE = 60.0
SOME = 20  # people of the calls that load and compile what is needed once


class Pieces(NamedTuple):
    """The longest piece of the event loop in each call, in seconds of processor time."""

    reading: float  # the bare SDK server's
    saving: float
    starting: float


def longest_pieces(number: int) -> Pieces:
    """Measure with so many people."""
    everybody = people(2 * number + SOME)
    first, second, few = everybody[:number], everybody[number : 2 * number], everybody[2 * number :]
    with tempfile.TemporaryDirectory() as folder:
        with _Watched("bare", Path(folder)) as watched:
            watched.longest("take", {"contacts": few})
            reading = watched.longest("take", {"contacts": first})
        with _Watched("product", Path(folder)) as watched:
            made = facts(watched.call("create_blueprint", {"name": "Bench", "steps": steps(3), **SOURCING}))
            start = {"blueprint_id": made["blueprint_id"]}
            watched.longest("save_contacts", {"contacts": few})
            watched.longest("start_sequence", {**start, "contacts": few})
            saving = watched.longest("save_contacts", {"contacts": first})
            starting = watched.longest("start_sequence", {**start, "contacts": second})
    return Pieces(reading, saving, starting)


def measured(number: int) -> list[Measured]:
    """Measure, as budgets."""
    found = longest_pieces(number)
    each = (("save_contacts", found.saving, SAVING), ("start_sequence", found.starting, STARTING))
    return [
        Measured(
            f"longest piece of the event loop, {tool} of {number:,}",
            piece / found.reading,
            allowed,
            "x",
            f"{piece * 1000:.0f} ms against {found.reading * 1000:.0f} ms for the SDK's reading of the call",
        )
        for tool, piece, allowed in each
    ]


class _Watched(Child):
    """A server that says how long its longest piece was."""

    def __init__(self, which: str, folder: Path) -> None:
        self._told = folder / which
        self._answers = 0
        command = (sys.executable, "-m", "benchmarks.event_loop", "serve", which, str(self._told))
        super().__init__(command, settings={**SETTINGS, "SEQUENCES_DATA_DIR": str(folder / "data")})
        self.list_tools()

    def longest(self, tool: str, arguments: Mapping[str, Any]) -> float:
        """Return the longest piece of a call."""
        self._so_far()
        facts(self.call(tool, arguments))
        return self._so_far()

    def _so_far(self) -> float:
        """Return the longest piece since the last time, in seconds."""
        self.signal(signal.SIGUSR1)
        self._answers += 1
        give_up = time.monotonic() + PATIENCE
        while len(lines := self._lines()) < self._answers:
            if time.monotonic() > give_up:
                raise RuntimeError("the server does not say how long its longest piece was")
            os.sched_yield()
        return float(lines[-1])

    def _lines(self) -> list[str]:
        text = self._told.read_text("ascii") if self._told.exists() else ""
        return text[: text.rfind("\n") + 1].splitlines()


class _Watch:
    """Keeps the longest piece of the event loop that it runs on."""

    def __init__(self, told: Path) -> None:
        self._told, self._longest = told, 0.0

    async def go_on(self) -> None:
        """Ask for a turn again and again."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self._tell)
        before = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            self._longest, before = max(self._longest, now - before), now

    def _tell(self) -> None:
        with self._told.open("a", encoding="ascii") as file:
            file.write(f"{self._longest}\n")
        self._longest = 0.0


async def _serve(server: MCPServer[Any], told: Path) -> None:
    watching = asyncio.create_task(_Watch(told).go_on())
    try:
        await server.run_stdio_async()
    finally:
        watching.cancel()


def _bare() -> MCPServer[Any]:
    async def take(contacts: list[Any]) -> dict[str, int]:
        """Take people, and do nothing with them."""
        return {"taken": len(contacts)}

    server = bare.build()
    server.add_tool(take)
    return server


def _product() -> MCPServer[Any]:
    from sequences_mcp.bootstrap import open_context
    from sequences_mcp.server.app import build_server
    from sequences_mcp.settings import read_settings

    settings = read_settings(os.environ)
    return build_server(lambda: open_context(settings, worker=False))


def serve(which: str, told: Path) -> None:
    """Run a server over the standard streams, with the product's settings of the garbage collector."""
    from sequences_mcp.serve import SELDOM

    gc.set_threshold(*SELDOM)
    server = _bare() if which == "bare" else _product()
    gc.freeze()
    anyio.run(_serve, server, told)


def main() -> None:
    """Measure, and print each longest piece."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=PEOPLE)
    for row in measured(arguments.parse_args().people):
        print(f"{row.what}: {row.found:.2f} x, {row.detail}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
