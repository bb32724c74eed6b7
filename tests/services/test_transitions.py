"""What each tool may do in each status, and that what it may not do changes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from mcp.types import ElicitResult
from tests.world.product import GRACE, LINKEDIN, MAIL, Bureau, Desktop, mailing, tomorrow, yes

LAST = LINKEDIN["id"]


async def found(bureau: Bureau, desktop: Desktop) -> None:
    """Leave the run as it was planned."""


async def active(bureau: Bureau, desktop: Desktop) -> None:
    """Say yes to the plan."""
    await desktop.call("start_sequence", **await start(desktop))


async def paused(bureau: Bureau, desktop: Desktop) -> None:
    """Say yes, then pause."""
    await active(bureau, desktop)
    await desktop.call("pause_sequence", sequence_id=await run_of(desktop), paused_until=tomorrow())


async def waiting(bureau: Bureau, desktop: Desktop) -> None:
    """Let the e-mail leave and the task become due."""
    await active(bureau, desktop)
    bureau.work()
    bureau.forward(days=2)
    bureau.work()


async def completed(bureau: Bureau, desktop: Desktop) -> None:
    """Do the task, too."""
    await waiting(bureau, desktop)
    [task] = (await desktop.call("list_tasks"))["items"]
    await desktop.call("complete_task", task_id=task["id"], outcome="done")


async def failed(bureau: Bureau, desktop: Desktop) -> None:
    """Have the mail server refuse the address for good."""
    with mailing(bureau, {"RCPT": "550 5.1.1 no such user"}) as (connected, _):
        async with connected.client("auto", yes) as other:
            await active(connected, other)
            connected.work()


async def stopped(bureau: Bureau, desktop: Desktop) -> None:
    """Say yes, then stop."""
    await active(bureau, desktop)
    await desktop.call("stop_sequence", sequence_id=await run_of(desktop), reason="LOSE")


async def refused(bureau: Bureau, desktop: Desktop) -> None:
    """Say no to the plan."""
    async with bureau.client("auto", lambda _: ElicitResult(action="decline")) as other:
        await active(bureau, other)


Reach = Callable[[Bureau, Desktop], Awaitable[None]]
STATUSES: dict[str, Reach] = {
    "FOUND": found,
    "ACTIVE": active,
    "WAITING_FOR_LEAD": paused,
    "WAITING_FOR_USER": waiting,
    "COMPLETED": completed,
    "FAILED": failed,
    "STOPPED_EARLY": stopped,
    "REFUSED": refused,
}
CALLS: dict[str, dict[str, Any]] = {
    "pause_sequence": {"paused_until": tomorrow(9)},
    "resume_sequence": {},
    "stop_sequence": {"reason": "WIN"},
    "update_sequence": {"variables": {"firstname": "Amazing"}},
    "edit_draft": {"content": "Hi {{firstname}}, this is another text."},
    "complete_task": {"outcome": "skipped"},
}
# What may be done, and the status that follows.
ALLOWED = {
    ("FOUND", "pause_sequence"): "FOUND",
    ("FOUND", "stop_sequence"): "STOPPED_EARLY",
    ("FOUND", "update_sequence"): "FOUND",
    ("FOUND", "edit_draft"): "FOUND",
    ("ACTIVE", "pause_sequence"): "WAITING_FOR_LEAD",
    ("ACTIVE", "stop_sequence"): "STOPPED_EARLY",
    ("ACTIVE", "update_sequence"): "WAITING_FOR_USER",
    ("ACTIVE", "edit_draft"): "ACTIVE",
    ("WAITING_FOR_LEAD", "pause_sequence"): "WAITING_FOR_LEAD",
    ("WAITING_FOR_LEAD", "resume_sequence"): "ACTIVE",
    ("WAITING_FOR_LEAD", "stop_sequence"): "STOPPED_EARLY",
    ("WAITING_FOR_LEAD", "update_sequence"): "WAITING_FOR_LEAD",
    ("WAITING_FOR_LEAD", "edit_draft"): "WAITING_FOR_LEAD",
    ("WAITING_FOR_USER", "pause_sequence"): "WAITING_FOR_LEAD",
    ("WAITING_FOR_USER", "stop_sequence"): "STOPPED_EARLY",
    ("WAITING_FOR_USER", "update_sequence"): "WAITING_FOR_USER",
    ("WAITING_FOR_USER", "complete_task"): "COMPLETED",
}


async def start(desktop: Desktop) -> dict[str, Any]:
    """Return the arguments of the one start of these tests."""
    [blueprint] = (await desktop.call("list_blueprints"))["items"]
    return {"blueprint_id": blueprint["id"], "contacts": [GRACE], "idempotency_key": "again"}


async def run_of(desktop: Desktop) -> str:
    """Return the newest run's id."""
    runs = (await desktop.call("list_sequences", sort_by="created_at", sort_order="desc"))["items"]
    return str(runs[0]["id"])


async def arguments_of(bureau: Bureau, tool: str, run: str) -> dict[str, Any]:
    """Return the arguments of a call about a run: its id, or that of its last step as a draft or a task."""
    sql = "SELECT key FROM step_run JOIN sequence ON sequence.no = sequence_no WHERE id = ? ORDER BY step DESC"
    (key,), *_ = bureau.rows(sql, run)
    ids = {"edit_draft": {"draft_id": f"local:draft_{key}"}, "complete_task": {"task_id": f"local:task_{key}"}}
    return {**ids.get(tool, {"sequence_id": run}), **CALLS[tool]}


async def reached(bureau: Bureau, desktop: Desktop, status: str) -> str:
    """Bring one run into a status and return its id."""
    await desktop.blueprint(MAIL, LINKEDIN)
    if status == "FOUND":
        async with bureau.client("auto") as other:
            await active(bureau, other)
    await STATUSES[status](bureau, desktop)
    run = await run_of(desktop)
    assert (await desktop.call("get_sequence", sequence_id=run))["status"] == status
    return run


@pytest.mark.parametrize(("status", "tool"), ALLOWED)
async def test_what_a_status_allows_is_done(bureau: Bureau, status: str, tool: str) -> None:
    async with bureau.client("auto", yes) as desktop:
        run = await reached(bureau, desktop, status)
        result = await desktop.call(tool, **await arguments_of(bureau, tool, run))
        assert result["outcome"] in ("done", "waiting_for_approval")
        seen = await desktop.call("get_sequence", sequence_id=run)
    assert seen["status"] == ALLOWED[status, tool]


@pytest.mark.parametrize("status", STATUSES)
async def test_what_a_status_forbids_is_refused_with_the_moves_that_are_left(bureau: Bureau, status: str) -> None:
    async with bureau.client("auto", yes) as desktop:
        run = await reached(bureau, desktop, status)
        before = await desktop.call("get_sequence", sequence_id=run)
        moves = {tool for state, tool in ALLOWED if state == status}
        for tool in set(CALLS) - moves:
            error = await desktop.refused(tool, **await arguments_of(bureau, tool, run))
            assert error["code"] == "conflict", tool
            assert status in error["message"] or error["message"].startswith("This text is"), tool
            assert moves <= set(error.get("legal_moves", moves)) | {"edit_draft"}, tool
        assert await desktop.call("get_sequence", sequence_id=run) == before


async def test_every_tool_that_changes_a_run_is_tried_in_every_status() -> None:
    assert {tool for _, tool in ALLOWED} == set(CALLS)
    assert {status for status, _ in ALLOWED} < set(STATUSES)
