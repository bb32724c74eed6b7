"""How a server over stdio ends: with 130 after an interrupt, and with everything closed that was open."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.secrecy.hearing import heard
from tests.server.test_streams import HELLO, READY
from tests.world.engine import until
from tests.world.loaded import python

from sequences_mcp.errors import StoreBusyError
from sequences_mcp.server.app import OpenedContext
from sequences_mcp.server.http.callers import CallersContext

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a process cannot be sent an interrupt")
MAIN = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    {run}
except KeyboardInterrupt:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    sys.exit(130)
"""
ENDS = """
import asyncio, os, signal, sys
from sequences_mcp.server.app import OpenedContext, SequencesServer

class Server(SequencesServer):
    async def run_stdio_async(self):
        print("ready", flush=True)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            {end}
"""
CLOSES = """
import asyncio, os, signal, sys
from contextlib import asynccontextmanager
from sequences_mcp.server.app import build_server

@asynccontextmanager
async def opened():
    try:
        yield None
    finally:
        print("closing", file=sys.stderr, flush=True)
        await asyncio.to_thread(os.open, {gate!r}, os.O_RDONLY)  # until somebody writes to it
        print("closed", file=sys.stderr, flush=True)
"""


def started(program: str, **options: Any) -> subprocess.Popen[bytes]:
    """Start a program whose standard streams are pipes."""
    pipe = subprocess.PIPE
    return subprocess.Popen([*python(), "-c", program], stdin=pipe, stdout=pipe, stderr=pipe, **options)


def ending(end: str) -> subprocess.Popen[bytes]:
    """Start a server whose main task does this once it is cancelled, and wait until it serves."""
    run = 'Server(OpenedContext(None), log_level="INFO", vendors=()).run_stdio()'
    process = started(ENDS.format(end=end) + MAIN.format(run=run))
    assert process.stdout and process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("raise", 130),
        ("raise RuntimeError from None", 130),
        ("asyncio.current_task().cancel(); await asyncio.sleep(0)", 130),
        ("os.kill(os.getpid(), signal.SIGINT); await asyncio.sleep(0); raise", 130),  # passed on by who started it
        ("return", 0),
    ],
)
def test_an_interrupt_is_one_however_what_it_cancels_ends(end: str, status: int) -> None:
    with ending(end) as process:
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=60)
    assert process.returncode == status, log
    assert b"Traceback" not in log


def test_another_interrupt_a_second_later_ends_a_server_that_does_not_end() -> None:
    with ending("await asyncio.Event().wait()") as process:

        def is_over() -> bool:
            process.send_signal(signal.SIGINT)
            return process.poll() is not None

        until(is_over)
        _, log = process.communicate(timeout=60)
    assert (process.returncode, log) == (130, b"")


def test_a_programs_own_handler_of_interrupts_is_left_alone() -> None:
    own = "signal.signal(signal.SIGINT, lambda *_: print('heard', flush=True))"
    run = 'Server(OpenedContext(None), log_level="INFO", vendors=()).run_stdio()'
    program = ENDS.format(end="raise") + MAIN.format(run=f"{own}\n    {run}")
    with started(program) as process:
        assert process.stdout and process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == b"heard\n"
        process.kill()
        process.communicate(timeout=60)


def served(folder: Path, prelude: str) -> subprocess.Popen[bytes]:
    """Start the server as a host does, which can be interrupted, and have its first answer."""
    environ = {**os.environ, "SEQUENCES_DATA_DIR": str(folder), "SEQUENCES_REVIEW_PAGE": "off"}
    run = "sys.argv = ['sequences-mcp']; from sequences_mcp.cli import main; main()"
    process = started(MAIN.format(run=run), env={**environ, "SEQUENCES_PRELUDE": prelude})
    assert process.stdin and process.stdout
    process.stdin.write(json.dumps(HELLO).encode() + b"\n" + READY)
    process.stdin.flush()
    assert heard("what the server answered", process.stdout.readline())
    return process


@pytest.mark.parametrize("prelude", ["on", "off"])
def test_a_client_that_no_longer_reads_has_left(tmp_path: Path, prelude: str) -> None:
    with served(tmp_path, prelude) as process:
        assert process.stdin and process.stdout
        process.stdout.close()
        process.stdin.write(b'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"list_providers"}}\n')
        process.stdin.flush()
        assert process.wait(60) == 0
        assert process.stderr and b"Traceback" not in heard("what the server logged", process.stderr.read())


@pytest.mark.parametrize("prelude", ["on", "off"])
def test_an_interrupt_does_not_wait_for_a_client_that_reads_nothing(tmp_path: Path, prelude: str) -> None:
    with served(tmp_path / "data", prelude) as process:
        assert process.stdin
        ask = b"".join(b'{"jsonrpc":"2.0","id":%d,"method":"tools/list"}\n' % number for number in range(2, 40))
        process.stdin.write(ask)  # whose answers are more than a pipe holds
        process.stdin.flush()
        until((tmp_path / "data" / "sequences.db").exists)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        for text in process.communicate(timeout=60):
            heard("what the server wrote", text)


@pytest.mark.parametrize(
    ("how", "status"), [("input ends, then an interrupt", 130), ("interrupt", 130), ("output is gone", 0)]
)
def test_what_is_open_is_closed_to_the_end_however_the_server_ends(tmp_path: Path, how: str, status: int) -> None:
    os.mkfifo(gate := tmp_path / "gate")
    run = "build_server(opened, vendors=()).run_stdio()"
    main = MAIN.format(run=run) + "except BaseExceptionGroup as gone:\n    assert not gone.split(OSError)[1]\n"
    with started(CLOSES.format(gate=str(gate)) + main) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(json.dumps(HELLO).encode() + b"\n" + READY)
        process.stdin.flush()
        assert process.stdout.readline()
        if how.startswith("input"):
            process.stdin.close()
        elif how == "interrupt":
            process.send_signal(signal.SIGINT)
        else:
            process.stdout.close()
            process.stdin.write(b'{"jsonrpc":"2.0","id":2,"method":"tools/list"}\n')
            process.stdin.flush()
        assert process.stderr.readline() == b"closing\n"
        if how.startswith("input"):
            process.send_signal(signal.SIGINT)
        gate.open("w").close()
        assert process.stderr.readline() == b"closed\n"
        assert process.wait(60) == status


async def test_what_was_closed_is_not_opened_by_a_call_that_is_still_under_way() -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def opening() -> AsyncIterator[Any]:
        seen.append("opened")
        yield object()
        seen.append("closed")

    context = OpenedContext(opening)
    await context.get()
    await context.close()
    with pytest.raises(StoreBusyError, match="being closed"):
        await context.get()
    context.begin()
    await asyncio.gather(context.get(), context.get())
    await context.close()
    assert seen == ["opened", "closed"] * 2


@pytest.mark.parametrize("of_callers", [False, True])
async def test_what_is_closed_while_it_opens_is_used_by_nobody_afterwards(of_callers: bool) -> None:
    begun, go_on, opened = asyncio.Event(), asyncio.Event(), []

    @asynccontextmanager
    async def opening() -> AsyncIterator[Any]:
        begun.set()
        await go_on.wait()
        opened.append(FakeContext())
        yield opened[-1]

    context = (CallersContext if of_callers else OpenedContext)(opening)
    calling = asyncio.create_task(context.get())
    await begun.wait()
    closing = asyncio.create_task(context.close())
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(calling, closing)
    with pytest.raises(StoreBusyError, match="being closed"):
        await context.get()
    context.begin()
    used: Any = await context.get()
    assert used.made == opened[1].made
    await context.close()


@dataclass(frozen=True)
class FakeContext:
    """Stands for what the tools work with; each is another one."""

    made: object = field(default_factory=object)
    elicitation: bool = False
    place: str = ""

    def acting_as(self, *_: object, **__: object) -> FakeContext:
        """Return itself: nobody acts."""
        return self
