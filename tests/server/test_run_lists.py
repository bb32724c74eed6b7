"""What lists of runs say: counts first, filters, dates, and nothing of somebody who is paused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.world.product import GRACE, LINKEDIN, LINUS, MAIL, Desktop, World, people, tomorrow, yes

from sequences_mcp.bootstrap import open_worker

TASK_FIRST = {name: value for name, value in LINKEDIN.items() if name != "delay"} | {"temporalityType": "ASAP"}


async def started(desktop: Desktop, blueprint: str, *contacts: dict[str, Any]) -> dict[str, Any]:
    return await desktop.call("start_sequence", blueprint_id=blueprint, contacts=list(contacts))


async def listed(desktop: Desktop, **filters: Any) -> list[str]:
    return [row["email"] for row in (await desktop.call("list_sequences", **filters))["items"]]


def worked(world: World) -> None:
    with open_worker(world.settings, clock=world.clock) as worker:
        while worker.run_due():
            pass


async def test_a_list_counts_by_status_whatever_its_page_and_status_filter(world: World) -> None:
    async with world.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint()
        run = (await started(desktop, blueprint, *people(3)))["sample"]["sequence_id"]
        await desktop.call("stop_sequence", sequence_id=run, reason="WIN")
        every = await desktop.call("list_sequences", size=1)
        ended = await desktop.call("list_sequences", status="STOPPED_EARLY")
        far = await desktop.call("list_sequences", page=9)
    assert every["counts"] == ended["counts"] == far["counts"] == {"ACTIVE": 2, "STOPPED_EARLY": 1}
    assert (every["total_count"], ended["total_count"], far["total_count"]) == (3, 1, 3)
    assert ended["items"][0]["stop_reason"] == "WIN"
    assert far["note"] == "There is no page 9: the last is 1." and "note" not in every


async def test_runs_are_found_by_person_and_company(world: World) -> None:
    async with world.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint()
        grace = {**GRACE, "company": "Eckert & Mauchly 100%"}
        await started(desktop, blueprint, grace, LINUS)
        own = (await desktop.call("find_contacts", query="grace"))["items"][0]["id"]
        for contact in (own, "Grace", "hopper", "grace@HOPPER.example"):
            assert await listed(desktop, contact=contact) == [GRACE["email"]]
        for company in ("mauchly 100%", "HOPPER.example", "Eckert & Mauchly 100%"):
            assert await listed(desktop, company=company) == [GRACE["email"]]
        assert await listed(desktop, company="100_") == await listed(desktop, contact="100_") == []
        counts = (await desktop.call("list_sequences", contact="torvalds"))["counts"]
    assert counts == {"ACTIVE": 1}


async def test_runs_are_found_by_what_they_wait_for(world: World) -> None:
    async with world.client("auto", yes) as desktop:
        await started(desktop, await desktop.blueprint(), GRACE)
        await started(desktop, await desktop.blueprint(TASK_FIRST), LINUS)
    async with world.client("auto") as desktop:  # nobody answers here
        world.changes["elicitation"] = False
        await started(desktop, await desktop.blueprint(), {**GRACE, "email": "waits@hopper.example"})
        worked(world)
        found = {
            what: await listed(desktop, waiting_for=what) for what in ("approval", "task", "decision", "time")
        }
        over = await listed(desktop, provider_status="completed")
        both = await desktop.refused("list_sequences", status="ACTIVE", provider_status="completed")
        none = await desktop.refused("list_sequences", provider_status="PENDING")
    assert found == {
        "approval": ["waits@hopper.example"],
        "task": [LINUS["email"]],
        "decision": [],
        "time": [],
    }
    assert over == [GRACE["email"]]
    assert "COMPLETED" in both["next"] and "COMPLETED" in none["next"]


async def test_a_run_has_its_dates_and_its_blueprint_by_name(world: World) -> None:
    async with world.client("auto", yes) as desktop:
        await started(desktop, await desktop.blueprint(), GRACE)
        world.clock.now += timedelta(hours=1)
        worked(world)
        [row] = (await desktop.call("list_sequences"))["items"]
        whole = await desktop.call("get_sequence", sequence_id=row["id"])
    for told in (row, whole):
        assert told["blueprint_name"] == "Engineers"
        assert told["created_at"] == "2026-11-23T12:00:00+00:00"
        assert told["updated_at"] == told["last_step_executed_at"] == "2026-11-23T13:00:00+00:00"


async def test_a_task_of_somebody_who_is_paused_is_not_offered_until_the_pause_is_over(world: World) -> None:
    async with world.client("auto", yes) as desktop:
        run = (await started(desktop, await desktop.blueprint(TASK_FIRST), GRACE))["sample"]["sequence_id"]
        worked(world)
        offered = await desktop.call("list_tasks")
        paused = await desktop.call("pause_sequence", sequence_id=run, paused_until=tomorrow())
        meanwhile = await desktop.call("list_tasks")
        waiting = (await desktop.call("list_providers"))["open_tasks"]
        world.clock.now += timedelta(days=1)
        after = await desktop.call("list_tasks")
    assert (offered["total_count"], meanwhile["total_count"], waiting, after["total_count"]) == (1, 0, 0, 1)
    assert paused["why"].startswith("paused until 2026-11-24 12:00 UTC; then step 1 of 1 (LINKEDIN)")


async def test_a_task_that_was_done_while_paused_is_still_recorded(world: World) -> None:
    async with world.client("auto", yes) as desktop:
        run = (await started(desktop, await desktop.blueprint(TASK_FIRST, {**MAIL, "id": "then"}), GRACE))[
            "sample"
        ]
        worked(world)
        [task] = (await desktop.call("list_tasks"))["items"]
        await desktop.call("pause_sequence", sequence_id=run["sequence_id"], paused_until=tomorrow())
        done = await desktop.call("complete_task", task_id=task["id"], outcome="done")
    assert done["outcome"] == "done"


@pytest.mark.parametrize("filters", [{"contact": "a" * 600}, {"waiting_for": "anything"}, {"contact": "topo:"}])
async def test_a_filter_of_the_wrong_form_is_refused(world: World, filters: dict[str, str]) -> None:
    async with world.client("auto") as desktop:
        assert (await desktop.refused("list_sequences", **filters))["retryable"] is False
