"""Erasing somebody whom a vendor has: what runs is stopped first, and what the vendor keeps is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.server.test_vendor_runs_suppressed import ADDRESS, running, stops
from tests.world.product import yes
from tests.world.vendors import Connected

TITLES = {"kalent": "Kalent", "clarky": "Clarky"}


def files_with(vendors: Connected, *words: str) -> list[str]:
    """Return the files of the data folder that hold one of these words."""
    return [
        f"{path.name}: {word}"
        for path in vendors.folder.rglob("*")
        if path.is_file()
        for word in words
        if word.encode() in path.read_bytes()
    ]


async def test_a_run_at_a_vendor_is_stopped_before_its_person_is_erased_and_what_stays_there_is_told(
    vendors: Connected,
) -> None:
    async with vendors.client() as desktop:
        sample = await running(vendors, desktop, "topo")
        run = await desktop.call("get_sequence", sequence_id=sample["sequence_id"])
    async with vendors.client(answer=yes) as desktop:
        done = await desktop.call("erase_contact", contact=ADDRESS["topo"])
    assert len(await stops(vendors)) == 1
    told: dict[str, Any] = done["at_vendors"]
    assert run["id"] in told["Topo"]
    assert "Topo's own app" in told["Topo"]
    assert files_with(vendors, ADDRESS["topo"], run["id"]) == []


@pytest.mark.parametrize("vendor", ["kalent", "clarky"])
async def test_nobody_is_erased_whom_a_vendor_still_writes_to_and_cannot_be_made_to_stop(
    vendors: Connected, vendor: str
) -> None:
    async with vendors.client() as desktop:
        await running(vendors, desktop, vendor, late=False)
    async with vendors.client(answer=yes) as desktop:
        refused = await desktop.refused("erase_contact", contact=ADDRESS[vendor])
        assert (await desktop.call("find_contacts", query=ADDRESS[vendor]))["total_count"] == 1
    assert refused["code"] == "conflict"
    assert "could not be stopped" in refused["message"]
    assert "review resolve" in refused["next"]
    assert TITLES[vendor] in json.dumps(refused)


async def test_whom_a_vendor_tells_of_again_after_they_were_erased_is_not_kept(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        await running(vendors, desktop, "topo")
    async with vendors.client(answer=yes) as desktop:
        await desktop.call("erase_contact", contact=ADDRESS["topo"])
        await desktop.call("list_sequences", provider="topo")
        await desktop.call("find_contacts", provider="topo", query=ADDRESS["topo"])
    assert files_with(vendors, ADDRESS["topo"]) == []
