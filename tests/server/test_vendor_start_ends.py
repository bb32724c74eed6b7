"""One start's fault, a run seen too early and the end of a process: no other start waits for it."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.world.kept_starts import said_yes
from tests.world.product import Desktop
from tests.world.vendors import (
    ENDS,
    INES,
    PRIYA,
    TEXT,
    VENDORS,
    ZOE,
    Connected,
    also_said_yes,
    enrolled,
    statuses,
    taken_by,
)

from sequences_mcp.services.enrolment import enrol_at_vendor, enrol_soon, enrol_waiting

# What is seen of a run that is not ours, or not yet ours.


async def finished_earlier(vendors: Connected, desktop: Desktop) -> str:
    """Give a candidate of Kalent's a run that is over."""
    made = await desktop.call("create_blueprint", name="Old", steps=[TEXT], provider="kalent:sourcing_1")
    own = made["blueprint_id"].partition(":")[2]
    await vendors.sandbox.kalent(
        "POST", f"/sequence-blueprints/{own}/start", json={"candidateIds": ["candidate_ines"]}
    )
    found = (await vendors.sandbox.kalent("GET", "/candidates/candidate_ines/dynamic-sequence")).json()
    assert found["data"]["sequence"]["displayStatus"] == "COMPLETED"
    return str(made["blueprint_id"])


async def test_an_earlier_run_of_a_candidate_is_never_taken_for_the_one_under_way(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        await finished_earlier(vendors, desktop)
        before = (await vendors.sandbox.kalent("GET", "/candidates/candidate_ines/dynamic-sequence")).json()
        _, plan = await also_said_yes(vendors, desktop, "kalent", contacts=[INES])
        own = plan["sample"]["sequence_id"]
        async with vendors.app() as app:
            taken = await taken_by(app, plan["plan_id"])
            while_asked = await desktop.call("get_sequence", sequence_id=own)
            outcomes = await app.providers["kalent"].enrol(taken.order)
            await app.vendor_runs.record_outcomes(taken.operation_id, outcomes)
        await vendors.sandbox.fault(
            "body", vendor="kalent", path="*/dynamic-sequence", body=before, status=200, times=3
        )
        early = await desktop.call("get_sequence", sequence_id=own)
        by_candidate = await desktop.call("get_sequence", sequence_id=INES)
        late = await desktop.call("get_sequence", sequence_id=own)
    assert while_asked["status"] == early["status"] == by_candidate["status"] == "ACTIVE"
    assert early["why"] == by_candidate["why"] == "Kalent shows no run yet."
    assert late["provider_status"] == "SCHEDULED"


async def test_an_unknown_start_is_settled_by_a_check_and_not_by_a_read(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        await finished_earlier(vendors, desktop)
        _, plan = await also_said_yes(vendors, desktop, "kalent", contacts=[INES])
        await vendors.sandbox.fault("reset_before_body", vendor="kalent", path=ENDS["kalent"], times=9)
        async with vendors.app() as app:
            why = await enrol_at_vendor(app, plan_id=plan["plan_id"])
        run = await desktop.call("get_sequence", sequence_id=plan["sample"]["sequence_id"])
        vendors.clock.now += timedelta(minutes=2)
        [line] = [one for one in (await desktop.call("list_providers"))["broken"] if "start_seq" in one]
        looked = await desktop.call("check_operation", operation_id=line.split()[-1].rstrip("."))
    assert why is not None and run["status"] == "WAITING_FOR_USER"
    assert looked["outcome"] == "not_done" and statuses(vendors) == ["FAILED"]


async def test_topo_is_not_believed_about_people_on_lists_and_profiles_of_others(vendors: Connected) -> None:
    profile = "https://www.linkedin.com/in/zoe"
    _, plan = await said_yes(vendors, "topo", contacts=[{"linkedin_url": profile, "phone": "+33639980199"}])
    async with vendors.client() as desktop:
        async with vendors.app() as app:
            await enrol_at_vendor(app, plan_id=plan["plan_id"])
        vendors.sandbox.clock.now = vendors.clock.now + timedelta(minutes=10)
        people = (await vendors.sandbox.topo("GET", "/contacts", params={"size": 100})).json()
        others = {**people, "items": [one for one in people["items"] if one["linkedin_url"] != profile]}
        await vendors.sandbox.fault("body", vendor="topo", path="/contacts", body=others, status=200)
        lied_to = await desktop.call("get_sequence", sequence_id=plan["sample"]["sequence_id"])
        told = await desktop.call("get_sequence", sequence_id=plan["sample"]["sequence_id"])
    assert lied_to["why"] == "Topo shows no run yet."
    assert told["id"].startswith("topo:")


# One start's fault, and the end of the day.


class FakeBrokenProvider:
    """A vendor that fails as no adapter should."""

    people_a_start = 100

    def __getattr__(self, name: str) -> Any:
        raise ValueError("what nobody expected")


@pytest.mark.parametrize("where", ["before the request", "in the request"])
async def test_one_start_that_fails_as_nobody_expected_does_not_hold_up_the_others(
    vendors: Connected, where: str
) -> None:
    _, bad = await said_yes(vendors, "kalent", contacts=[PRIYA])
    async with vendors.client() as desktop:
        _, good = await also_said_yes(vendors, desktop, "topo", contacts=[ZOE])
    async with vendors.app() as app:
        broken: Any = FakeBrokenProvider()
        if where == "in the request":
            broken = FailsToEnrol(app.providers["kalent"])
        crooked = replace(app, providers={**app.providers, "kalent": broken})
        stopped = await enrol_waiting(crooked)
        one, other = [await app.vendor_runs.outcome(plan["plan_id"]) for plan in (bad, good)]
    assert list(stopped) == [bad["plan_id"]]
    assert other.done == 1
    assert (one.waiting, one.unknown) == ((1, 0) if where == "before the request" else (0, 1))


class FailsToEnrol:
    """A vendor that is sound up to the request."""

    def __init__(self, sound: Any) -> None:
        self._sound = sound

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sound, name)

    async def enrol(self, order: object) -> object:
        raise ValueError("what nobody expected")


class FakeBusyRuns:
    """Vendor runs whose file is busy so many times when an outcome is to be written down."""

    def __init__(self, runs: Any, times: int) -> None:
        self._runs = runs
        self.times = times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runs, name)

    async def record_outcomes(self, *given: Any, **named: Any) -> None:
        from sequences_mcp.errors import StoreBusyError

        if self.times:
            self.times -= 1
            raise StoreBusyError("Busy.", next_step="Wait.")
        await self._runs.record_outcomes(*given, **named)


@pytest.mark.parametrize(("times", "outcome"), [(2, "done"), (99, "unknown")])
async def test_an_outcome_that_cannot_be_written_down_is_tried_again_and_then_unknown(
    vendors: Connected, times: int, outcome: str
) -> None:
    _, plan = await said_yes(vendors, "kalent")
    async with vendors.app() as app:
        runs: Any = FakeBusyRuns(app.vendor_runs, times)
        why = await enrol_at_vendor(replace(app, vendor_runs=runs), plan_id=plan["plan_id"])
        vendors.clock.now += timedelta(minutes=3)
        await enrol_waiting(app)
        found = await app.vendor_runs.outcome(plan["plan_id"])
    assert (why is None) == (outcome == "done")
    assert getattr(found, outcome) == 2
    assert len(await enrolled(vendors, "kalent")) == 1


@pytest.mark.parametrize("vendor", VENDORS)
async def test_after_the_day_that_a_yes_holds_nobody_waits_even_where_the_vendor_is_gone(
    vendors: Connected, vendor: str
) -> None:
    await said_yes(vendors, vendor)
    vendors.clock.now += timedelta(hours=25)
    async with vendors.app() as app:
        alone = replace(app, providers={"local": app.local})
        await enrol_waiting(alone)
        waiting = await app.vendor_runs.waiting()
    assert waiting == [] and statuses(vendors) == ["REFUSED"] * 2
    assert await enrolled(vendors, vendor) == []


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_process_that_ends_waits_for_its_request_and_begins_no_other(
    vendors: Connected, vendor: str
) -> None:
    _, plan = await said_yes(vendors, vendor)
    await vendors.sandbox.fault("stall", vendor=vendor, path=ENDS[vendor], seconds=0.3, act=True)
    async with vendors.app() as app:
        early = await enrol_soon(app, plan_id=plan["plan_id"], seconds=0.1)
    async with vendors.app() as app:
        late = await app.vendor_runs.outcome(plan["plan_id"])
    assert early.waiting == 2
    assert (late.done, late.waiting, late.unknown) == ((1, 1, 0) if vendor == "clarky" else (2, 0, 0))
    assert len(await enrolled(vendors, vendor)) == 1


async def test_who_waits_for_a_start_that_is_handed_over_already_is_told_how_that_ended(
    vendors: Connected,
) -> None:
    _, plan = await said_yes(vendors, "kalent")
    await vendors.sandbox.fault("stall", vendor="kalent", path=ENDS["kalent"], seconds=0.3, act=True)
    async with vendors.app() as app:
        early = await enrol_soon(app, plan_id=plan["plan_id"], seconds=0.1)
        late = await enrol_soon(app, plan_id=plan["plan_id"], seconds=30)
    assert (early.waiting, late.waiting, late.done) == (2, 0, 2)
    assert len(await enrolled(vendors, "kalent")) == 1


async def test_a_context_that_closes_leaves_the_requests_of_another_workspace_alone(
    vendors: Connected, tmp_path: Path
) -> None:
    _, plan = await said_yes(vendors, "clarky")
    await vendors.sandbox.fault("stall", vendor="clarky", path=ENDS["clarky"], seconds=0.3, act=True)
    async with vendors.app() as app:
        early = await enrol_soon(app, plan_id=plan["plan_id"], seconds=0.1)
        async with replace(vendors, folder=tmp_path / "other").app():
            pass
        await asyncio.wait(app.enrolments)
        late = await app.vendor_runs.outcome(plan["plan_id"])
    assert early.waiting == 2
    assert (late.done, late.waiting, late.unknown) == (2, 0, 0)


async def test_a_call_that_is_cancelled_takes_no_request_with_it(vendors: Connected) -> None:
    pause = threading.Event()  # never ends: to ask without one would take the processor for all of the seconds
    start, _ = await said_yes(vendors, "kalent")
    async with vendors.client() as desktop:
        await vendors.sandbox.fault("stall", vendor="kalent", path=ENDS["kalent"], seconds=5, act=True)
        call = asyncio.create_task(start.told(desktop))
        while not await enrolled(vendors, "kalent"):
            assert not call.done()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(60):
            while (told := await start.told(desktop))["handed_over"]["waiting"]:
                await asyncio.to_thread(pause.wait, 0.1)
    assert len(await enrolled(vendors, "kalent")) == 1
    assert told["handed_over"]["waiting"] == 0
