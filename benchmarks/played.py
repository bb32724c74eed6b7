"""Openings of conversations, played to the server with and without the prelude, and what came back compared.

Here the server runs in this process, over pipes: when the SDK is there and when the settings are read is then
chosen to the fragment, which no two processes would repeat. ``benchmarks.prelude`` plays them to processes too.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.openings import OpeningScript, owed

from sequences_mcp.server.app import SequencesServer
from sequences_mcp.server.prelude.opening import Opening
from sequences_mcp.server.prelude.snapshot import FrozenAnswers
from sequences_mcp.server.prelude.standard_input import InputLines
from sequences_mcp.server.streams import serve_streams

PATIENCE = 60.0  # seconds for an answer: it only ends what would never come
SOON = 0.02  # seconds in which a client that waits has what the prelude answers; then the SDK comes
LIMIT = 2**22
ServerFor = Callable[[Sequence[str]], SequencesServer]


@dataclass(frozen=True, slots=True)
class Played:
    """What came back: its lines in order, and how many of them the prelude gave."""

    lines: tuple[bytes, ...]
    early: int


class Player:
    """One client and one server of this process, which takes the conversation over when it is ready."""

    def __init__(self, script: OpeningScript, server: SequencesServer, frozen: FrozenAnswers | None) -> None:
        self._script = script
        self._server = server
        self._has_prelude = frozen is not None
        self._loop = asyncio.get_running_loop()
        self._left = asyncio.Event()
        self._more = asyncio.Event()
        self._lines: list[bytes] = []
        self._serving: asyncio.Task[None] | None = None
        reading, self._to_server = os.pipe()
        self._from_server, self._writing = os.pipe()
        self._reading = reading
        self._source = InputLines(Opening(frozen) if frozen else None, leave=self._leave)
        self._source.open(reading=reading, writing=self._writing)

    async def play(self) -> Played:
        """Say everything, and return what came back once all answers are here or the server has ended."""
        listening = asyncio.create_task(self._listen())
        sent = b""
        for number, fragment in enumerate((*self._script.fragments, b"")):
            if number == self._script.settled:
                self._source.connected(self._script.vendors)
            if number == self._script.ready:
                self._serve()
            is_last = not fragment
            if number in self._script.patient or (is_last and not self._script.leaves):
                await self._answered(sent)
            os.write(self._to_server, fragment)
            sent += fragment
        os.close(self._to_server)
        self._serve()
        assert self._serving is not None
        gone = asyncio.create_task(self._left.wait())
        await asyncio.wait({self._serving, gone}, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        await self._serving
        os.close(self._writing)
        await listening
        os.close(self._reading)
        return Played(tuple(self._lines), self._source.answered_before)

    async def _answered(self, sent: bytes) -> None:
        """Wait for all answers owed; the SDK comes where the prelude does not give them."""
        ids, cancelled = owed(sent)
        if not self._has_prelude:
            self._serve()
        try:
            await asyncio.wait_for(self._have(ids, cancelled), SOON if self._serving is None else PATIENCE)
        except TimeoutError:
            if self._serving is not None:
                raise AssertionError(f"no answer to {ids - ids_of(self._lines)} within {PATIENCE} s") from None
            self._source.connected(self._script.vendors)
            self._serve()
            await asyncio.wait_for(self._have(ids, cancelled), PATIENCE)

    async def _have(self, ids: Counter[str], cancelled: set[str]) -> None:
        while any(number not in cancelled for number in ids - ids_of(self._lines)):
            self._more.clear()
            await self._more.wait()

    def _serve(self) -> None:
        if self._serving is None:
            self._serving = asyncio.create_task(self._served())

    async def _served(self) -> None:
        await serve_streams(self._server._lowlevel_server, self._source, writing=self._writing)

    async def _listen(self) -> None:
        answers = asyncio.StreamReader(limit=LIMIT)
        pipe = os.fdopen(self._from_server, "rb", buffering=0)
        transport, _ = await self._loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(answers), pipe)
        while line := await answers.readline():
            self._lines.append(line)
            self._more.set()
        transport.close()

    def _leave(self, _: int) -> None:
        self._loop.call_soon_threadsafe(self._left.set)


def ids_of(lines: Sequence[bytes]) -> Counter[str]:
    """Return the ids of the answers among lines, as JSON."""
    return Counter(json.dumps(json.loads(line).get("id")) for line in lines)


def differences(script: OpeningScript, plain: Played, other: Played) -> Iterator[str]:
    """Yield what came back with the prelude and could not have come back without it.

    Answers to what is asked at the same time come in any order, a request may be answered before it is cancelled,
    and at the end of the input the SDK drops what it has not answered yet: neither run has to be like the other
    there, and each answer has to be that of the same request all the same.
    """
    ids, cancelled = owed(b"".join(script.fragments))
    missing, extra = Counter(plain.lines) - Counter(other.lines), Counter(other.lines) - Counter(plain.lines)
    for line in missing:
        if json.dumps(json.loads(line).get("id")) not in cancelled and not script.leaves:
            yield f"missing: {line[:300]!r}"
    for line in extra:
        number = json.dumps(json.loads(line).get("id"))
        if number not in cancelled and not script.leaves:
            yield f"not said without it: {line[:300]!r}"
        elif number not in ids or ids_of(other.lines)[number] > ids[number]:
            yield f"nobody asked for it: {line[:300]!r}"
