"""Erasing somebody whom a vendor has: what runs is stopped first, and what the vendor keeps is told."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.server.test_vendor_runs_suppressed import ADDRESS, WHO, running, stops
from tests.world.kept_starts import said_yes
from tests.world.product import yes
from tests.world.stores import kept_state, served_rows
from tests.world.vendors import ALI, ENDS, VENDORS, ZOE, Connected

from sequences_mcp.errors import SequencesError
from sequences_mcp.services.enrolment import enrol_at_vendor

TITLES = {"kalent": "Kalent", "clarky": "Clarky"}


def kept_words(vendors: Connected, *words: str) -> list[str]:
    """Return which of these words stand where: in files of the data folder, and in a database on a server."""
    files = [
        f"{path.name}: {word}"
        for path in vendors.folder.rglob("*")
        if path.is_file()
        for word in words
        if word.encode() in path.read_bytes()
    ]
    served = [f"{table}: {word}" for table, row in served_rows(vendors.folder) for word in words if word in row]
    return files + served


async def test_a_run_at_a_vendor_is_stopped_before_its_person_is_erased_and_what_stays_there_is_told(
    vendors: Connected,
) -> None:
    sample = await running(vendors, "topo")
    async with vendors.client() as desktop:
        run = await desktop.call("get_sequence", sequence_id=sample["sequence_id"])
    async with vendors.client(answer=yes) as desktop:
        done = await desktop.call("erase_contact", contact=ADDRESS["topo"])
    assert len(await stops(vendors)) == 1
    told: dict[str, Any] = done["at_vendors"]
    assert run["id"] in told["Topo"]
    assert "Topo's own app" in told["Topo"]
    assert kept_words(vendors, ADDRESS["topo"], run["id"]) == []


@pytest.mark.parametrize("vendor", ["kalent", "clarky"])
async def test_nobody_is_erased_whom_a_vendor_still_writes_to_and_cannot_be_made_to_stop(
    vendors: Connected, vendor: str
) -> None:
    await running(vendors, vendor, late=False)
    async with vendors.client(answer=yes) as desktop:
        refused = await desktop.refused("erase_contact", contact=ADDRESS[vendor])
        assert (await desktop.call("find_contacts", query=ADDRESS[vendor]))["total_count"] == 1
    assert refused["code"] == "conflict"
    assert "could not be stopped" in refused["message"]
    assert "review resolve" in refused["next"]
    assert TITLES[vendor] in json.dumps(refused)


async def test_whom_a_vendor_tells_of_again_after_they_were_erased_is_not_kept(vendors: Connected) -> None:
    await running(vendors, "topo")
    async with vendors.client(answer=yes) as desktop:
        await desktop.call("erase_contact", contact=ADDRESS["topo"])
        await desktop.call("list_sequences", provider="topo")
        await desktop.call("find_contacts", provider="topo", query=ADDRESS["topo"])
    assert kept_words(vendors, ADDRESS["topo"]) == []


async def test_a_run_that_a_database_put_back_has_as_going_at_a_vendor_is_over_and_erased_again(
    vendors: Connected, tmp_path: Path
) -> None:
    sample = await running(vendors, "topo")
    async with vendors.client() as desktop:
        run = await desktop.call("get_sequence", sequence_id=sample["sequence_id"])
    put_older_back = kept_state(vendors.folder, tmp_path, now=vendors.clock())
    async with vendors.client(answer=yes) as desktop:
        await desktop.call("erase_contact", contact=ADDRESS["topo"])
    put_older_back()
    assert kept_words(vendors, ADDRESS["topo"], run["id"]), "the marks have to be there before it is opened"
    async with vendors.client() as desktop:
        assert kept_words(vendors, ADDRESS["topo"], run["id"]) == []
        again = await desktop.call("get_sequence", sequence_id=sample["sequence_id"])
        assert again["status"] == "STOPPED_EARLY"
        await desktop.call("list_sequences", provider="topo")
        await desktop.call("find_contacts", provider="topo", query=ADDRESS["topo"])
        assert "erased" in (await desktop.refused("save_contacts", contacts=[ZOE]))["message"]
    assert kept_words(vendors, ADDRESS["topo"]) == []
    assert len(await stops(vendors)) == 1, "the vendor was told once, when they were erased"


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_start_at_a_vendor_that_a_database_put_back_has_as_approved_leaves_nobody_erased_there(
    vendors: Connected, tmp_path: Path, vendor: str
) -> None:
    _, plan = await said_yes(vendors, vendor, contacts=[WHO[vendor]])
    put_older_back = kept_state(vendors.folder, tmp_path, now=vendors.clock())
    async with vendors.client(answer=yes) as desktop:
        await desktop.call("erase_contact", contact=ADDRESS[vendor])
    put_older_back()
    assert kept_words(vendors, ADDRESS[vendor]), "the marks have to be there before it is opened"
    before = await vendors.writes()
    async with vendors.app() as app:
        assert kept_words(vendors, ADDRESS[vendor]) == []
        with suppress(SequencesError):  # nobody is left in it, so that there may be nothing to hand over
            await enrol_at_vendor(app, plan_id=plan["plan_id"])
        assert app.records.engine.store.audit.verify() is None
    assert await vendors.writes() == before
    assert kept_words(vendors, ADDRESS[vendor]) == []


@pytest.mark.parametrize("others", [[], [ALI]], ids=["alone", "with somebody else"])
async def test_a_request_that_a_database_put_back_has_as_unknown_stays_so_for_others_alone(
    vendors: Connected, tmp_path: Path, others: list[dict[str, str]]
) -> None:
    _, plan = await said_yes(vendors, "topo", contacts=[ZOE, *others])
    await vendors.sandbox.fault("status", vendor="topo", path=ENDS["topo"], status=504, act=False)
    async with vendors.app() as app:
        await enrol_at_vendor(app, plan_id=plan["plan_id"])
    [(operation_id,)] = vendors.rows("SELECT id FROM vendor_operation WHERE state = 'unknown'")
    put_older_back = kept_state(vendors.folder, tmp_path, now=vendors.clock())
    vendors.clock.now += timedelta(minutes=10)
    async with vendors.client(answer=yes) as desktop:
        settled = await desktop.call("check_operation", operation_id=operation_id)
        assert settled["outcome"] == "not_done"
        await desktop.call("erase_contact", contact=ZOE["email"])
    put_older_back()
    assert kept_words(vendors, ZOE["email"]), "the marks have to be there before it is opened"
    async with vendors.app() as app:
        assert kept_words(vendors, ZOE["email"]) == []
        still = vendors.rows("SELECT id FROM vendor_operation WHERE state IN ('begun', 'unknown')")
        assert still == [(operation_id,)] * len(others)
        assert app.records.engine.store.audit.verify() is None
