"""A sandbox that is really served on loopback, and a client of each of its vendors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.secrecy import planted
from tests.world.clock import Clock

from sequences_sandbox.faults import Faults
from sequences_sandbox.seeds import KEYS_KEYS, seeded
from sequences_sandbox.serve import HOST, build, listening, loopback_server
from sequences_sandbox.world import ApiKey, RequestLimits, VendorName, World

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
# The planted secrets are keys beside the sandbox's own, which everybody knows, and may do what those may.
TOKENS = {
    ("kalent", "everything"): planted.KALENT_KEY.value,
    ("clarky", "everything"): planted.CLARKY_KEY.value,
    ("topo", "everything"): planted.TOPO_KEY.value,
    ("topo", "read only"): planted.READ_ONLY_KEY.value,
}
PREFIX: dict[VendorName, str] = {"kalent": "/kalent/api/v1", "clarky": "/clarky/api/v1", "topo": "/topo/v1"}


def header_for(vendor: VendorName, token: str) -> dict[str, str]:
    """Return the header in which a vendor wants its key."""
    return {"x-api-key": token} if vendor == "kalent" else {"authorization": f"Bearer {token}"}


def token_of(vendor: VendorName, name: str = "everything") -> str:
    """Return the token of one of the sandbox's keys."""
    return next(key.token for key in keys()[vendor] if key.name == name)


def keys() -> dict[VendorName, tuple[ApiKey, ...]]:
    """Return the keys of the sandboxes of tests, the planted ones first."""
    return {vendor: (*_planted(vendor), *known) for vendor, known in KEYS_KEYS.items()}


def _planted(vendor: VendorName) -> Iterator[ApiKey]:
    for key in KEYS_KEYS[vendor]:
        if (vendor, key.name) in TOKENS:
            yield replace(key, token=TOKENS[vendor, key.name])


def planted_world(clock: Callable[[], datetime], *, limits: RequestLimits | None = None) -> World:
    """Return a new world whose keys are the planted ones."""
    world = seeded(clock, limits=limits)
    world.keys = keys()
    return world


@dataclass
class Sandbox:
    """One served sandbox."""

    http: httpx.AsyncClient
    clock: Clock

    async def call(
        self, vendor: VendorName, method: str, path: str, *, key: str = "everything", **rest: Any
    ) -> httpx.Response:
        headers = {**header_for(vendor, token_of(vendor, key)), **rest.pop("headers", {})}
        return await self.http.request(method, PREFIX[vendor] + path, headers=headers, **rest)

    async def kalent(self, method: str, path: str, **rest: Any) -> httpx.Response:
        return await self.call("kalent", method, path, **rest)

    async def clarky(self, method: str, path: str, **rest: Any) -> httpx.Response:
        return await self.call("clarky", method, path, **rest)

    async def topo(self, method: str, path: str, **rest: Any) -> httpx.Response:
        return await self.call("topo", method, path, **rest)

    async def fault(self, fault: str, **rest: Any) -> None:
        """Ask for a fault."""
        (await self.http.post("/_faults", json={"fault": fault, **rest})).raise_for_status()

    async def happen(self, vendor: VendorName, what: str, to: str) -> httpx.Response:
        """Let a person do something at a vendor's end."""
        return await self.http.post("/_happenings", json={"vendor": vendor, "what": what, "id": to})

    async def received(self) -> list[dict[str, Any]]:
        """Return what the vendors were asked."""
        rows: list[dict[str, Any]] = (await self.http.get("/_requests")).json()
        return rows


@dataclass
class Server:
    """One server for the whole session, in a thread of its own; each test gets a fresh application."""

    app: ASGIApp | None = None
    origin: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)

    @contextmanager
    def running(self) -> Iterator[Server]:
        listener = listening(0)
        self.origin = f"http://{HOST}:{listener.getsockname()[1]}"
        serving = loopback_server(self)
        thread = Thread(target=lambda: asyncio.run(serving.serve(sockets=[listener])))
        thread.start()
        try:
            yield self
        finally:
            serving.should_exit = True
            thread.join(timeout=60)

    @asynccontextmanager
    async def sandbox(self, *, limits: RequestLimits | None = None) -> AsyncIterator[Sandbox]:
        """Put a fresh world behind the port."""
        clock = Clock(START)
        self.app = build(planted_world(clock, limits=limits), Faults())
        async with httpx.AsyncClient(base_url=self.origin, timeout=60, verify=False) as http:
            yield Sandbox(http, clock)
