"""Starts against every fault: the right outcome, one effect, and no second request without a key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.vendors.test_vendor_tool_faults import faulted
from tests.vendors.vendor_faults import FURTHER, THE_24, UNKNOWN, VendorFault
from tests.world.kept_starts import said_yes
from tests.world.vendors import INES, ZOE, Connected, Server, connected, enrolled

from sequences_mcp.ports.vendor import EnrolmentTally
from sequences_mcp.services.enrolment import enrol_at_vendor
from sequences_mcp.services.vendor_writes import check_operation
from sequences_mcp.vendors.pacing import Timing
from sequences_sandbox.faults import Fault

FAULTS = (*THE_24, *FURTHER)
PASSES = frozenset({"provider_unavailable", "rate_limited"})  # and is tried again by itself while the yes holds
ENDS = {"kalent": "*/start", "clarky": "*/sequences/start", "topo": "*/contact-entries"}
WHO: dict[str, Any] = {"kalent": INES, "clarky": ZOE, "topo": ZOE}
HURRIED = Timing(read=5)  # where the sandbox says nothing: its time is that of the wall

# What the sandbox can do to an answer, and whether the vendor may have acted when that is what one sees.
SPOILT: dict[str, tuple[dict[str, Any], tuple[bool, ...]]] = {
    "stall": ({"seconds": 30}, (False, True)),
    "reset before the body": ({}, (False, True)),
    "reset during the body": ({}, (False, True)),
    "reset after the body": ({}, (True,)),
    "empty": ({}, (False, True)),
    "huge": ({"size": 6_000_000}, (False, True)),
    "truncated": ({}, (False, True)),
    "wrong content type": ({}, (True,)),
    "html": ({}, (False, True)),
    "redirect": ({}, (False,)),
    "status 400": ({"status": 400}, (False,)),
    "status 429": ({"status": 429, "retry_after": 7200}, (False,)),
    "status 500": ({"status": 500}, (False, True)),
    "status 503": ({"status": 503, "retry_after": 7200}, (False, True)),
    "status 504": ({"status": 504}, (False, True)),
    "body of nothing": ({"body": {}, "status": 200}, (False, True)),
    "body of null": ({"body": None, "status": 200}, (False, True)),
    "body of another one": (
        {"body": {"data": {"started": True, "blueprintId": "other"}}, "status": 200},
        (False, True),
    ),
    "body of a list": ({"body": [1, 2, 3], "status": 200}, (False, True)),
    "body with two of one index": (
        {"body": {"items": [{"index": 0, "status": "CREATED"}, {"index": 0, "status": "FAILED"}]}, "status": 200},
        (False, True),
    ),
    "body with a wrong count": (
        {"body": {"success": True, "data": {"started": True, "candidateCount": 99}}, "status": 200},
        (False, True),
    ),
    "body with an index of nobody": (
        {"body": {"items": [{"index": 7, "status": "CREATED", "resource": {"id": "x"}}]}, "status": 200},
        (False, True),
    ),
}
CASES = [(name, act) for name, (_, acts) in SPOILT.items() for act in acts]


@pytest_asyncio.fixture
async def vendors(tmp_path: Path, served: Server, request: pytest.FixtureRequest) -> AsyncIterator[Connected]:
    is_silent = getattr(request.node, "callspec", None) and request.node.callspec.params.get("name") == "stall"
    async with connected(tmp_path / "data", served) as world:
        world.sandbox.clock.now = world.clock.now
        yield replace(world, timing=HURRIED if is_silent else None)


def test_every_fault_of_the_sandbox_is_met() -> None:
    kinds = {kind for kind in Fault if any(name.startswith(kind.value.replace("_", " ")) for name in _plain())}
    assert kinds == set(Fault)


def _plain() -> list[str]:
    return [name.replace("the body", "body") for name in SPOILT]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_a_start_at_clarky_meets_each_fault_with_one_key_and_the_right_outcome(
    vendors: Connected, fault: VendorFault
) -> None:
    async with faulted(vendors, fault) as (away, faulty):
        start, _ = await said_yes(away, "clarky", contacts=[ZOE])
        async with away.client() as desktop:
            told = await start.told(desktop)
            while fault.outcome == UNKNOWN and told["handed_over"]["waiting"]:  # not waited for until its end
                told = await start.told(desktop)
        bodies = [one.body for one in faulty.seen if one.body]
    found = told["handed_over"]
    passing = "waiting" if fault.codes & PASSES else "not_done"
    expected = "unknown" if fault.outcome == UNKNOWN else passing
    assert {name for name in ("done", "unknown", "not_done", "waiting") if found[name]} == {expected}
    assert found[expected] == 1
    assert told["sent"] == ("unknown" if fault.outcome == UNKNOWN else "nothing")
    assert len(set(bodies)) <= 1
    if fault.outcome == UNKNOWN:
        assert told["outcome"] == "unknown"


@pytest.mark.parametrize(("name", "act"), CASES, ids=[f"{name}{', acting' if act else ''}" for name, act in CASES])
@pytest.mark.parametrize("vendor", ["kalent", "topo"])
async def test_a_start_without_a_key_is_asked_for_once_and_ends_as_it_is_at_the_vendor(
    vendors: Connected, vendor: str, name: str, act: bool
) -> None:
    _, plan = await said_yes(vendors, vendor, contacts=[WHO[vendor]])
    await spoil(vendors, vendor, name, act=act)
    found = await handed_over(vendors, plan["plan_id"])
    requests = len(await enrolled(vendors, vendor))
    again = await handed_over(vendors, plan["plan_id"]) if found.unknown else found
    settled = await settled_later(vendors, plan["plan_id"]) if found.unknown else found
    assert requests == 1
    assert found.done <= int(act), "it is said to be done, and the vendor did nothing"
    assert not (act and (found.not_done or found.waiting)), "it is said not to be done, and the vendor did it"
    assert again == found
    assert (settled.done, settled.not_done + settled.waiting) == (int(act), int(not act))
    assert len(await enrolled(vendors, vendor)) == 1


@pytest.mark.parametrize(("name", "act"), CASES, ids=[f"{name}{', acting' if act else ''}" for name, act in CASES])
async def test_a_start_at_clarky_has_one_effect_whatever_becomes_of_its_answers(
    vendors: Connected, name: str, act: bool
) -> None:
    _, plan = await said_yes(vendors, "clarky", contacts=[ZOE])
    await spoil(vendors, "clarky", name, act=act)
    found = await handed_over(vendors, plan["plan_id"])
    requests = await enrolled(vendors, "clarky")
    acted = [one for one in requests if (one["status"] or 999) < 300]
    assert requests
    assert len({one["body"]["idempotency_key"] for one in acted}) <= 1
    assert len({str(one["body"]) for one in acted}) <= 1
    assert found.done <= len(acted)
    assert not (acted and (found.not_done or found.waiting))


async def spoil(vendors: Connected, vendor: str, name: str, *, act: bool) -> None:
    """Let the next request that enrols meet a fault."""
    more, _ = SPOILT[name]
    kind = next(one for one in Fault if name.replace("the body", "body").startswith(one.value.replace("_", " ")))
    await vendors.sandbox.fault(kind.value, vendor=vendor, path=ENDS[vendor], act=act, **more)


async def handed_over(vendors: Connected, plan_id: str) -> EnrolmentTally:
    """Hand a plan over as a process of its own would; return how far it is."""
    async with vendors.app() as app:
        await enrol_at_vendor(app, plan_id=plan_id)
        return await app.vendor_runs.outcome(plan_id)


async def settled_later(vendors: Connected, plan_id: str) -> EnrolmentTally:
    """Look as check_operation does, once a request can no longer arrive."""
    vendors.clock.now += timedelta(minutes=3)
    async with vendors.app() as app:
        [unknown] = await app.operations.unknown(size=10)
        await check_operation(app, operation_id=unknown.id)
        return await app.vendor_runs.outcome(plan_id)
