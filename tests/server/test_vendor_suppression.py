"""Never contact again, by an id of a vendor's: it follows the person to their addresses and to Topo's list."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.world.fake_vendor import reply, serving
from tests.world.product import Desktop
from tests.world.vendors import Connected

from sequences_mcp.domain.contact import Contact
from sequences_sandbox.seeds import seed_id

WHEN = datetime(2026, 11, 21, tzinfo=UTC)
INES = "ines@loom.example.com"
PROFILE = "https://www.linkedin.com/in/ines-example"


async def person_at(desktop: Desktop, vendor: str) -> str:
    """Return the id of Ines at a vendor."""
    where = "kalent:sourcing_1" if vendor == "kalent" else vendor
    query = INES if vendor == "topo" else "Ines"
    [found] = (await desktop.call("find_contacts", provider=where, query=query))["items"]
    return str(found["id"])


async def excluded(vendors: Connected) -> list[tuple[str | None, str | None]]:
    """Return whom Topo must not import."""
    found = await vendors.sandbox.topo("GET", "/contact-exclusions")
    return [(row["email"], row["linkedin_url"]) for row in found.json()["items"]]


def on_lists(said: dict[str, Any]) -> dict[str, str]:
    """Return what a suppression says of the vendors' own lists, without the runs that it stopped."""
    return {name: told for name, told in said["at_vendors"].items() if ":" not in name}


async def is_barred(vendors: Connected, **facts: str) -> bool:
    """Say whether the own list covers somebody, wherever they appear."""
    known: dict[str, Any] = {"id": "clarky:c_elsewhere", **facts}
    async with vendors.app() as app:
        one = Contact(**known, created_at=WHEN, updated_at=WHEN)
        return bool(await app.suppressions.suppressed_among([one]))


@pytest.mark.parametrize("vendor", ["topo", "clarky", "kalent"])
async def test_an_id_of_a_vendor_holds_for_the_person_at_every_other_one(vendors: Connected, vendor: str) -> None:
    async with vendors.client() as desktop:
        own = await person_at(desktop, vendor)
        said = await desktop.call("suppress_contact", contact=own, reason="asked us to stop")
        again = await desktop.call("suppress_contact", contact=own, reason="asked again")
    assert (said["outcome"], said["kind"], said["value"]) == ("done", "contact", own)
    assert INES in said["also"] and again["already"]
    assert on_lists(said) == again["at_vendors"] == {"topo": "done"}
    assert await is_barred(vendors, email=INES) and await is_barred(vendors, id=own)
    assert not await is_barred(vendors, email="tomas@loom.example.com")
    assert (INES, None) in await excluded(vendors)
    writes = [one["path"] for one in await vendors.writes() if not one["path"].endswith("/stop")]
    assert len(writes) == len(await excluded(vendors))


async def test_a_profile_is_excluded_too_and_a_talent_is_known_by_either_id(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        await desktop.call("suppress_contact", contact="kalent:candidate_ines", reason="asked")
    assert await is_barred(vendors, id="kalent:talent_ines")
    assert sorted(await excluded(vendors), key=str) == [(INES, None), (None, PROFILE)]


async def test_a_person_of_our_own_is_followed_too(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        own = await desktop.contact(email=INES, linkedin_url=PROFILE)
        said = await desktop.call("suppress_contact", contact=own, reason="asked")
    assert said["also"] == [INES] and on_lists(said) == {"topo": "done"}
    assert await is_barred(vendors, email=INES)


async def test_a_run_of_our_own_stops_when_an_id_of_a_vendor_leads_to_it(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        people = [{"email": INES, "first_name": "Ines"}]
        blueprint = await desktop.blueprint()
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people, wait_seconds=0)
        own = await person_at(desktop, "topo")
        said = await desktop.call("suppress_contact", contact=own, reason="asked")
    assert [one["email"] for one in said["stopped"] if one["id"].startswith("local:")] == [INES]


@pytest.mark.parametrize("fault", ["reset_before_body", "html", "huge", "status"])
async def test_a_vendor_that_does_not_tell_who_it_is_keeps_nobody_off_the_list(
    vendors: Connected, fault: str
) -> None:
    more: dict[str, Any] = {"status": 401} if fault == "status" else {}
    async with vendors.client() as desktop:
        own = await person_at(desktop, "topo")
        await vendors.sandbox.fault(fault, vendor="topo", method="GET", path="/contacts/*", times=3, **more)
        said = await desktop.call("suppress_contact", contact=own, reason="asked")
    assert said["outcome"] == "done" and "also" not in said
    assert said["at_vendors"]["topo"].startswith("not_done: who this is could not be read")
    assert "by this id" in said["next"] or "another id" in said["next"]
    assert await is_barred(vendors, id=own) and await excluded(vendors) == []


async def test_an_id_of_nobody_is_on_the_list_and_said_to_be_nobodys(vendors: Connected) -> None:
    nobody = "topo:99999999-9999-4999-8999-999999999999"
    async with vendors.client() as desktop:
        said = await desktop.call("suppress_contact", contact=nobody, reason="asked")
    assert "has nothing with this id" in said["at_vendors"]["topo"]
    assert await is_barred(vendors, id=nobody)


async def test_what_a_vendor_calls_an_address_may_be_anything(vendors: Connected) -> None:
    own = seed_id("contact", "ines")
    shown = {"id": own, "email": "not an address", "linkedin_url": None}
    nobody: dict[str, Any] = {"items": [], "total_count": 0, "has_more": False}
    async with serving(reply(500), reply(200, shown), reply(200, nobody)) as topo:
        vendors.elsewhere["topo"] = topo.url
        async with vendors.client() as desktop:
            said = await desktop.call("suppress_contact", contact=f"topo:{own}", reason="asked")
        assert {one.method for one in topo.seen} == {"GET"}
    assert said["outcome"] == "done" and "also" not in said
    assert said["at_vendors"]["topo"].startswith("not_done: neither an e-mail address nor")


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_a_list_that_cannot_be_read_is_added_to_all_the_same(vendors: Connected, status: int) -> None:
    reads = [reply(500), *[reply(status, {})] * (3 if status == 500 else 1)]
    async with serving(*reads, reply(201, {"id": "x1", "email": "nina@left.example"})) as topo:
        vendors.elsewhere["topo"] = topo.url
        async with vendors.client() as desktop:
            said = await desktop.call("suppress_contact", contact="nina@left.example", reason="asked")
        writes = [one.json for one in topo.seen if one.method == "POST"]
    assert said["at_vendors"]["topo"] == "done"
    assert "not known" in said["at_vendors"]["topo runs"]  # nor could its list of runs be read
    assert [one["email"] for one in writes] == ["nina@left.example"]


@pytest.mark.parametrize("who", ["nina@left.example", "left.example"])
async def test_whom_nobody_may_contact_is_excluded_at_topo_once(vendors: Connected, who: str) -> None:
    async with vendors.client() as desktop:
        first = await desktop.call("suppress_contact", contact=who, reason="asked us to stop")
        second = await desktop.call("suppress_contact", contact=who, reason="asked again")
    assert first["at_vendors"] == second["at_vendors"] == {"topo": "done"}
    assert len(await vendors.writes()) == 1


async def test_a_vendor_that_fails_does_not_keep_anybody_off_the_own_list(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        await vendors.sandbox.fault("reset_during_body", vendor="topo", method="POST")
        said = await desktop.call("suppress_contact", contact="nina@left.example", reason="asked")
        [line] = [one for one in (await desktop.call("list_providers"))["broken"] if "suppress_contact" in one]
        settled_now = await desktop.call("check_operation", operation_id=line.split()[-1].rstrip("."))
    assert (said["outcome"], settled_now["outcome"]) == ("done", "done")
    assert said["at_vendors"]["topo"].startswith("unknown: OUTCOME UNKNOWN")
