"""How Temporal is reached: by client certificates, and by workers of which one version is current."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from tests.world.engine import EMAIL, AtTheDot, EngineWorld
from tests.world.temporal import DevServer, ServedProcess, dev_server, needs_temporal, until

from sequences_mcp.domain.sender import Secret
from sequences_mcp.engine.temporal import TemporalAddress
from sequences_mcp.engine.temporal.calls import TaskQueues
from sequences_mcp.engine.temporal.client import temporal_client
from sequences_mcp.engine.temporal.clock import make_current
from sequences_mcp.errors import ClockUnavailableError, ConflictError

pytestmark = needs_temporal


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """A real server, which these tests share."""
    with dev_server(tmp_path_factory.mktemp("temporal")) as server:
        yield server


@asynccontextmanager
async def asking_for_a_certificate(server: DevServer, authority: trustme.CA) -> AsyncIterator[str]:
    """Stand before a server as its front does: encrypted, and letting in whoever has a certificate of ours."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    open_now: list[asyncio.StreamWriter] = []
    served: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", server.port)
        open_now.extend((writer, there[1]))
        served.append(asyncio.create_task(pump(reader, there[1])))
        served.append(asyncio.create_task(pump(there[0], writer)))

    front = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield f"127.0.0.1:{front.sockets[0].getsockname()[1]}"
    finally:
        front.close()
        for writer in open_now:
            writer.transport.abort()
        await asyncio.gather(*served, return_exceptions=True)
        await front.wait_closed()


async def test_a_server_that_asks_for_a_client_certificate_lets_in_who_has_one(
    server: DevServer, tmp_path: Path
) -> None:
    authority = trustme.CA()
    mine = authority.issue_cert("worker@example.com")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    mine.cert_chain_pems[0].write_to_path(tmp_path / "client.pem")
    key = mine.private_key_pem.bytes().decode()
    async with asking_for_a_certificate(server, authority) as target:
        address = TemporalAddress(
            target,
            authority=tmp_path / "ca.pem",
            certificate=tmp_path / "client.pem",
            certificate_key=Secret(key),
        )
        assert (await temporal_client(address)).namespace == "default"
        for wrong, words in (
            (replace(address, certificate=None, certificate_key=None), "does not answer"),
            (replace(address, certificate_key=None), "without a private key"),
            (replace(address, authority=None), "does not answer"),
            (replace(address, certificate=tmp_path / "gone.pem"), "No such file"),
        ):
            with pytest.raises(ClockUnavailableError, match=words) as caught:
                await temporal_client(wrong)
            assert key.splitlines()[1] not in f"{caught.value!s} {caught.value!r} {caught.value.__cause__!r}"


async def test_only_workers_of_the_current_version_get_what_is_due_until_another_one_is_made_current(
    server: DevServer, world: EngineWorld
) -> None:
    address = TemporalAddress(server.target, versioning=True)
    older, newer = AtTheDot(), AtTheDot()

    async def send_to(name: str) -> None:
        await world.approved(await world.contact(f"{name}@example.org"), blueprint=await world.blueprint(EMAIL))

    def serving(build: str, delivery: AtTheDot) -> ServedProcess:
        return ServedProcess(
            world=world,
            target=server.target,
            now=lambda: world.clock.now,
            deliver=delivery,
            name=build,
            build=build,
            versioning=True,
        )

    async def made_current(build: str) -> None:
        deployment = TaskQueues.of_database(world.store)

        def is_made() -> bool:  # once a worker of it has come
            with suppress(ConflictError):
                return asyncio.run(make_current(address, deployment, build=build)) == build
            return False

        await asyncio.to_thread(until, is_made)

    with pytest.raises(ConflictError, match="does not make nobody's the current version"):
        await make_current(address, TaskQueues.of_database(world.store), build="nobody's")
    with serving("1.0-r1", older), serving("2.0-r1", newer):
        await made_current("1.0-r1")
        await send_to("ann")
        await asyncio.to_thread(until, lambda: bool(older.messages or newer.messages))
        await made_current("2.0-r1")
        await send_to("bob")
        await asyncio.to_thread(until, lambda: len(older.messages) + len(newer.messages) == 2)
    assert [[mail.recipient for mail in each.messages] for each in (older, newer)] == [
        ["ann@example.org"],
        ["bob@example.org"],
    ]
