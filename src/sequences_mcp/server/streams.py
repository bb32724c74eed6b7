"""Standard streams: every line that arrives is answered or logged, and an interrupt ends the server.

The SDK's reader silently drops a line it cannot parse: with half a surrogate pair in one name, the call is never
answered. Its blocking read cannot be interrupted. And it reads JSON and tells the kinds of messages apart in one
step, which takes five times as long for a call of 2 MB as one after the other. So a thread of this module reads
the lines, and it makes the messages of them. The SDK's writer goes to a thread twice for each answer, which takes
as long as many an answer; here a short one that surely does not block is written at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import select
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

import anyio
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp.types import ErrorData, JSONRPCError
from pydantic import ValidationError
from pydantic_core import from_json

if TYPE_CHECKING:
    from mcp.shared._stream_protocols import WriteStream

LONGEST = 32 * 1024 * 1024  # bytes of one message; ten thousand contacts with every field take a third of that
LONGEST_ID = 200
AHEAD = 8  # lines read in advance: the thread waits while so many are not consumed
INVALID_REQUEST = -32600
_BOM = b"\xef\xbb\xbf"
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s"{}\[\]:,]+')
_HALF = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]")

logger = logging.getLogger(__name__)


async def serve_streams(server: Any) -> None:
    """Run an SDK server over the standard streams until they end."""
    with _wire_in() as incoming, _wire_out() as outgoing:
        async with stdio_server(stdin=cast("Any", _nothing()), stdout=cast("Any", outgoing)) as (_, write_stream):
            messages = _Messages(incoming, answers=write_stream)
            await server.run(messages, write_stream, server.create_initialization_options())


async def _nothing() -> AsyncIterator[str]:
    """Yield no line: the SDK's reader has none to read."""
    return
    yield


@dataclass(frozen=True, slots=True)
class _Output:
    """A descriptor of standard output, in the form in which the SDK's writer takes a file."""

    descriptor: int
    ready: select.poll

    async def write(self, text: str) -> None:
        """Write all of a text; OSError where nobody reads any longer."""
        data = text.encode()
        # What is ready takes PIPE_BUF bytes without blocking (POSIX, poll and write): the loop never waits.
        if len(data) <= select.PIPE_BUF and self.ready.poll(0):
            os.write(self.descriptor, data)
        else:
            await anyio.to_thread.run_sync(self._write_all, memoryview(data))

    async def flush(self) -> None:
        """Do nothing: no byte is kept back."""

    def _write_all(self, data: memoryview) -> None:
        while data:
            data = data[os.write(self.descriptor, data) :]


class _Messages:
    """The messages of a descriptor, as a stream of the SDK; any other line is answered with an error here."""

    def __init__(self, descriptor: int, *, answers: WriteStream[SessionMessage]) -> None:
        self._descriptor = descriptor
        self._answers = answers
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._room = threading.Semaphore(AHEAD)
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, name="standard-input", daemon=True).start()

    async def receive(self) -> SessionMessage:
        """Return the next message; anyio.EndOfStream once the input has ended."""
        while (line := await self._queue.get()) is not None:
            self._room.release()
            # A byte order mark and wrong UTF-8 are tolerated here; what is then no JSON is answered with an error.
            text = line.removeprefix(_BOM).decode("utf-8", "replace").strip()
            if not text:
                continue
            message = read_message(text) if len(line) <= LONGEST else f"it is longer than {LONGEST:,} bytes"
            if isinstance(message, SessionMessage):
                return message
            await self._explain(text, message)
        self._queue.put_nowait(None)  # whoever asks again is told the same
        raise anyio.EndOfStream

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def aclose(self) -> None:
        """Do nothing: the descriptor is closed by whoever opened it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _explain(self, text: str, why: str) -> None:
        request_id = id_of(text)
        logger.warning("A message that cannot be read was not carried out (id %r): %s.", request_id, why)
        if request_id is not None:
            error = ErrorData(
                code=INVALID_REQUEST, message=f"Nothing was done: {why}. Send the call again without it."
            )
            await self._answers.send(SessionMessage(JSONRPCError(jsonrpc="2.0", id=request_id, error=error)))

    def _read(self) -> None:
        """Pass lines to the loop, in a thread; not through ``sys.stdin``, whose lock blocks the exit."""
        with suppress(RuntimeError):  # the loop is closed
            with suppress(OSError):
                for line in _split(self._descriptor):
                    self._room.acquire()
                    self._loop.call_soon_threadsafe(self._queue.put_nowait, line)
            self._loop.call_soon_threadsafe(self._queue.put_nowait, None)


def read_message(text: str) -> SessionMessage | str:
    """Return the JSON-RPC message of a line, or why it is none."""
    from mcp.types import jsonrpc_message_adapter

    try:
        value = from_json(text, cache_strings="keys")
    except ValueError as error:  # no JSON, a number with thousands of digits, or too deep nesting
        return _why(text, str(error))
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_python(value, by_name=False))
    except ValidationError:
        return "it is JSON, but no request, notification or response of JSON-RPC 2.0"


def id_of(text: str) -> int | str | None:
    """Return the id of a request in a line that is not valid JSON, by scanning its tokens; None without one."""
    depth, key, expects = 0, None, False
    for match in _TOKEN.finditer(text):
        part = match.group()
        if part in "{[":
            depth, expects = depth + 1, False
        elif part in "}]":
            depth -= 1
        elif depth == 1 and part == ":":
            expects = key == '"id"'
        elif depth == 1 and expects:
            return _id(part)
        elif depth == 1:
            key = part
    return None


def _id(part: str) -> int | str | None:
    if part.startswith('"'):
        return part[1:-1] if "\\" not in part and len(part) < LONGEST_ID else None
    return int(part) if re.fullmatch(r"-?\d{1,18}", part) else None


def _why(text: str, reason: str) -> str:
    if _HALF.search(text):
        return "a text in it holds half of an emoji (a surrogate without its partner)"
    if "recursion" in reason:
        return "it is nested too deeply"
    return f"it is no JSON ({reason[:120]})"


def _split(descriptor: int) -> Iterator[bytes]:
    """Yield lines; of a line longer than LONGEST, its first part (longer than LONGEST), the rest is discarded."""
    pending = bytearray()
    thrown = False
    while data := os.read(descriptor, 65_536):
        *ended, rest = data.split(b"\n")
        for piece in ended:
            pending += piece
            if not thrown:
                yield bytes(pending)
            pending.clear()
            thrown = False
        pending += rest
        if len(pending) > LONGEST:
            if not thrown:
                yield bytes(pending)
            pending.clear()
            thrown = True
    if pending and not thrown:
        yield bytes(pending)


@contextmanager
def _wire_in() -> Iterator[int]:
    """Yield a duplicate of standard input, with descriptor 0 on /dev/null, so that nothing else reads messages."""
    descriptor = os.dup(0)
    # Child processes and libraries that read standard input must not take messages from the client.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    try:
        yield descriptor
    finally:
        os.dup2(descriptor, 0)  # the duplicate stays open: the thread may still block in a read of it


@contextmanager
def _wire_out() -> Iterator[_Output | None]:
    """Yield standard output for answers alone, with descriptor 1 on standard error; None leaves it to the SDK."""
    if sys.platform == "win32":  # no poll() there
        yield None
        return
    sys.stdout.flush()
    descriptor = os.dup(1)
    os.dup2(2, 1)  # what a library or a child process prints is no message
    ready = select.poll()
    ready.register(descriptor, select.POLLOUT)
    try:
        yield _Output(descriptor, ready)
    finally:
        os.dup2(descriptor, 1)  # the duplicate stays open: a thread may still block in a write to it
