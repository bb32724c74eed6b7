"""Attacks on starts at vendors: whatever comes between, nobody is enrolled twice and nobody waits for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from tests.world.kept_starts import said_yes
from tests.world.product import Desktop
from tests.world.vendors import (
    ENDS,
    VENDORS,
    ZOE,
    Connected,
    Start,
    also_said_yes,
    approve,
    enrolled,
    start_at,
    statuses,
    taken_by,
)

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.ports.vendor import EnrolmentOutcome, PreflightSnapshot
from sequences_mcp.review.decide import resolved_in_terminal
from sequences_mcp.services.enrolment import enrol_at_vendor, enrol_waiting

# What a vendor calls FOUND is not what waits here.


async def awaiting_review(vendors: Connected, desktop: Desktop, vendor: str) -> tuple[Start, dict[str, Any]]:
    """Start somebody whose run waits for a person's yes at the vendor, and look at it."""
    start = await start_at(vendor, desktop, contacts=[ZOE])
    if vendor == "topo":
        page = await desktop.call("list_blueprints", provider="topo")
        own = next(one["id"] for one in page["items"] if one["name"] == "LinkedIn and a call")
        start = Start(own, [{**ZOE, "linkedin_url": "https://www.linkedin.com/in/zoe"}])
    plan = await start.ask(desktop)
    await approve(vendors, plan)
    vendors.sandbox.clock.now = vendors.clock.now + timedelta(minutes=10)
    run = await desktop.call("get_sequence", sequence_id=plan["sample"]["sequence_id"])
    assert run["status"] == "FOUND", run
    return start, plan


@pytest.mark.parametrize("vendor", ["clarky", "topo"])
async def test_a_run_that_waits_for_a_yes_at_the_vendor_is_not_handed_over_again(
    vendors: Connected, vendor: str
) -> None:
    async with vendors.client() as desktop:
        start, plan = await awaiting_review(vendors, desktop, vendor)
        told = await start.told(desktop)
        async with vendors.app() as app:
            await enrol_waiting(app)
        vendors.clock.now += timedelta(days=2)
        async with vendors.app() as app:
            await enrol_at_vendor(app, plan_id=plan["plan_id"])
            late = await app.vendor_runs.outcome(plan["plan_id"])
    assert told["handed_over"] == {"done": 1, "unknown": 0, "not_done": 0, "waiting": 0}
    assert (late.done, late.not_done) == (1, 0)
    assert len(await enrolled(vendors, vendor)) == 1


@pytest.mark.parametrize("vendor", ["clarky", "topo"])
async def test_a_run_that_waits_for_a_yes_at_the_vendor_keeps_the_person_out_of_others(
    vendors: Connected, vendor: str
) -> None:
    async with vendors.client() as desktop:
        await awaiting_review(vendors, desktop, vendor)
        here = await desktop.blueprint()
        error = await desktop.refused("start_sequence", blueprint_id=here, contacts=[ZOE])
        said = await desktop.call("suppress_contact", contact=ZOE["email"], reason="asked")
        gone = [one["status"] for one in said["stopped"]]
    assert error["left_out"][0]["reasons"][0].startswith("already in local:seq_")
    assert gone == [] or vendor == "topo"


# Two processes at one plan.


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_second_process_that_comes_too_late_does_not_close_the_plan(
    vendors: Connected, vendor: str
) -> None:
    _, plan = await said_yes(vendors, vendor)
    async with vendors.app() as one, vendors.app() as other:
        people = await other.vendor_runs.next_people(plan["plan_id"], size=100)
        first = await taken_by(one, plan["plan_id"])
        late = await other.vendor_runs.take(
            plan["plan_id"], [run.id for run in people], before=PreflightSnapshot()
        )
        await one.vendor_runs.release(first.operation_id, reason="429")
        waiting = await other.vendor_runs.waiting()
        await enrol_waiting(other)
        found = await other.vendor_runs.outcome(plan["plan_id"])
    assert late is None
    assert [found_plan.id for found_plan in waiting] == [plan["plan_id"]]
    assert (found.done, found.waiting) == (2, 0)


@pytest.mark.parametrize("vendor", VENDORS)
async def test_whom_a_dead_process_had_taken_is_unknown_even_if_another_came_too_late(
    vendors: Connected, vendor: str
) -> None:
    _, plan = await said_yes(vendors, vendor)
    async with vendors.app() as one, vendors.app() as other:
        people = await other.vendor_runs.next_people(plan["plan_id"], size=100)
        await taken_by(one, plan["plan_id"])
        await other.vendor_runs.take(plan["plan_id"], [run.id for run in people], before=PreflightSnapshot())
        vendors.clock.now += timedelta(minutes=3)
        await enrol_waiting(other)
    assert statuses(vendors) == ["WAITING_FOR_USER"] * 2
    assert await enrolled(vendors, vendor) == []


@pytest.mark.parametrize("vendor", VENDORS)
async def test_ten_processes_at_once_make_one_request_a_person(vendors: Connected, vendor: str) -> None:
    _, plan = await said_yes(vendors, vendor)
    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(one_process(vendors, plan["plan_id"]))
    assert statuses(vendors) == ["ACTIVE"] * 2
    assert len(await enrolled(vendors, vendor)) == (2 if vendor == "clarky" else 1)


async def one_process(vendors: Connected, plan_id: str) -> None:
    async with vendors.app() as app:
        for _ in range(50):
            if not (await enrol_at_vendor(app, plan_id=plan_id)) and not await app.vendor_runs.waiting():
                return
            await asyncio.sleep(0)


# Answers that come late, or never to the file.


@pytest.mark.parametrize("vendor", ["kalent", "topo"])
async def test_an_answer_that_comes_after_somebody_looked_too_early_is_the_true_one(
    vendors: Connected, vendor: str
) -> None:
    start, plan = await said_yes(vendors, vendor)
    async with vendors.client() as desktop:
        async with vendors.app() as app:
            taken = await taken_by(app, plan["plan_id"])
            vendors.clock.now += timedelta(minutes=3)
            looked = await desktop.call("check_operation", operation_id=taken.operation_id)
            outcomes = await app.providers[vendor].enrol(taken.order)
            await app.vendor_runs.record_outcomes(taken.operation_id, outcomes)
        told = await start.told(desktop)
        again = await desktop.refused(
            "start_sequence", blueprint_id=start.blueprint_id, contacts=start.contacts, idempotency_key="2"
        )
    assert looked["outcome"] == "not_done"
    assert told["handed_over"]["done"] == 2
    assert all("already in" in one["reasons"][0] for one in again["left_out"])
    assert len(await enrolled(vendors, vendor)) == 1


async def test_a_late_answer_about_somebody_who_is_in_another_run_by_then_says_that_there_are_two(
    vendors: Connected,
) -> None:
    _, plan = await said_yes(vendors, "topo", contacts=[ZOE])
    async with vendors.client() as desktop:
        async with vendors.app() as app:
            taken = await taken_by(app, plan["plan_id"])
            await settled_by_person(vendors, app, taken.operation_id)
            _, second = await also_said_yes(vendors, desktop, "clarky", contacts=[ZOE])
            await enrol_at_vendor(app, plan_id=second["plan_id"])
            [one] = taken.order.people
            await app.vendor_runs.record_outcomes(
                taken.operation_id, [EnrolmentOutcome(sequence_id=one.id, outcome="done")]
            )
        run = await desktop.call("get_sequence", sequence_id=one.id)
    assert run["status"] == "FAILED" and "another sequence has begun" in run["reason"]


async def settled_by_person(vendors: Connected, app: AppContext, operation_id: str) -> None:
    vendors.clock.now += timedelta(minutes=3)
    await resolved_in_terminal(app, operation_id, sent=False, actor=Actor("ada"))


async def test_what_a_person_settles_changes_nobody_whose_fate_is_known(vendors: Connected) -> None:
    _, plan = await said_yes(vendors, "topo")
    own = {
        "id": "11111111-2222-4333-8444-555555555555",
        "contact_list_id": "11111111-2222-4333-8444-666666666666",
    }
    mixed = {"items": [{"index": 0, "status": "CREATED", "resource": own}]}
    await vendors.sandbox.fault("body", vendor="topo", path=ENDS["topo"], body=mixed, status=200, act=False)
    async with vendors.app() as app:
        why = await enrol_at_vendor(app, plan_id=plan["plan_id"])
        assert why is not None
        operation_id = why.split()[2]
        await resolved_in_terminal(app, operation_id, sent=False, actor=Actor("ada"))
        found = await app.vendor_runs.outcome(plan["plan_id"])
        operation = await app.operations.get(operation_id)
    assert statuses(vendors) == ["ACTIVE", "FAILED"]
    assert (found.done, found.not_done) == (1, 1)
    assert operation.state == "done"


async def test_a_list_whose_count_topo_does_not_tell_is_no_proof_that_nobody_is_on_it(vendors: Connected) -> None:
    _, plan = await said_yes(vendors, "topo")
    async with vendors.client() as desktop:
        await vendors.sandbox.fault("status", vendor="topo", path=ENDS["topo"], status=504, act=True)
        async with vendors.app() as app:
            why = await enrol_at_vendor(app, plan_id=plan["plan_id"])
            assert why is not None
            lists = (await vendors.sandbox.topo("GET", "/contact-lists")).json()
            for one in lists["items"]:
                one["entries_count"] = None
            await vendors.sandbox.fault("body", vendor="topo", path="/contact-lists", body=lists, status=200)
            vendors.clock.now += timedelta(minutes=3)
            [line] = [one for one in (await desktop.call("list_providers"))["broken"] if "start_seq" in one]
            looked = await desktop.call("check_operation", operation_id=line.split()[-1].rstrip("."))
    assert looked["outcome"] == "unknown" and "does not tell" in looked["why"]


async def test_another_agent_needs_another_yes(vendors: Connected) -> None:
    template = "clarky:tpl_01SANDBOXREPLY"  # it names no agent
    vendors.more["CLARKY_BOT_ID"] = "b_01SANDBOXADA"
    async with vendors.client() as desktop:
        asked = await Start(template, [ZOE]).ask(desktop)
        await approve(vendors, asked, go=False)
    vendors.more["CLARKY_BOT_ID"] = "b_01SANDBOXBO"
    async with vendors.app() as app:
        await enrol_at_vendor(app, plan_id=asked["plan_id"])
        plan = await app.plans.get_plan(asked["plan_id"])
    assert "as clarky:b_01SANDBOXADA where" in asked["delivery"]
    assert plan.status == "waiting" and "approved for other settings: " in (plan.reason or "")
    assert await enrolled(vendors, "clarky") == []


@pytest.mark.parametrize("vendor", ["kalent", "topo"])
async def test_a_page_instead_of_an_answer_gives_nobody_up(vendors: Connected, vendor: str) -> None:
    _, plan = await said_yes(vendors, vendor)
    await vendors.sandbox.fault("html", vendor=vendor, method="GET", status=200, times=30)
    async with vendors.app() as app:
        assert await enrol_at_vendor(app, plan_id=plan["plan_id"])
        early = await app.vendor_runs.outcome(plan["plan_id"])
    await vendors.sandbox.http.delete("/_faults")
    async with vendors.app() as app:
        await enrol_at_vendor(app, plan_id=plan["plan_id"])
        late = await app.vendor_runs.outcome(plan["plan_id"])
    assert (early.waiting, late.done) == (2, 2)


async def test_a_blueprint_is_not_changed_while_a_start_of_it_is_on_its_way(vendors: Connected) -> None:
    start, plan = await said_yes(vendors, "kalent")
    async with vendors.client() as desktop:
        change = {"blueprint_id": start.blueprint_id, "expected_version": 1, "name": "Another"}
        async with vendors.app() as app:
            taken = await taken_by(app, plan["plan_id"])
            error = await desktop.refused("update_blueprint", **change)
            await app.vendor_runs.record_outcomes(
                taken.operation_id,
                [EnrolmentOutcome(sequence_id=one.id, outcome="done") for one in taken.order.people],
            )
        waits = await desktop.refused("update_blueprint", **change)
    assert (error["code"], error["operation_id"]) == ("conflict", taken.operation_id)
    assert waits["outcome"] == "waiting_for_approval"  # by now Kalent has people under way in it
