"""The real server with all three vendors connected, each of them the sandbox on loopback."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.secrecy.client import Client
from tests.world.clock import Clock
from tests.world.open_server import SENDER, Desktop
from tests.world.product import with_schema
from tests.world.sandbox_client import PREFIX, Sandbox, Server, token_of

from sequences_mcp.bootstrap import open_context
from sequences_mcp.context import AppContext
from sequences_mcp.server.app import SequencesServer, build_server
from sequences_mcp.settings import read_settings
from sequences_mcp.vendors.pacing import Elapsed, Timing
from sequences_sandbox.serve import PATHS
from sequences_sandbox.world import VendorName


@dataclass
class Skipped:
    """Time that passes as usual, but for the waits between calls: those are over at once."""

    seconds: float = 0.0

    @property
    def elapsed(self) -> Elapsed:
        """What a desk is given for it."""
        return Elapsed(monotonic=lambda: time.monotonic() + self.seconds, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


@dataclass
class Connected:
    """A server of ours before a served sandbox."""

    folder: Path
    clock: Clock
    origin: str
    sandbox: Sandbox
    keys: dict[VendorName, str]
    elsewhere: dict[VendorName, str] = field(default_factory=dict)
    timing: Timing | None = None
    apart: bool = False  # no key of a vendor is set
    skipped: Skipped = field(default_factory=Skipped)
    more: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def environ(self) -> dict[str, str]:
        """The environment a host would give the server."""
        return {
            "SEQUENCES_DATA_DIR": str(self.folder),
            "SEQUENCES_SENDER": SENDER,
            **dict(self._accounts()),
            **self.more,
        }

    def _accounts(self) -> Iterator[tuple[str, str]]:
        for vendor, path in () if self.apart else PATHS.items():
            yield f"{vendor.upper()}_API_KEY", token_of(vendor, self.keys.get(vendor, "everything"))
            yield f"{vendor.upper()}_BASE_URL", self.elsewhere.get(vendor, self.origin + path)

    @property
    def server(self) -> SequencesServer:
        """A server as a process of its own would build it."""
        return build_server(self.app, vendors=read_settings(self.environ).accounts.keys())

    @asynccontextmanager
    async def app(self) -> AsyncIterator[AppContext]:
        """Open the desk on the folder's database."""
        passing = {"clock": self.clock, "timing": self.timing, "elapsed": self.skipped.elapsed}
        with_schema(self.folder)
        async with open_context(read_settings(self.environ), worker=False, **passing) as app:
            yield app

    @asynccontextmanager
    async def client(self, mode: str = "auto") -> AsyncIterator[Desktop]:
        """Connect a client of one era."""
        async with Client(self.server, mode=mode) as client:
            yield Desktop(client)

    async def writes(self) -> list[dict[str, Any]]:
        """Return the writes the vendors were asked for."""
        return [row for row in await self.sandbox.received() if row["method"] != "GET"]


@asynccontextmanager
async def connected(folder: Path, served: Server) -> AsyncIterator[Connected]:
    """Connect a server on an empty database to a fresh sandbox."""
    async with served.sandbox() as sandbox:
        yield Connected(folder=folder, clock=Clock(), origin=served.origin, sandbox=sandbox, keys={})


async def sourcing_of(desktop: Desktop) -> str:
    """Return a sourcing of the sandbox."""
    found = await desktop.call("list_sourcings")
    return str(found["items"][0]["id"])


async def unknown(desktop: Desktop, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool whose outcome nobody can tell, and return what it says."""
    result = await desktop.raw(tool, **arguments)
    assert result.is_error
    facts: dict[str, Any] = next(iter((result.meta or {}).values()))
    assert facts["outcome"] == "unknown", facts
    return facts


__all__ = ["PREFIX", "Connected", "connected", "sourcing_of", "unknown"]
