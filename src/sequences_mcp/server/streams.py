"""Standard streams: every line that arrives is answered or logged, and an interrupt ends the server.

The SDK's reader silently drops a line it cannot parse: with half a surrogate pair in one name, the call is never
answered. Its blocking read cannot be interrupted. And it reads JSON and tells the kinds of messages apart in one
step, which takes five times as long for a call of 2 MB as one after the other. So a thread of ours reads the lines
(``prelude/standard_input.py``: it may have begun before the SDK was loaded), and this module makes the messages of
them. The SDK's writer goes to a thread twice for each answer, which takes as long as many an answer; here a short
one that surely does not block is written at once.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import select
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self, cast

import anyio
from anyio.abc import AsyncResource
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp.types import ErrorData, JSONRPCError, JSONRPCResponse
from pydantic import ValidationError
from pydantic_core import from_json

from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.server.prelude.opening import RecordedLine
from sequences_mcp.server.prelude.standard_input import LONGEST_LINE, InputLines, input_lines

if TYPE_CHECKING:
    from mcp.shared._stream_protocols import WriteStream

LONGEST_ID = 200
INVALID_REQUEST = -32600
_BOM = b"\xef\xbb\xbf"
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s"{}\[\]:,]+')
_HALF = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]")

logger = logging.getLogger(__name__)


async def serve_streams(server: Any, source: InputLines | None = None, *, writing: int = 1) -> None:
    """Run an SDK server over the standard streams until they end; ``source`` has been reading already.

    ``writing`` is the descriptor that is written to.
    """
    with input_lines(source) as lines, _wire_out(writing) as outgoing:
        streams = stdio_server(stdin=cast("Any", _nothing()), stdout=cast("Any", outgoing))
        async with streams as (unread, write_stream):
            await unread.aclose()
            answers = _Answers(write_stream, after=lines)
            messages = _Messages(lines, answers=answers)
            await server.run(messages, answers, server.create_initialization_options())
            await answers.turn()


async def _nothing() -> AsyncIterator[str]:
    """Yield no line: the SDK's reader has none to read."""
    return
    yield


@dataclass(slots=True)
class _Output:
    """A descriptor of standard output, in the form in which the SDK's writer takes a file."""

    descriptor: int
    ready: select.poll
    blocked: int = 0
    """Threads that are writing, one of which may block."""

    async def write(self, text: str) -> None:
        """Write all of a text; OSError where nobody reads any longer."""
        data = text.encode()
        # What is ready takes PIPE_BUF bytes without blocking (POSIX, poll and write): the loop never waits.
        if len(data) <= select.PIPE_BUF and self.ready.poll(0):
            os.write(self.descriptor, data)
        else:
            # An interrupt does not wait for a client that reads nothing.
            await anyio.to_thread.run_sync(self._write_all, memoryview(data), abandon_on_cancel=True)

    async def flush(self) -> None:
        """Do nothing: no byte is kept back."""

    def _write_all(self, data: memoryview) -> None:
        self.blocked += 1
        try:
            while data:
                data = data[os.write(self.descriptor, data) :]
        finally:
            self.blocked -= 1


class _Answers(AsyncResource):
    """The SDK's stream of answers, without those that a client has been given already."""

    def __init__(self, stream: WriteStream[SessionMessage], *, after: InputLines) -> None:
        self._stream = stream
        self._after = after
        self._turns = asyncio.Lock()  # one thread waits, whatever the number of answers
        self._given = ""
        self._is_repeated = asyncio.Event()

    async def turn(self) -> None:
        """Wait until everything that was answered earlier is written."""
        async with self._turns:
            if self._after.has_early_answers:
                await anyio.to_thread.run_sync(self._after.wait_for_early_answers, abandon_on_cancel=True)

    async def repeated(self) -> None:
        """Wait until the answer that is kept back has come."""
        await self._is_repeated.wait()
        self._is_repeated.clear()
        self._given = ""

    def expect(self, id_text: str) -> None:
        """Keep back the next answer with this id."""
        self._given = id_text

    async def send(self, message: SessionMessage) -> None:
        """Send a message, unless it is kept back."""
        if self._given and _is_answer(message, self._given):
            self._is_repeated.set()
            return
        if self._after.has_early_answers:
            await self.turn()
        await self._stream.send(message)

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()


def _is_answer(item: SessionMessage, id_text: str) -> bool:
    message = item.message
    if not isinstance(message, JSONRPCResponse | JSONRPCError) or json.dumps(message.id) != id_text:
        return False
    if isinstance(message, JSONRPCError):
        logger.error(
            "The opening of this conversation was answered, and is refused now: %s", message.error.message
        )
    return True


class _Messages(AsyncResource):
    """The messages of standard input, as a stream of the SDK; any other line is answered with an error here."""

    def __init__(self, source: InputLines, *, answers: _Answers) -> None:
        self._source = source
        self._answers = answers
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._awaits = False
        source.hand_over(self._pass_on)

    def _pass_on(self, line: bytes | None) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._queue.put_nowait, line)

    async def receive(self) -> SessionMessage:
        """Return the next message; anyio.EndOfStream once the input has ended."""
        if self._awaits:  # nothing else is told before the server stands where the client believes it to be
            await self._answers.repeated()
            self._awaits = False
        while (line := await self._queue.get()) is not None:
            self._source.consumed()
            # A byte order mark and wrong UTF-8 are tolerated here; what is then no JSON is answered with an error.
            text = line.removeprefix(_BOM).decode("utf-8", "replace").strip()
            if not text:
                continue
            message = (
                read_message(text) if len(line) <= LONGEST_LINE else f"it is longer than {LONGEST_LINE:,} bytes"
            )
            if isinstance(message, SessionMessage):
                if isinstance(line, RecordedLine) and line.answered:
                    self._awaits = True
                    self._answers.expect(line.answered)
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

    async def _explain(self, text: str, why: str) -> None:
        request_id = id_of(text)
        logger.warning("A message that cannot be read was not carried out (id %r): %s.", request_id, why)
        if request_id is not None:
            error = ErrorData(
                code=INVALID_REQUEST, message=f"Nothing was done: {why}. Send the call again without it."
            )
            await self._answers.send(SessionMessage(JSONRPCError(jsonrpc="2.0", id=request_id, error=error)))


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


@contextmanager
def _wire_out(writing: int) -> Iterator[_Output | None]:
    """Yield an output for answers alone, with its descriptor on standard error; None leaves it to the SDK."""
    if sys.platform == "win32":  # no poll() there
        yield None
        return
    sys.stdout.flush()
    descriptor = os.dup(writing)
    os.dup2(2, writing)  # what a library or a child process prints is no message
    ready = select.poll()
    ready.register(descriptor, select.POLLOUT)
    output = _Output(descriptor, ready)
    try:
        yield output
    finally:
        os.dup2(descriptor, writing)
        if not output.blocked:  # else a thread still blocks in a write to it
            os.close(descriptor)
