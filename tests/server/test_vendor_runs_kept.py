"""A run that a vendor has is moved by nothing that moves a run of our own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.world.kept_starts import said_yes
from tests.world.product import tomorrow
from tests.world.stores import open_store
from tests.world.vendors import VENDORS, Connected, rows, tampered

from sequences_mcp.bootstrap import open_worker
from sequences_mcp.domain.actors import Actor
from sequences_mcp.errors import SequencesError
from sequences_mcp.settings import read_settings

TOOLS: dict[str, dict[str, Any]] = {
    "pause_sequence": {"paused_until": tomorrow(9)},
    "resume_sequence": {},
    "stop_sequence": {"reason": "WIN", "scope": "COMPANY"},
    "update_sequence": {"variables": {"firstname": "Z"}},
}


@pytest.mark.parametrize("status", ["FOUND", "ACTIVE", "WAITING_FOR_USER", "WAITING_FOR_LEAD", "COMPLETED"])
@pytest.mark.parametrize("vendor", VENDORS)
async def test_no_local_way_moves_a_run_that_a_vendor_has(vendors: Connected, vendor: str, status: str) -> None:
    vendors.sandbox.clock.now = vendors.clock.now
    _, plan = await said_yes(vendors, vendor, go=True)
    async with vendors.client() as desktop:
        kept(vendors, status)
        before = rows(vendors, "SELECT * FROM sequence ORDER BY no")
        steps = rows(vendors, "SELECT key, state FROM step_run ORDER BY no")
        for run in rows(vendors, "SELECT id FROM sequence"):
            for tool, arguments in TOOLS.items():
                error = await desktop.refused(tool, sequence_id=run[0], **arguments)
                assert error["code"] in ("conflict", "not_supported", "not_found"), error
        for key, _ in steps:
            await desktop.refused(
                "edit_draft", draft_id=f"local:draft_{key}", content="Hi {{firstname}}, other words."
            )
            await desktop.refused("complete_task", task_id=f"local:task_{key}", outcome="done")
        vendors.clock.now += timedelta(days=3)
        await desktop.call("list_reviews")
        async with vendors.app() as app:
            for undo in (app.plans.renew_plan(plan["plan_id"]), refused(app, plan["plan_id"])):
                with pytest.raises(SequencesError):
                    await undo
    with open_worker(read_settings(vendors.environ), clock=vendors.clock) as worker:
        assert worker.run_due() == 0
    assert rows(vendors, "SELECT * FROM sequence ORDER BY no") == before
    assert rows(vendors, "SELECT key, state FROM step_run ORDER BY no") == steps
    with open_store(vendors.folder, now=vendors.clock()) as store:
        assert store.audit.verify() is None


def refused(app: Any, plan_id: str) -> Any:
    """Say no to a plan that was said yes to."""
    return app.plans.refuse_plan(plan_id, reason="no", actor=Actor("ada"))


def kept(vendors: Connected, status: str) -> None:
    """Write down what a vendor has told of its runs."""
    remote = "coalesce(remote_id, provider || ':' || no)"
    tampered(vendors, f"UPDATE sequence SET status = '{status}', reason = NULL, remote_id = {remote}")
