"""An approved start at a vendor is handed over once, by whoever can, and not after its day."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.secrecy.hearing import heard
from tests.world.kept_starts import asked_for, said_yes
from tests.world.loaded import product
from tests.world.vendors import (
    ALI,
    VENDORS,
    ZOE,
    Connected,
    Start,
    active_template,
    approve,
    enrolled,
)

from sequences_mcp.bootstrap import open_context
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.plan import PlanStatus
from sequences_mcp.review.decide import approve_in_terminal, look_up
from sequences_mcp.services.enrolment import enrol_at_vendor
from sequences_mcp.services.reviews import approve_plan
from sequences_mcp.settings import read_settings
from sequences_sandbox.seeds import KEYS_KEYS

OTHER_KEY = {"TOPO_API_KEY": KEYS_KEYS["topo"][0].token}


async def test_more_people_than_a_call_takes_go_in_several(vendors: Connected) -> None:
    people = [{"email": f"person{number}@new.example", "first_name": "P"} for number in range(230)]
    async with vendors.client() as desktop:
        start = Start(await active_template(desktop), people)
        await approve(vendors, await start.ask(desktop))
        told = await start.told(desktop)
    assert told["handed_over"]["done"] == 230
    sizes = [len(one["body"]["items"]) for one in await enrolled(vendors, "topo")]
    assert sizes == [100, 100, 30]
    assert len([one for one in await vendors.writes() if one["path"].endswith("/contact-lists")]) == 1


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_terminal_shows_what_the_vendor_is_given_and_hands_it_over(
    vendors: Connected, vendor: str
) -> None:
    _, asked = await asked_for(vendors, vendor)
    async with vendors.app() as app:
        seen = await look_up(app, asked["plan_id"])
        said = await approve_in_terminal(app, asked["plan_id"], seen=seen, people=None, actor=Actor("ada"))
    title = vendor.capitalize()
    assert any(line.startswith(f"{title} sends, with its own") for line in seen.lines)
    assert sum(f"{title} is given" in line for line in seen.lines) == 2
    assert any(line.startswith("Needs: ") for line in seen.lines) == (vendor == "kalent")
    assert said.endswith(f"{title}: 2 handed over.")


async def test_a_yes_given_where_no_vendor_is_connected_is_carried_out_by_a_server_that_is(
    vendors: Connected,
) -> None:
    _, asked = await asked_for(vendors, "topo")
    apart = {name: value for name, value in vendors.environ.items() if name.startswith("SEQUENCES_")}
    async with open_context(read_settings(apart), worker=False, clock=vendors.clock) as app:
        seen = await look_up(app, asked["plan_id"])
        said = await approve_in_terminal(app, asked["plan_id"], seen=seen, people=None, actor=Actor("ada"))
        assert await enrol_at_vendor(app, plan_id=asked["plan_id"]) is not None
    assert "A running server that has Topo's key enrols its people." in said
    assert await enrolled(vendors, "topo") == []
    async with (
        open_context(read_settings(vendors.environ), worker=True, clock=vendors.clock) as app,
        asyncio.timeout(60),
    ):
        while (await app.vendor_runs.outcome(asked["plan_id"])).done < 2:
            await asyncio.sleep(0)
    assert len(await enrolled(vendors, "topo")) == 1


async def test_another_account_leaves_an_approved_start_alone_and_says_so(vendors: Connected) -> None:
    _, asked = await asked_for(vendors, "topo")
    await approve(vendors, asked, go=False)
    before = await vendors.writes()
    async with replace(vendors, more=OTHER_KEY).app() as app:
        why = await enrol_at_vendor(app, plan_id=asked["plan_id"])
        assert "approved for other settings: the key at Topo is another one" in (why or "")
        assert await vendors.writes() == before
        waiting = await app.plans.get_plan(asked["plan_id"])
        assert waiting.status is PlanStatus.WAITING
    async with vendors.app() as app:
        assert (await app.plans.get_plan(asked["plan_id"])).status is PlanStatus.APPROVED
        assert await enrol_at_vendor(app, plan_id=asked["plan_id"]) is None
        assert (await app.vendor_runs.outcome(asked["plan_id"])).done == 2
    assert len(await enrolled(vendors, "topo")) == 1


async def test_a_person_approves_the_account_that_is_connected_now(vendors: Connected) -> None:
    _, asked = await asked_for(vendors, "topo")
    await approve(vendors, asked, go=False)
    async with replace(vendors, more=OTHER_KEY).app() as app:
        seen = await look_up(app, asked["plan_id"])
        said = await approve_in_terminal(app, asked["plan_id"], seen=seen, people=None, actor=Actor("ada"))
    assert said.endswith("Topo: 2 handed over.")
    assert len(await enrolled(vendors, "topo")) == 1


async def test_a_machine_that_only_works_hands_over_what_was_approved_elsewhere(vendors: Connected) -> None:
    vendors.clock.now = datetime.now(UTC)  # the command reads the clock itself
    _, asked = await asked_for(vendors, "topo")
    await approve(vendors, asked, go=False)
    command = [*product(), "work", "--once"]
    ran = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **vendors.environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(ran.communicate(), 60)
    async with vendors.app() as app:
        found = await app.vendor_runs.outcome(asked["plan_id"])
    assert (ran.returncode, heard("work --once", err)) == (0, b"")
    assert "eople enrolled at vendors: 2." in heard("work --once", out).decode()
    assert (found.done, found.waiting) == (2, 0)
    assert len(await enrolled(vendors, "topo")) == 1


async def test_two_processes_that_hand_over_at_once_make_one_request(vendors: Connected) -> None:
    start, asked = await said_yes(vendors, "kalent")
    async with vendors.client() as desktop:
        async with vendors.app() as one, vendors.app() as other:
            pair = (one, other, one, other)
            await asyncio.gather(*(enrol_at_vendor(app, plan_id=asked["plan_id"]) for app in pair))
        told = await start.told(desktop)
    assert told["handed_over"]["done"] == 2
    assert len(await enrolled(vendors, "kalent")) == 1


async def test_one_person_can_be_taken_out_before_the_yes(vendors: Connected) -> None:
    _, asked = await asked_for(vendors, "kalent")
    async with vendors.client() as desktop:
        await desktop.call("stop_sequence", sequence_id=asked["sample"]["sequence_id"], reason="LOSE")
        async with vendors.app() as app:
            plan = await app.plans.get_plan(asked["plan_id"])
            await approve_plan(app, plan_id=plan.id, digest=plan.digest, actor=Actor("ada"))
            await enrol_at_vendor(app, plan_id=plan.id)
    [sent] = await enrolled(vendors, "kalent")
    assert sent["body"] == {"candidateIds": ["candidate_priya"]}


async def test_a_no_enrols_nobody(vendors: Connected) -> None:
    start, asked = await asked_for(vendors, "kalent")
    async with vendors.client() as desktop:
        async with vendors.app() as app:
            await app.plans.refuse_plan(asked["plan_id"], reason="not now", actor=Actor("ada"))
            assert await enrol_at_vendor(app, plan_id=asked["plan_id"]) is None
        told = await start.told(desktop)
    assert (told["outcome"], told["approval"]) == ("refused", "declined")
    assert await enrolled(vendors, "kalent") == []


async def test_an_approval_that_could_not_be_carried_out_within_its_day_enrols_nobody(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        start = Start(await active_template(desktop), [ZOE, ALI], {"idempotency_key": "k"})
        asked = await start.ask(desktop)
        await approve(vendors, asked, go=False)
        vendors.clock.now += timedelta(hours=25)
        told = await start.told(desktop)
    assert told["handed_over"]["not_done"] == 2
    assert "within the day" in told["handed_over"]["why"][0]
    assert await enrolled(vendors, "topo") == []
