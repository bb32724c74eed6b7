"""Several processes on one file, and processes that end in the middle: each person is written to once."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from tests.e2e.test_saying_yes import blueprint_of
from tests.e2e.test_story import HELLO, PEOPLE
from tests.world.installation import Installation, until
from tests.world.mail_servers import PostOffice
from tests.world.product import Desktop, people, yes


async def test_a_server_that_is_killed_and_started_again_goes_on(
    installation: Installation, office: PostOffice
) -> None:
    slow = installation.having(SPACING="2")
    await _killed_after_the_first(slow)
    assert len(office.messages) == 1
    async with slow.client("legacy") as desktop:
        await asyncio.to_thread(office.wait_for, 2)
        ended = await until(lambda: _statuses(desktop), lambda found: set(found) == {"COMPLETED"})
        again = await desktop.call("list_sequences", status="COMPLETED")
    assert len(ended) == again["total_count"] == 2
    assert office.sent == sorted((one["email"], "Engineer in Lisbon") for one in PEOPLE[:2])


async def _killed_after_the_first(installation: Installation) -> None:
    try:
        async with installation.client("legacy", yes) as desktop:
            blueprint = await blueprint_of(desktop)
            await desktop.call("start_sequence", blueprint_id=blueprint, contacts=PEOPLE[:2])
            await until(lambda: _statuses(desktop), lambda found: "COMPLETED" in found)
            installation.kill_server()
    except* OSError:
        assert installation.pid_file.exists()  # a client may notice that its server is gone


async def _statuses(desktop: Desktop) -> list[str]:
    return [run["status"] for run in (await desktop.call("list_sequences"))["items"]]


async def test_two_servers_and_a_worker_share_the_work_of_one_file(
    installation: Installation, office: PostOffice
) -> None:
    everybody = people(10)
    async with AsyncExitStack() as stack:
        desktops = [await stack.enter_async_context(installation.client("auto", yes)) for _ in range(2)]
        await stack.enter_async_context(installation.working())
        blueprints = await asyncio.gather(*(blueprint_of(desktop) for desktop in desktops))
        halves = everybody[:5], everybody[5:]
        started = await asyncio.gather(*(_started(*one) for one in zip(desktops, blueprints, halves, strict=True)))
        assert [one["outcome"] for one in started] == ["done", "done"]
        await asyncio.to_thread(office.wait_for, 10)
        for desktop in desktops:
            await until(partial(_statuses, desktop), lambda found: found == ["COMPLETED"] * 10)
    assert [to for to, _ in office.sent] == sorted(one["email"] for one in everybody)


OF_A_REPEAT = {"next", "repeat_of"}


async def _started(desktop: Desktop, blueprint: str, contacts: list[dict[str, Any]]) -> dict[str, Any]:
    named = [{**one, "company": "Hopper"} for one in contacts]
    return await desktop.call("start_sequence", blueprint_id=blueprint, contacts=named)


async def test_a_server_told_not_to_work_leaves_it_to_a_process_of_its_own(
    installation: Installation, office: PostOffice
) -> None:
    async with installation.having(WORKER="off").client("auto", yes) as desktop:
        blueprint = await blueprint_of(desktop, HELLO)
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=PEOPLE[:1])
        assert await _statuses(desktop) == ["ACTIVE"]
        said = await installation.run("work", "--once")
        status, told, log = said
        assert (status, log) == (0, "")
        assert told.splitlines() == [
            "E-mails sent: 1.",
            "Waiting for a person: nothing. Nothing more is due here.",
        ]
        assert await _statuses(desktop) == ["COMPLETED"]
    assert len(office.messages) == 1


async def test_a_key_used_in_two_processes_at_once_makes_one_plan(installation: Installation) -> None:
    async with AsyncExitStack() as stack:
        desktops = [await stack.enter_async_context(installation.client()) for _ in range(2)]
        blueprint = await blueprint_of(desktops[0])
        save = {"contacts": PEOPLE, "idempotency_key": "people"}
        saved = await asyncio.gather(*(desktop.call("save_contacts", **save) for desktop in desktops))
        start = {"blueprint_id": blueprint, "contacts": PEOPLE, "idempotency_key": "monday"}
        started = await asyncio.gather(*(desktop.call("start_sequence", **start) for desktop in desktops))
        reviews = await desktops[0].call("list_reviews")
    assert saved[0] == saved[1]
    told = [{name: one[name] for name in one.keys() - OF_A_REPEAT} for one in started]
    assert told[0] == told[1]
    assert sum("repeat_of" in one for one in started) == 1
    assert [plan["plan_id"] for plan in reviews["plans"]["items"]] == [started[0]["plan_id"]]
