"""What a vendor is given of a person: addresses as a mail server gets them, numbers in E.164 alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.server.test_vendor_saving import PARKED
from tests.server.test_vendor_suppression import excluded
from tests.world.kept_starts import asked_for
from tests.world.vendors import VENDORS, Connected, approve, enrolled, start_at

EVA = {"email": "Eva@Straße.example.com", "first_name": "Eva", "company": "New"}
TEXT = "Eva@straße.example.com"
WIRE = "Eva@xn--strae-oqa.example.com"
UPPER = WIRE.upper()
SPELLINGS = [TEXT, WIRE, UPPER, f"\u200b{TEXT}\ufeff", f"\u00a0 {TEXT}\u00ad", "EVA@STRAẞE.example.com"]


def given(request: dict[str, Any]) -> str:
    """Return a request's body as one text."""
    return json.dumps(request["body"], ensure_ascii=False)


@pytest.mark.parametrize("vendor", ["clarky", "topo"])
async def test_an_address_goes_to_a_vendor_with_its_domain_in_ascii_as_it_was_shown(
    vendors: Connected, vendor: str
) -> None:
    _, asked = await asked_for(vendors, vendor, contacts=[EVA])
    plan = await approve(vendors, asked)
    assert asked["sample"]["handover"]["email"] == WIRE
    [request] = await enrolled(vendors, vendor)
    assert WIRE in given(request) and "ß" not in given(request)
    assert plan.digest == asked["digest"]


@pytest.mark.parametrize("vendor", ["clarky", "topo"])
async def test_a_number_with_an_extension_is_given_to_no_vendor_and_the_person_reads_that(
    vendors: Connected, vendor: str
) -> None:
    async with vendors.client() as desktop:
        one = {**EVA, "phone": "+33 1 42 68 53 00 ext. 12"}
        asked = await (await start_at(vendor, desktop, contacts=[one])).ask(desktop)
        await approve(vendors, asked)
    assert "phone" not in asked["sample"]["handover"]
    assert "+33142685300;ext=12 is not given to the vendor" in json.dumps(asked)
    [request] = await enrolled(vendors, vendor)
    assert "142685300" not in given(request)


async def test_whoever_has_but_a_number_with_an_extension_is_out_of_reach_at_clarky(
    vendors: Connected,
) -> None:
    async with vendors.client() as desktop:
        one = {"first_name": "Eva", "phone": "+33142685300;ext=12"}
        start = await start_at("clarky", desktop, contacts=[one])
        told = await start.told(desktop)
    assert "without an extension" in json.dumps(told)
    assert await enrolled(vendors, "clarky") == []


@pytest.mark.parametrize("spelling", SPELLINGS, ids=ascii)
@pytest.mark.parametrize("vendor", ["clarky", "topo"])
async def test_who_is_suppressed_in_one_spelling_is_enrolled_in_none(
    vendors: Connected, vendor: str, spelling: str
) -> None:
    start, asked = await asked_for(vendors, vendor, contacts=[{**EVA, "email": WIRE}])
    async with vendors.client() as desktop:
        await desktop.call("suppress_contact", contact=spelling, reason="asked")
        again = await start.told(desktop)
        try:
            await approve(vendors, asked)
        except Exception as error:  # noqa: BLE001 - whichever way it is refused
            assert type(error).__module__.startswith("sequences_mcp")
        saved = await desktop.raw("save_contacts", contacts=[{"email": TEXT}], provider=PARKED)
    assert "suppressed" in json.dumps(again)
    assert saved.is_error
    assert await enrolled(vendors, vendor) == []
    assert {(WIRE.lower(), None), (TEXT.lower(), None)} <= set(await excluded(vendors))


@pytest.mark.parametrize("vendor", ["clarky", "topo", "kalent"])
async def test_a_start_at_a_vendor_names_every_row_that_it_cannot_take(vendors: Connected, vendor: str) -> None:
    async with vendors.client() as desktop:
        start = await start_at(vendor, desktop, contacts=[{"id": f"{one}:nobody"} for one in VENDORS])
        told = await desktop.refused("start_sequence", blueprint_id=start.blueprint_id, contacts=start.contacts)
        own = [
            {**EVA, "variables": {"firstname": "Eve"}},
            "a@b.example",
            {"email": "c@b.example", "texts": {"x": "y"}},
        ]
        texts = await desktop.refused("start_sequence", blueprint_id=start.blueprint_id, contacts=own)
    assert {one["position"] for one in told["problems"]} >= {
        n for n, one in enumerate(VENDORS, 1) if one != vendor
    }
    assert [one["position"] for one in texts["problems"]] == [1, 3]
