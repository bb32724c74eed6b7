"""Every write tool against the 24 faults: the right outcome, and not one second request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.sandbox.sandbox_client import Server
from tests.server.open_server import MAIL, Desktop, text_of, tomorrow
from tests.server.vendor_world import Connected, connected
from vendor_faults import THE_24, UNKNOWN, VendorFault

RUN = "topo:11111111-1111-4111-8111-111111111111"
WRITES: dict[str, dict[str, Any]] = {
    "pause_sequence": {"sequence_id": RUN, "paused_until": tomorrow(30)},
    "resume_sequence": {"sequence_id": RUN},
    "stop_sequence": {"sequence_id": RUN, "reason": "WIN"},
    "update_sequence": {"sequence_id": RUN, "variables": {"opener": "Hello"}},
    "create_blueprint": {"name": "Engineers", "steps": [MAIL], "provider": "kalent:sourcing_1"},
    "update_blueprint": {"expected_version": 1, "name": "Others"},
}


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    with Server().running() as one:
        yield one


@pytest_asyncio.fixture
async def vendors(tmp_path: Path, served: Server) -> AsyncIterator[Connected]:
    async with connected(tmp_path / "data", served) as world:
        yield world


@pytest.mark.parametrize("fault", THE_24, ids=lambda fault: fault.name)
@pytest.mark.parametrize("tool", WRITES)
async def test_a_fault_ends_in_the_right_outcome_and_one_request(
    vendors: Connected, tool: str, fault: VendorFault
) -> None:
    arguments = dict(WRITES[tool])
    if tool == "update_blueprint":
        arguments["blueprint_id"] = await blueprint_at_kalent(vendors)
    async with fault.scene() as faulty:
        away = replace(vendors, timing=fault.timing, elsewhere=dict.fromkeys(("kalent", "topo"), faulty.url))
        async with away.client() as desktop:
            first = await facts_of(desktop, tool, arguments)
            requests = len(faulty.seen)
            second = await facts_of(desktop, tool, arguments) if fault.outcome == UNKNOWN else None
    assert first["code"] in fault.codes, first
    assert first["outcome"] == UNKNOWN if fault.outcome == UNKNOWN else first["outcome"] in ("not_done", "refused")
    assert requests == 1 if fault.name.isdigit() else requests <= 1
    if second is not None:
        assert (second["code"], second["operation_id"]) == ("conflict", first["operation_id"])
        assert len(faulty.seen) == requests


async def facts_of(desktop: Desktop, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    result = await desktop.raw(tool, **arguments)
    assert result.is_error, text_of(result)
    facts: dict[str, Any] = next(iter((result.meta or {}).values()))
    return facts


async def blueprint_at_kalent(vendors: Connected) -> str:
    async with vendors.client() as desktop:
        made = await desktop.call("create_blueprint", **WRITES["create_blueprint"])
    return str(made["blueprint_id"])
