"""Tenants that are closed while nobody uses them: their due work is done all the same, and not for ever by one."""

from __future__ import annotations

import asyncio
import gc
import os
import platform
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.hosting.test_sign_in import OPENING
from tests.world.database_server import own_server, server_programs
from tests.world.engine import START
from tests.world.http_server import Served
from tests.world.issuer import PUBLIC, Issuer, issuing
from tests.world.page import PageWorld
from tests.world.product import MAIL
from tests.world.tenants import ACME, HOPPER, TenantsWorld, at, resource, serving_tenants

from sequences_mcp.domain.actors import Actor
from sequences_mcp.serve_tenants import give_back
from sequences_mcp.server.http.options import ServeOptions
from sequences_mcp.server.http.tenancy import EVERY, LISTED, LOOKS, OpenTenants, ServedTenant, TenantLookup

TWO_DAYS = {
    **MAIL,
    "id": "again",
    "name": "Again",
    "temporalityType": "DELAYED",
    "delay": {"value": 2, "unit": "day"},
}
FEW = ServeOptions(public_url=PUBLIC, tenant_idle=10.0)


class Seconds:
    """A clock that only goes forward, when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """An issuer with one key."""
    with issuing() as made:
        yield made


def until(seen: Callable[[], object]) -> None:
    """Wait until something is seen, at most two minutes."""
    pause = threading.Event()
    for _ in range(2_400):
        if seen():
            return
        pause.wait(0.05)
    raise AssertionError("it was never seen")


def workers(world: PageWorld) -> int:
    """Return how many queues of a data folder are worked on."""
    return int(world.rows("SELECT count(*) FROM worker")[0][0])


def approved(world: PageWorld, *steps: dict[str, object]) -> None:
    """Have a plan for one person approved on the tenant's own machine."""
    plan = world.plan(*(steps or (MAIL,)), people=1)
    world.at_desk(lambda app: app.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("terminal")))


def test_what_is_due_of_a_tenant_whom_nobody_calls_leaves_each_time_and_it_is_closed_between(
    tmp_path: Path, issuer: Issuer
) -> None:
    tenants, seconds = TenantsWorld(tmp_path), Seconds()
    acme = tenants.tenant(ACME)
    approved(acme, MAIL, TWO_DAYS)
    with serving_tenants(tenants, issuer, FEW, elapsed=seconds) as served:
        until(lambda: len(acme.mails) == 1)
        seconds.now += LOOKS
        until(lambda: workers(acme) == 0)
        tenants.clock.forward(days=2, hours=1)
        seconds.now += EVERY
        until(lambda: len(acme.mails) == 2)
        assert not served.log
    assert workers(acme) == 0


def test_one_that_is_used_stays_open_while_it_is_and_its_session_with_it(tmp_path: Path, issuer: Issuer) -> None:
    tenants, seconds = TenantsWorld(tmp_path), Seconds()
    acme = tenants.tenant(ACME)
    token = issuer.token(aud=resource(ACME))
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    with serving_tenants(tenants, issuer, FEW, elapsed=seconds) as served:
        there = at(served, ACME)
        session = there.ask(token=token, body=OPENING).headers["mcp-session-id"]
        for _ in range(3):
            seconds.now += FEW.tenant_idle - 1
            assert there.ask(token=token, body=call, Mcp_Session_Id=session).status == 200
        until(lambda: workers(acme))
        seconds.now += FEW.tenant_idle
        until(lambda: workers(acme) == 0)
        assert there.ask(token=token, body=call, Mcp_Session_Id=session).status == 404
        assert there.tool("list_blueprints", token=token).status == 200


def _names(served: Served, issuer: Issuer, names: list[str]) -> list[int]:
    return [
        at(served, name).tool("list_blueprints", token=issuer.token(aud=resource(name))).status for name in names
    ]


def test_more_tenants_than_are_open_at_once_take_turns_and_each_has_its_work_done(
    tmp_path: Path, issuer: Issuer
) -> None:
    tenants, seconds = TenantsWorld(tmp_path), Seconds()
    names = [f"firm-{number}" for number in range(5)]
    worlds = [tenants.tenant(name) for name in names]
    for world in worlds:
        approved(world)
    with serving_tenants(
        tenants, issuer, ServeOptions(public_url=PUBLIC, tenant_idle=10.0, tenants_open=2), elapsed=seconds
    ) as served:
        assert _names(served, issuer, names * 2) == [200] * 10

        def all_left() -> bool:
            seconds.now += LOOKS
            return all(len(world.mails) == 1 for world in worlds)

        until(all_left)
        assert sum(workers(world) > 0 for world in worlds) <= 2
    assert [len(world.mails) for world in worlds] == [1] * 5


async def test_a_request_waits_for_a_place_that_is_just_being_opened_for_somebodys_work() -> None:
    preparing, go_on = threading.Event(), threading.Event()

    def prepare(name: str) -> None:
        if name == ACME:
            preparing.set()
            go_on.wait(60)

    class FakeContext:
        def acting_as(self, actor: Actor) -> FakeContext:
            return self

    async def nothing(*_: object) -> Any:
        return FakeContext()

    @asynccontextmanager
    async def serve(name: str) -> AsyncIterator[ServedTenant]:
        yield ServedTenant(nothing, is_sound=nothing, context=nothing)

    def unknown(*_: object) -> Any:
        return None

    source = TenantLookup(
        names=lambda: [ACME],
        version=lambda name: 1,
        prepare=prepare,
        works=lambda name: True,
        next_due=unknown,
        measure=unknown,
        sites=unknown,
        give_back=lambda: None,
        clock=lambda: START,
        elapsed=Seconds(),
    )
    tenants = OpenTenants(source=source, serve=serve, most=1, idle=10.0)

    async def asked() -> None:
        async with tenants.context_of(HOPPER, Actor("ada")):
            pass

    async with tenants.running():
        assert await asyncio.to_thread(preparing.wait, 60)
        asking = asyncio.create_task(asked())
        for _ in range(20):
            await asyncio.sleep(0)
        assert not asking.done()
        go_on.set()
        await asking


def test_a_tenant_that_comes_or_goes_while_the_server_runs_is_opened_and_closed(
    tmp_path: Path, issuer: Issuer
) -> None:
    tenants, seconds = TenantsWorld(tmp_path), Seconds()
    acme = tenants.tenant(ACME)
    with serving_tenants(tenants, issuer, FEW, elapsed=seconds) as served:
        assert _names(served, issuer, [ACME, HOPPER]) == [200, 401]
        until(lambda: workers(acme))
        hopper = tenants.tenant(HOPPER)
        approved(hopper)
        assert _names(served, issuer, [HOPPER]) == [200]
        until(lambda: hopper.mails)
        (tenants.folder / ACME / "settings.toml").unlink()
        assert _names(served, issuer, [ACME, HOPPER]) == [401, 200]
        seconds.now += LISTED
        until(lambda: workers(acme) == 0)


def locks() -> int:
    """Return how many locks of event loops there are in this process, which the server is in."""
    gc.collect()
    return sum(type(one) is asyncio.Lock for one in gc.get_objects())


def test_nothing_that_tenants_were_opened_under_is_kept_when_they_are_gone(tmp_path: Path, issuer: Issuer) -> None:
    tenants, seconds, names = TenantsWorld(tmp_path), Seconds(), [f"tenant-{number}" for number in range(3)]
    with serving_tenants(tenants, issuer, FEW, elapsed=seconds) as served:
        assert _names(served, issuer, names) == [401] * 3
        before = locks()
        worlds = [tenants.tenant(name) for name in names]
        assert _names(served, issuer, names) == [200] * 3
        until(lambda: all(map(workers, worlds)))
        for name in names:
            (tenants.folder / name / "settings.toml").unlink()
        seconds.now += LISTED
        until(lambda: not any(map(workers, worlds)))
        until(lambda: locks() <= before)


def test_other_settings_of_a_tenant_hold_from_the_next_request_on(tmp_path: Path, issuer: Issuer) -> None:
    tenants = TenantsWorld(tmp_path)
    tenants.tenant(ACME)
    with serving_tenants(tenants, issuer) as served:

        def sender() -> str:
            answer = at(served, ACME).tool("list_providers", token=issuer.token(aud=resource(ACME)))
            return answer.text

        assert "grace@hopper.example" not in sender()
        settings = tenants.folder / ACME / "settings.toml"
        settings.write_text(settings.read_text().replace("ada@acme.example", "grace@hopper.example"))
        assert "grace@hopper.example" in sender()


def test_the_work_of_a_tenant_that_leaves_it_to_others_is_not_done_here(tmp_path: Path, issuer: Issuer) -> None:
    tenants, seconds = TenantsWorld(tmp_path), Seconds()
    acme, hopper = tenants.tenant(ACME, "worker = false"), tenants.tenant(HOPPER)
    approved(acme)
    approved(hopper)
    with serving_tenants(tenants, issuer, FEW, elapsed=seconds) as served:
        assert _names(served, issuer, [ACME]) == [200]
        until(lambda: hopper.mails)
        assert not acme.mails and workers(acme) == 0
    tenants.more = {"SEQUENCES_WORKER": "off"}
    approved(hopper)
    with serving_tenants(tenants, issuer, FEW, elapsed=seconds) as served:
        assert _names(served, issuer, [HOPPER]) == [200]
    assert len(hopper.mails) == 1 and acme.mails == []


@pytest.mark.skipif(server_programs() is None, reason="PostgreSQL is not installed here")
def test_a_tenant_with_a_database_on_a_server_works_beside_one_with_a_file_and_without_it_is_unavailable(
    tmp_path: Path, issuer: Issuer
) -> None:
    tenants, seconds = TenantsWorld(tmp_path), Seconds()
    tenants.tenant(HOPPER)
    with own_server() as database:
        acme = tenants.tenant(ACME, f'database = "{database.url}"')
        with serving_tenants(tenants, issuer, FEW, elapsed=seconds) as served:
            token = issuer.token(aud=resource(ACME))
            person = [{"first_name": "Grace", "email": "grace@hopper.example"}]
            assert at(served, ACME).tool("save_contacts", token=token, contacts=person).status == 200
            assert (
                "grace@hopper.example" in at(served, ACME).tool("find_contacts", token=token, query="grace").text
            )
            assert "grace@hopper.example" not in _found(served, issuer)
    with serving_tenants(tenants, issuer, FEW, elapsed=seconds) as served:
        away = at(served, ACME).tool("find_contacts", token=token, query="grace")
        assert _names(served, issuer, [HOPPER]) == [200]
    assert (away.status, "postgres" in away.text) == (503, False)
    assert acme.rows("SELECT count(*) FROM contact") == [(0,)]  # nothing went into a file in its place


def _found(served: Served, issuer: Issuer) -> str:
    token = issuer.token(aud=resource(HOPPER))
    return at(served, HOPPER).tool("find_contacts", token=token, query="grace").text


def resident() -> int:
    """Return how much memory this process has in use, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library gives memory back by itself")
def test_memory_that_is_free_between_what_is_in_use_is_given_back() -> None:
    pieces = [bytes(60_000) for _ in range(1_000)]
    in_use = pieces[::50]
    del pieces
    before = resident()
    give_back()
    assert before - resident() > 20_000_000, len(in_use)
