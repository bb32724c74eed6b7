"""Write tools against the faults: the right outcome, and not one second write.

Which outcome and code each write has after each of the 30 faults is asked in ``test_vendor_faults``. Here one tool
of each vendor meets all of them, and every other a fault of each kind.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.vendors.vendor_faults import FURTHER, KINDS, THE_24, UNKNOWN, VendorFault
from tests.vendors.vendor_front import front
from tests.world.fake_vendor import FakeVendor
from tests.world.product import MAIL, Desktop, text_of, tomorrow
from tests.world.vendors import Connected, Server, connected

from sequences_sandbox.seeds import UNPLACED_TALENT, seed_id
from sequences_sandbox.serve import PATHS

RUN = "topo:11111111-1111-4111-8111-111111111111"
PARKED = f"topo:{seed_id('list', 'Parked')}"
WRITES: dict[str, tuple[str, dict[str, Any]]] = {
    "pause": ("pause_sequence", {"sequence_id": RUN, "paused_until": tomorrow(30)}),
    "resume": ("resume_sequence", {"sequence_id": RUN}),
    "stop": ("stop_sequence", {"sequence_id": RUN, "reason": "WIN"}),
    "blueprint": ("create_blueprint", {"name": "Engineers", "steps": [MAIL], "provider": "kalent:sourcing_1"}),
    "change": ("update_blueprint", {"expected_version": 1, "name": "Others"}),
    "skip": ("complete_task", {"task_id": RUN, "outcome": "skipped"}),
    "list": ("save_contacts", {"contacts": [{"email": "nina@left.example"}], "provider": PARKED}),
    "talent": (
        "save_contacts",
        {"contacts": [{"id": f"kalent:{UNPLACED_TALENT}"}], "provider": "kalent:sourcing_1"},
    ),
}
FAULTS = (*THE_24, *FURTHER)
OF_ALL = ("stop", "blueprint")  # one of Topo, one of Kalent
CASES = [(write, fault) for write in WRITES for fault in (FAULTS if write in OF_ALL else KINDS)]
UNREACHED = ("DNS failure", "refused", "connect timeout", "bad certificate")


@pytest_asyncio.fixture
async def vendors(tmp_path: Path, served: Server) -> AsyncIterator[Connected]:
    async with connected(tmp_path / "data", served) as world:
        yield world


@asynccontextmanager
async def faulted(vendors: Connected, fault: VendorFault) -> AsyncIterator[tuple[Connected, FakeVendor]]:
    """Let every write meet the fault; reads reach the sandbox, where the fault is not about reaching anybody."""
    async with fault.scene() as faulty:
        if fault.name in UNREACHED:
            yield replace(vendors, timing=fault.timing, elsewhere=dict.fromkeys(PATHS, faulty.url)), faulty
            return
        async with front(vendors.origin, faulty.url) as url:
            elsewhere = {vendor: url + path for vendor, path in PATHS.items()}
            yield replace(vendors, timing=fault.timing, elsewhere=elsewhere), faulty


@pytest.mark.parametrize(("write", "fault"), CASES, ids=lambda one: getattr(one, "name", one))
async def test_a_fault_ends_in_the_right_outcome_and_one_write(
    vendors: Connected, write: str, fault: VendorFault
) -> None:
    tool, arguments = WRITES[write]
    if tool == "update_blueprint":
        arguments = {**arguments, "blueprint_id": await blueprint_at_kalent(vendors)}
    async with faulted(vendors, fault) as (away, faulty), away.client() as desktop:
        first = await facts_of(desktop, tool, arguments)
        writes = len(faulty.seen)
        other = {**arguments, "name": "Yet others"} if tool == "update_blueprint" else arguments
        second = await facts_of(desktop, tool, other) if fault.outcome == UNKNOWN else None
    assert first["code"] in fault.codes, first
    assert first["outcome"] == UNKNOWN if fault.outcome == UNKNOWN else first["outcome"] in ("not_done", "refused")
    assert first["sent"] == ("unknown" if fault.outcome == UNKNOWN else "nothing")
    assert writes == 1 if fault.name.isdigit() else writes <= 1
    if second is not None:
        assert (second["code"], second["operation_id"]) == ("conflict", first["operation_id"])
        assert len(faulty.seen) == writes


@pytest.mark.parametrize("fault", KINDS, ids=lambda fault: fault.name)
async def test_a_fault_keeps_nobody_off_the_own_list_and_is_told(vendors: Connected, fault: VendorFault) -> None:
    who = {"contact": "nina@left.example", "reason": "asked"}
    async with faulted(vendors, fault) as (away, faulty), away.client() as desktop:
        said = await desktop.call("suppress_contact", **who)
        writes = len(faulty.seen)
        again = await desktop.call("suppress_contact", **who)
        second_writes = len(faulty.seen) - writes
    told = said["at_vendors"]["topo"].partition(":")[0]
    assert said["outcome"] == again["outcome"] == "done" and again["already"]
    assert told == UNKNOWN if fault.outcome == UNKNOWN else told in ("not_done", "refused")
    assert writes <= 1
    if fault.outcome == UNKNOWN:
        assert second_writes == 0 and again["at_vendors"]["topo"].startswith("refused: An earlier")


async def facts_of(desktop: Desktop, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    result = await desktop.raw(tool, **arguments)
    assert result.is_error, text_of(result)
    facts: dict[str, Any] = next(iter((result.meta or {}).values()))
    return facts


async def blueprint_at_kalent(vendors: Connected) -> str:
    async with vendors.client() as desktop:
        made = await desktop.call("create_blueprint", **WRITES["blueprint"][1])
    return str(made["blueprint_id"])
