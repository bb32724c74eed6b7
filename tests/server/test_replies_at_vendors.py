"""What vendors tell of replies stands in the same list, with what each does not tell."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.server.test_vendor_by_hand import INES
from tests.server.test_vendor_run_lists import later, listed, under_way
from tests.world.vendors import Connected

from sequences_sandbox.world import VendorName


async def test_topo_tells_who_replied_and_when_and_where_the_words_are(vendors: Connected) -> None:
    await vendors.sandbox.happen("topo", "replied", INES)
    async with vendors.client() as desktop:
        told = await desktop.call("list_replies", provider="topo")
        [row] = told["items"]
        assert (row["kind"], row["sequence_id"]) == ("reply", f"topo:{INES}")
        assert row["at"] and row["name"] and "text" not in row
        assert row["effect"].endswith(" there")
        assert "The words are in list_tasks" in told["note"]
        assert "read_up_to" not in told
        of_run = await desktop.call("list_replies", sequence_id=f"topo:{INES}")
        assert [one["id"] for one in of_run["items"]] == [row["id"]]
        assert len((await desktop.call("list_replies", provider="topo", contact=row["name"]))["items"]) == 1
        assert (await desktop.call("list_replies", provider="topo", contact="nobody"))["items"] == []
        since = (vendors.clock.now + timedelta(days=1)).isoformat()
        assert (await desktop.call("list_replies", provider="topo", since=since))["items"] == []
        refused = await desktop.refused("draft_reply", reply_id=row["id"], content="Yes")
        assert (refused["code"], "Topo" in refused["next"]) == ("not_supported", True)


@pytest.mark.parametrize("vendor", ["clarky", "kalent"])
async def test_a_vendor_that_tells_a_status_alone_is_shown_with_what_it_does_not_tell(
    vendors: Connected, vendor: VendorName
) -> None:
    await under_way(vendors, vendor)
    async with vendors.client() as desktop:
        later(vendors, hours=1)
        runs = [one["id"] for one in (await listed(desktop, vendor))["items"]]
        assert (await desktop.call("list_replies", provider=vendor))["items"] == []
        if vendor == "clarky":
            (await vendors.sandbox.happen(vendor, "approved", runs[0].partition(":")[2])).raise_for_status()
        (await vendors.sandbox.happen(vendor, "replied", runs[0].partition(":")[2])).raise_for_status()
        told = await desktop.call("list_replies", provider=vendor)
        assert [(one["sequence_id"], one["kind"]) for one in told["items"]] == [(runs[0], "reply")]
        assert f"{vendor.capitalize()} tells only that somebody replied" in told["note"]
        of_run = await desktop.call("list_replies", sequence_id=runs[0])
        assert len(of_run["items"]) == 1
        assert (await desktop.call("list_replies", sequence_id=runs[1]))["items"] == []


@pytest.mark.parametrize("vendor", ["topo", "clarky", "kalent"])
async def test_what_a_vendor_does_not_tell_is_an_empty_list_that_says_so(
    vendors: Connected, vendor: VendorName
) -> None:
    async with vendors.client() as desktop:
        for wanted in ({"kind": "bounce"}, {"needs_person": True}):
            told = await desktop.call("list_replies", provider=vendor, **wanted)
            assert (told["items"], told["total_count"]) == ([], 0)
            assert "bounces" in told["note"]
