"""A client with panels, and a panel that makes proofs as the one in the browser does."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mcp.client.extension import advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from tests.secrecy.client import Client
from tests.world.page_world import PASSPHRASE, World

from sequences_mcp.domain.plan import Plan
from sequences_mcp.review.lock import passphrase
from sequences_mcp.review.lock.passphrase import write_private
from sequences_mcp.server.app import build_server

WITH_PANELS = [advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]})]


def lock_up(world: World) -> None:
    """Choose the passphrase in the terminal; what a proof is held against is written with it."""
    for name, text in _files().items():
        write_private(world.folder / name, text)


@cache
def _files() -> dict[str, str]:
    """Return the files that choosing a passphrase writes, made once for all tests."""
    with TemporaryDirectory() as folder:
        passphrase.set_passphrase(Path(folder), PASSPHRASE)
        names = (passphrase.PASSPHRASE_FILE, passphrase.PROOF_FILE)
        return {name: (Path(folder) / name).read_text() for name in names}


@cache
def key_of(typed: str, derivation: str) -> bytes:
    """Return the key of a passphrase, derived as the panel is told; slow, and the same for every test."""
    name, n, r, p, salt = derivation.split(":")
    assert name == "scrypt"
    return passphrase.Derivation(bytes.fromhex(salt), int(n), int(r), int(p)).key(typed)


@dataclass
class Chat:
    """A host with panels, connected to the server."""

    client: Client

    async def raw(self, tool: str, **arguments: Any) -> tuple[bool, dict[str, Any]]:
        """Call a tool; return whether it worked, and what it said."""
        result = await self.client.call_tool(tool, arguments)
        return not result.is_error, json.loads(result.content[0].text)  # type: ignore[union-attr]

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool that works."""
        worked, facts = await self.raw(tool, **arguments)
        assert worked, facts
        return facts

    async def show(self, plan: Plan, page: int = 1, *, reads: bool = True) -> dict[str, Any]:
        """Let the panel show a page of a plan and report, as a person scrolls, that all of it was on screen."""
        shown = await self.call("show_plan", plan_id=plan.id, page=page)
        people = shown["persons"]["items"]
        marks = [part["mark"] for one in people for part in (one, *one["texts"]) if "mark" in part]
        return await self.call("show_plan", plan_id=plan.id, page=page, seen=",".join(marks)) if reads else shown

    async def refused(self, plan: Plan, given: str, *, digest: str | None = None) -> str:
        """Approve with a proof that does not count; return why."""
        worked, facts = await self.approve(plan, given, digest=digest)
        assert not worked, facts
        return str(facts["message"])

    async def approve(self, plan: Plan, given: str, *, digest: str | None = None) -> tuple[bool, dict[str, Any]]:
        """Approve with a proof."""
        sent = {"plan_id": plan.id, "digest": digest or plan.digest, "decision": "approve", "proof": given}
        return await self.raw("decide_plan", **sent)


def proven(shown: dict[str, Any], *, typed: str = PASSPHRASE, **bound: str) -> str:
    """Return the proof for a plan as it was shown; ``bound`` changes what it is bound to."""
    asked, salt = shown["challenge"], secrets.token_bytes(passphrase.SALT)
    whole = key_of(typed, asked["derivation"])
    key = passphrase.client_key(whole, bytes.fromhex(asked["salt"]))
    next_key = passphrase.stored_key(passphrase.client_key(whole, salt))
    stated = str(shown["waiting"]) if shown["many"] else ""
    facts = {"plan_id": shown["plan_id"], "digest": shown["digest"], "decision": "approve", "people": stated}
    given = passphrase.Proof(asked["nonce"], b"", salt, next_key)
    return sealed(given, key, passphrase.message(given, {**facts, **bound}.values()))


def sealed(given: passphrase.Proof, key: bytes, said: bytes) -> str:
    """Return a proof as it travels."""
    import hmac

    signature = hmac.digest(passphrase.stored_key(key), said, "sha256")
    covered = bytes(one ^ other for one, other in zip(key, signature, strict=True))
    parts = (b64encode(part).decode() for part in (covered, given.next_salt, given.next_key))
    return ".".join((given.nonce, *parts))


@asynccontextmanager
async def chat(world: World, *, mode: str = "auto", panels: bool = True) -> AsyncIterator[Chat]:
    """Connect a host."""
    async with Client(build_server(world.app), mode=mode, extensions=WITH_PANELS if panels else None) as client:
        yield Chat(client)


class Bridge:
    """One MCP client, kept open in a thread of its own, for whoever has no loop."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._ready = threading.Event()
        self._client: Any = None
        self.calls: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), daemon=True)

    def __enter__(self) -> Bridge:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        self._loop.close()

    async def _run(self) -> None:
        async with Client(build_server(self._world.app), extensions=WITH_PANELS) as self._client:
            self._ready.set()
            await self._over.wait()

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        """Send one request of the host's to the server, and return the result as it goes over the wire."""
        if method == "tools/call":
            self.calls.append(params)
        return asyncio.run_coroutine_threadsafe(self._ask(method, params), self._loop).result(60)

    async def _ask(self, method: str, params: dict[str, Any]) -> Any:
        if method == "tools/call":
            result = await self._client.call_tool(params["name"], params.get("arguments") or {})
        elif method == "resources/read":
            result = await self._client.read_resource(params["uri"])
        else:
            result = await self._client.list_tools()
        return result.model_dump(mode="json", by_alias=True, exclude_none=True)
