"""A database that is put back after a start was handed over to a vendor hands nobody over again."""

from __future__ import annotations

import shutil

import pytest
from tests.world.kept_starts import said_yes
from tests.world.stores import of_a_file
from tests.world.vendors import VENDORS, Connected, enrolled, rows, statuses

from sequences_mcp.services.enrolment import enrol_at_vendor

DATABASE = "sequences.db"


@of_a_file
@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_start_that_left_after_the_copy_was_made_is_unknown_and_is_not_made_again(
    vendors: Connected, vendor: str
) -> None:
    _, plan = await said_yes(vendors, vendor)
    shutil.copy(vendors.folder / DATABASE, vendors.folder.parent / "kept.db")
    async with vendors.app() as app:
        await enrol_at_vendor(app, plan_id=plan["plan_id"])
    before = len(await enrolled(vendors, vendor))
    assert before
    (vendors.folder / DATABASE).write_bytes((vendors.folder.parent / "kept.db").read_bytes())
    async with vendors.app() as app:
        await enrol_at_vendor(app, plan_id=plan["plan_id"])
        assert len(await enrolled(vendors, vendor)) == before
        assert "database_older" in {one.code for one in app.troubles()}
    assert "WAITING_FOR_USER" in statuses(vendors)
    states = rows(vendors, "SELECT state FROM vendor_operation WHERE tool = 'start_sequence'")
    assert states
    async with vendors.client() as desktop:
        told = (await desktop.call("list_providers"))["broken"]
        operation = next(line for line in told if "start_sequence" in line).split()[-1].rstrip(".")
        found = await desktop.call("check_operation", operation_id=operation)
    assert found["outcome"] in ("done", "unknown")
    assert len(await enrolled(vendors, vendor)) == before
