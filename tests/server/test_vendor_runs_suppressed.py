"""Never contact again, for somebody whom a vendor has in a run: stopped where that can be done, else named."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.world.kept_starts import said_yes
from tests.world.vendors import INES, ZOE, Connected, rows

from sequences_mcp.ports.vendor import PreflightSnapshot
from sequences_mcp.services.enrolment import enrol_at_vendor

WHO: dict[str, Any] = {"kalent": INES, "clarky": ZOE, "topo": ZOE}
ADDRESS = {"kalent": "ines@loom.example.com", "clarky": ZOE["email"], "topo": ZOE["email"]}


NEAR_ZOE = ("oe@new.example", "zoe@new.example.org", "ew.example", "new.example.org", "z_e@new.example")


async def running(vendors: Connected, vendor: str, *, late: bool = True) -> dict[str, Any]:
    """Start one person at a vendor; ``late``: so long ago that Topo has made a run of it."""
    _, asked = await said_yes(vendors, vendor, contacts=[WHO[vendor]], go=True)
    if late and vendor != "kalent":
        vendors.sandbox.clock.now = vendors.clock.now + timedelta(minutes=10)
    sample: dict[str, Any] = asked["sample"]
    return sample


def mark(vendor: str, by: str, sample: dict[str, Any]) -> str:
    """Return the person in one of the ways in which somebody can be named."""
    ways = {"domain": ADDRESS[vendor].partition("@")[2], "id": sample["contact_id"]}
    return str(ways.get(by, ADDRESS[vendor]))


async def stops(vendors: Connected) -> list[str]:
    return [one["path"] for one in await vendors.writes() if one["path"].endswith("/stop")]


@pytest.mark.parametrize("by", ["address", "domain", "id"])
async def test_a_run_at_topo_is_stopped_once_and_named(vendors: Connected, by: str) -> None:
    sample = await running(vendors, "topo")
    async with vendors.client() as desktop:
        said = await desktop.call("suppress_contact", contact=mark("topo", by, sample), reason="asked")
        run = await desktop.call("get_sequence", sequence_id=sample["sequence_id"])
        again = await desktop.call("suppress_contact", contact=mark("topo", by, sample), reason="asked")
    assert said["at_vendors"][run["id"]] == "stopped"
    assert [(one["id"], one["status"]) for one in said["stopped"]] == [(sample["sequence_id"], "STOPPED_EARLY")]
    assert run["status"] == "STOPPED_EARLY"
    assert said["next"].startswith("Nothing more leaves")
    assert run["id"] not in again["at_vendors"]
    assert len(await stops(vendors)) == 1


@pytest.mark.parametrize("vendor", ["kalent", "clarky"])
@pytest.mark.parametrize("by", ["address", "domain", "id"])
async def test_a_run_that_no_api_can_stop_is_named_with_where_to_stop_it(
    vendors: Connected, vendor: str, by: str
) -> None:
    sample = await running(vendors, vendor, late=False)
    async with vendors.client() as desktop:
        said = await desktop.call("suppress_contact", contact=mark(vendor, by, sample), reason="asked")
        run = await desktop.call("get_sequence", sequence_id=sample["sequence_id"])
    title = vendor.capitalize()
    told = said["at_vendors"][run["id"]]
    assert told == f"not_done: it goes on. {title}'s API cannot stop it. Stop it in {title}'s own app, now."
    assert "at_vendors names each run" in said["next"]
    assert said["outcome"] == "done"
    assert not [one for one in said["stopped"] if one["id"] in (run["id"], sample["sequence_id"])]


async def test_a_run_at_kalent_is_found_by_the_candidates_own_id(vendors: Connected) -> None:
    await running(vendors, "kalent")
    async with vendors.client() as desktop:
        said = await desktop.call("suppress_contact", contact=INES, reason="asked")
    assert said["at_vendors"][INES].startswith("not_done: it goes on.")
    assert "at_vendors names each run" in said["next"]


async def test_a_run_that_is_over_at_the_vendor_is_not_named(vendors: Connected) -> None:
    await said_yes(vendors, "kalent", contacts=[INES], go=True)
    async with vendors.client() as desktop:
        vendors.sandbox.clock.now = vendors.clock.now + timedelta(days=5)
        said = await desktop.call("suppress_contact", contact=INES, reason="asked")
    assert said["at_vendors"] == {"topo": "done"}


async def test_whom_topo_has_made_no_run_of_yet_is_excluded_and_named(vendors: Connected) -> None:
    sample = await running(vendors, "topo", late=False)
    async with vendors.client() as desktop:
        said = await desktop.call("suppress_contact", contact=ZOE["email"], reason="asked")
        vendors.sandbox.clock.now = vendors.clock.now + timedelta(minutes=10)
        again = await desktop.call("suppress_contact", contact=ZOE["email"], reason="asked")
    assert said["at_vendors"]["topo"] == "done"
    assert said["at_vendors"][sample["sequence_id"]].startswith(
        "not_done: Topo shows no run yet and may begin one."
    )
    assert list(again["at_vendors"].values()) == ["done", "stopped"]


@pytest.mark.parametrize("vendor", ["kalent", "clarky", "topo"])
async def test_whoever_is_being_handed_over_just_now_is_named_too(vendors: Connected, vendor: str) -> None:
    _, plan = await said_yes(vendors, vendor, contacts=[WHO[vendor]])
    async with vendors.client() as desktop, vendors.app() as app:
        people = await app.vendor_runs.next_people(plan["plan_id"], size=100)
        taken = await app.vendor_runs.take(plan["plan_id"], [one.id for one in people], before=PreflightSnapshot())
        said = await desktop.call("suppress_contact", contact=ADDRESS[vendor], reason="asked")
    assert taken is not None
    told = said["at_vendors"][people[0].id]
    assert told.startswith("not_done: nobody knows yet whether") and taken.operation_id in told


@pytest.mark.parametrize(
    ("fault", "more", "told"),
    [
        ("status", {"status": 500, "act": True}, "unknown: OUTCOME UNKNOWN"),
        ("status", {"status": 401}, "not_done: "),
        ("reset_before_body", {}, "unknown: OUTCOME UNKNOWN"),
    ],
)
async def test_a_stop_that_fails_is_told_and_the_list_holds(
    vendors: Connected, fault: str, more: dict[str, Any], told: str
) -> None:
    sample = await running(vendors, "topo")
    async with vendors.client() as desktop:
        await vendors.sandbox.fault(fault, vendor="topo", path="*/stop", **more)
        said = await desktop.call("suppress_contact", contact=ZOE["email"], reason="asked")
        [own] = [name for name in said["at_vendors"] if name.startswith("topo:")]
        second = await desktop.call("suppress_contact", contact=ZOE["email"], reason="asked")
        run = await desktop.call("get_sequence", sequence_id=sample["sequence_id"])
    assert said["at_vendors"][own].startswith(told)
    assert "at_vendors names each run" in said["next"]
    assert rows(vendors, "SELECT value FROM suppression") == [(ZOE["email"],)]
    if told.startswith("not_done"):
        assert second["at_vendors"][own] == "stopped" and run["status"] == "STOPPED_EARLY"


async def test_a_vendor_that_is_out_of_reach_does_not_hide_a_run(vendors: Connected) -> None:
    sample = await running(vendors, "clarky", late=False)
    async with vendors.client() as desktop:
        await vendors.sandbox.fault("status", vendor="clarky", method="GET", path="*", status=401, times=9)
        said = await desktop.call("suppress_contact", contact=ZOE["email"], reason="asked")
    [own] = [name for name in said["at_vendors"] if name.startswith("clarky:")]
    assert said["at_vendors"][own].startswith("not_done: it goes on.")
    assert sample["sequence_id"] not in said["at_vendors"]


async def test_nobody_elses_run_is_stopped(vendors: Connected) -> None:
    await running(vendors, "topo")
    async with vendors.client() as desktop:
        said = [
            await desktop.call("suppress_contact", contact=one, reason="asked")
            for one in (
                "oe@new.example",
                "zoe@new.example.org",
                "ew.example",
                "new.example.org",
                "z_e@new.example",
            )
        ]
    assert await stops(vendors) == []
    assert all("stopped" not in one["at_vendors"].values() for one in said)


async def test_on_the_way_to_the_vendor_the_last_word_is_the_lists(vendors: Connected) -> None:
    _, plan = await said_yes(vendors, "topo", contacts=[ZOE])
    async with vendors.client() as desktop:
        said = await desktop.call("suppress_contact", contact=ZOE["email"], reason="asked")
        async with vendors.app() as app:
            await enrol_at_vendor(app, plan_id=plan["plan_id"])
    assert [one["status"] for one in said["stopped"]] == ["STOPPED_EARLY"]
    assert [one for one in await vendors.writes() if one["path"] == "/contact-entries"] == []
