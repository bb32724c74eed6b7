"""Whoever listens to a run or a blueprint is told when it changes, also by another process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from mcp.client.subscriptions import ListenNotSupportedError
from mcp.shared.subscriptions import ResourceUpdated
from mcp.types import ElicitResult
from tests.secrecy.client import Client
from tests.world.product import GRACE, LINUS, MAIL, Desktop, World, yes

from sequences_mcp.context import AppContext
from sequences_mcp.server.app import OpenedContext, SequencesServer
from sequences_mcp.server.notices import AuditBus, addresses_of

SOON = 60.0


class QuickServer(SequencesServer):
    """The product's server, which looks for changes almost all the time."""

    notices_every = 0.02


@asynccontextmanager
async def listening(world: World, mode: str = "auto") -> AsyncIterator[Desktop]:
    """A client of a server that tells of changes almost at once; a person says yes to its dialogs."""

    async def dialog(context: object, params: object) -> ElicitResult:
        return yes("")

    server = QuickServer(OpenedContext(world.app), log_level="WARNING", vendors=())
    async with Client(server, mode=mode, elicitation_callback=dialog) as client:
        yield Desktop(client)


async def test_a_change_by_another_process_is_told_to_whoever_listens_to_that_run(world: World) -> None:
    async with listening(world) as desktop:
        blueprint = await desktop.blueprint(MAIL)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE, LINUS])
        runs = [one["id"] for one in (await desktop.call("list_sequences"))["items"]]
        watched = f"sequence://{runs[1]}"
        async with desktop.client.listen(resource_subscriptions=[watched]) as told:
            async with world.client() as other:  # another server on the same folder
                await other.call("stop_sequence", sequence_id=runs[0], reason="LOSE")
                await other.call("stop_sequence", sequence_id=runs[1], reason="LOSE")
            async with asyncio.timeout(SOON):
                event = await anext(aiter(told))
    assert started["became"]
    assert event == ResourceUpdated(uri=watched)


async def test_a_new_version_of_a_blueprint_is_told(world: World) -> None:
    async with listening(world) as desktop:
        blueprint = await desktop.blueprint(MAIL)
        async with desktop.client.listen(resource_subscriptions=[f"blueprint://{blueprint}"]) as told:
            await desktop.call("update_blueprint", blueprint_id=blueprint, expected_version=1, location="Faro")
            async with asyncio.timeout(SOON):
                event = await anext(aiter(told))
    assert event == ResourceUpdated(uri=f"blueprint://{blueprint}")


async def test_a_client_of_the_older_era_is_told_that_it_cannot_listen(world: World) -> None:
    async with listening(world, "legacy") as desktop:
        capabilities = desktop.client.server_capabilities
        assert capabilities.resources is not None and not capabilities.resources.subscribe
        with pytest.raises(ListenNotSupportedError):
            async with desktop.client.listen(resource_subscriptions=["sequence://local:seq_1"]):
                pass


async def test_a_fault_that_nobody_foresaw_is_logged_and_what_changes_is_told_after_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    began, told = asyncio.Event(), asyncio.Event()
    heard: list[object] = []
    looks = 0

    def hear(event: object) -> None:
        heard.append(event)
        told.set()

    async with world.app() as app, world.client() as desktop:

        async def open_context() -> AppContext:
            nonlocal looks
            looks += 1
            if looks > 1:
                began.set()  # the first look is over
            if looks in (2, 3):
                raise RuntimeError("a fault that nobody foresaw")
            return app

        leave = AuditBus(open_context, every=0.01).subscribe(hear)
        async with asyncio.timeout(SOON):
            await began.wait()
            blueprint = await desktop.blueprint(MAIL)
            await told.wait()
        leave()
    assert heard[0] == ResourceUpdated(uri=f"blueprint://{blueprint}")
    assert [line.exc_info is not None for line in caplog.records if line.name == AuditBus.__module__] == [True] * 2


async def test_nothing_is_read_while_nobody_listens(world: World) -> None:
    opened = 0

    async def open_context() -> object:
        nonlocal opened
        opened += 1
        raise AssertionError("nobody listens")

    notices = AuditBus(open_context, every=0.01)  # type: ignore[arg-type]
    leave = notices.subscribe(lambda event: None)
    leave()
    leave()
    await asyncio.sleep(0)
    assert opened == 0


def test_only_what_is_a_resource_has_an_address_and_each_once() -> None:
    subjects = ["local:seq_1", "local:seq_1", "local:bp_2", "local:ct_3", "contacts", "topo:seq_4"]
    assert addresses_of(subjects) == [
        "sequence://local:seq_1",
        "blueprint://local:bp_2",
        "blueprint-file://local:bp_2",
        "blueprint-text://local:bp_2",
        "sequence://topo:seq_4",
    ]
