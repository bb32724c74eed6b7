"""Two server processes behind one balancer, and a server that begins anew in a conversation."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.hosting.test_sign_in import OPENING
from tests.hosting.test_tenants import token
from tests.secrecy.hearing import heard
from tests.world.http_server import JSON, MODERN
from tests.world.installation import PATIENCE
from tests.world.issuer import Issuer, issuing
from tests.world.loaded import product
from tests.world.product import GRACE, MAIL
from tests.world.tenants import ACME, TenantsWorld, at, serving_tenants

from sequences_mcp.server.http.options import path_of_tenant

SAVED = 30
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """An issuer with one key."""
    with issuing() as made:
        yield made


@dataclass
class Balancer:
    """Gives each connection to the next server that takes it; ``taken`` are the ports, in order."""

    ports: list[int]
    taken: list[int] = field(default_factory=list)

    async def passed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on until either side ends it."""
        for _ in range(len(self.ports)):
            self.ports.append(port := self.ports.pop(0))
            with suppress(OSError):
                there_reader, there = await asyncio.open_connection("127.0.0.1", port)
                self.taken.append(port)
                await asyncio.gather(_piped(reader, there), _piped(there_reader, writer))
                return
        writer.close()


async def _piped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


@asynccontextmanager
async def balanced(ports: list[int]) -> AsyncIterator[tuple[Balancer, int]]:
    """Have a balancer listen in front of these servers; yield it and its port."""
    balancer = Balancer(ports)
    async with await asyncio.start_server(balancer.passed, "127.0.0.1", 0) as server:
        yield balancer, server.sockets[0].getsockname()[1]


@asynccontextmanager
async def begun(tenants: TenantsWorld, issuer: Issuer, address: str) -> AsyncIterator[tuple[Any, int]]:
    """Start a server process whose public address is that of a balancer; yield it and its port."""
    process = await asyncio.create_subprocess_exec(
        *product(),
        *("serve", "--port", "0", "--public-url", address, "--tenants", str(tenants.folder)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            "SEQUENCES_DATA_DIR": str(tenants.root / "server"),
            "SEQUENCES_OAUTH_ISSUER": issuer.url,
        },
    )
    try:
        said = ""
        async with asyncio.timeout(PATIENCE):
            while not (listens := re.search(r"It listens on \S+, port (\d+)", said)):
                line = await process.stderr.readline()  # type: ignore[union-attr]
                assert line, said
                said += heard("what serve said", line).decode()
        yield process, int(listens[1])
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        heard("what serve said", (await process.communicate())[1])


async def _called(http: httpx2.AsyncClient, address: str, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool on a connection of its own; where that breaks off, once more, as clients do."""
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": tool, "arguments": arguments, "_meta": ENVELOPE},
    }
    headers = {**JSON, "Mcp-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": tool}
    for attempt in range(3):
        try:
            answer = await http.post(
                address + path_of_tenant(ACME), json=body, headers={**headers, "Connection": "close"}
            )
        except httpx2.TransportError:
            assert attempt < 2
            continue
        assert answer.status_code == 200, heard("an answer", answer.text)
        result: dict[str, Any] = answer.json()["result"]
        assert not result.get("isError"), heard("an answer", answer.text)
        return dict(result["structuredContent"])
    raise AssertionError


async def test_of_two_servers_behind_a_balancer_one_is_killed_and_nothing_is_lost(
    tmp_path: Path, issuer: Issuer
) -> None:
    tenants = TenantsWorld(tmp_path)
    acme = tenants.tenant(ACME)
    servers: dict[int, asyncio.subprocess.Process] = {}
    async with AsyncExitStack() as stack:
        balancer, front = await stack.enter_async_context(balanced([]))
        address = f"http://127.0.0.1:{front}"
        for _ in range(2):
            process, port = await stack.enter_async_context(begun(tenants, issuer, address))
            servers[port] = process
        balancer.ports += servers
        bearer = issuer.token(aud=address + path_of_tenant(ACME))
        http = await stack.enter_async_context(
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {bearer}"}, timeout=PATIENCE)
        )
        blueprint = await _called(
            http, address, "create_blueprint", name="Engineers", steps=[MAIL], job_title="Engineer"
        )
        for number in range(SAVED):
            before = len(balancer.taken)
            saving = asyncio.create_task(
                _called(
                    http,
                    address,
                    "save_contacts",
                    contacts=[{"first_name": "Grace", "email": f"grace{number}@hopper.example"}],
                    idempotency_key=f"save-{number}",
                )
            )
            if number == SAVED // 2:
                while len(balancer.taken) == before:
                    await asyncio.sleep(0)
                servers[balancer.taken[-1]].kill()  # with the call under way
            await saving
        seen = await _called(http, address, "get_blueprint", blueprint_id=blueprint["blueprint_id"])
    assert blueprint["blueprint_id"] in str(seen)
    assert len(set(balancer.taken[:10])) == 2
    assert acme.rows("SELECT count(*), count(DISTINCT email) FROM contact") == [(SAVED, SAVED)]


def test_a_conversation_goes_on_with_a_server_that_has_begun_anew(tmp_path: Path, issuer: Issuer) -> None:
    tenants = TenantsWorld(tmp_path)
    tenants.tenant(ACME)
    bearer = token(issuer, ACME)
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    with serving_tenants(tenants, issuer) as served:
        saved = at(served, ACME).tool("save_contacts", token=bearer, contacts=[GRACE], idempotency_key="one")
        session = at(served, ACME).ask(token=bearer, body=OPENING).headers["mcp-session-id"]
    with serving_tenants(tenants, issuer) as served:
        there = at(served, ACME)
        again = there.tool("save_contacts", token=bearer, contacts=[GRACE], idempotency_key="one")
        assert again.facts["result"]["content"] == saved.facts["result"]["content"]
        # The older protocol's session is over, and its clients are told so that they begin another.
        assert there.ask(token=bearer, body=call, Mcp_Session_Id=session).status == 404
        anew = there.ask(token=bearer, body=OPENING).headers["mcp-session-id"]
        assert there.ask(token=bearer, body=call, Mcp_Session_Id=anew).status == 200
