"""The three vendors in a process of their own, taking their time over whatever enrols somebody."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from sequences_sandbox import serve as sandbox_app
from sequences_sandbox.faults import Faults
from sequences_sandbox.kalent_world import Candidate, Talent
from sequences_sandbox.seeds import seeded
from sequences_sandbox.serve import listening, loopback_server
from sequences_sandbox.world import RequestLimits, World

T = TypeVar("T")
ENDS = {"kalent": "/start", "clarky": "/sequences/start", "topo": "/contact-entries"}
SLOWEST = 0.012  # seconds, before it acts and before it answers


@contextmanager
def sandbox(chance: random.Random, *, people: int) -> Iterator[int]:
    """Serve the vendors in a process of its own; yield its port."""
    listener = listening(0)
    child = os.fork()
    if not child:
        logging.disable()  # of clients that were killed
        slow = Slow(sandbox_app.build(crowded(people), Faults()), chance)
        asyncio.run(loopback_server(slow).serve(sockets=[listener]))
        os._exit(0)
    port = listener.getsockname()[1]
    listener.close()
    try:
        yield port
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def address(number: int) -> str:
    """Return the address of person number so-and-so."""
    return f"person{number}@example.org"


def crowded(people: int) -> World:
    """Return a world in which Kalent knows so many candidates, and Clarky sets no limit."""
    world = seeded(now, limits=RequestLimits(reads=1_000_000, writes=1_000_000))
    talents = {
        f"talent_{n}": Talent(id=f"talent_{n}", firstname="Bo", lastname="X", emails=(address(n),))
        for n in range(people)
    }
    candidates = {
        f"candidate_{n}": Candidate(
            id=f"candidate_{n}", talent_id=f"talent_{n}", sourcing_id="sourcing_1", created_at=now()
        )
        for n in range(people)
    }
    world.kalent = replace(world.kalent, talents=talents, candidates=candidates)
    return world


@dataclass(slots=True)
class Slow:
    """An application that takes its time over what enrols: before it acts, and before it answers."""

    app: Any
    chance: random.Random

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Carry out one request."""
        enrols = scope.get("method") == "POST" and scope["path"].endswith(tuple(ENDS.values()))

        async def answer(message: Any) -> None:
            if enrols and message["type"] == "http.response.start":
                await asyncio.sleep(self.chance.uniform(0, SLOWEST))
            await send(message)

        if enrols:
            body = await whole(receive)
            if body is None:
                return
            await asyncio.sleep(self.chance.uniform(0, SLOWEST))
            receive = partial(given, {"type": "http.request", "body": body, "more_body": False})
        await self.app(scope, receive, answer)


async def whole(receive: Any) -> bytes | None:
    """Return the body of a request, or None where the client was gone before the end of it."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


async def given(message: T) -> T:
    """Return a message that was received before."""
    return message
