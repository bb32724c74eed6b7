"""Pausing, stopping and suppressing work whatever else does not: they are never refused in a live run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.world.mail_servers import DROP
from tests.world.product import LINKEDIN, MAIL, Bureau, Desktop, mailing, people, tomorrow, yes
from tests.world.stores import shell

from sequences_mcp.server.catalog import TOOLS, definition_of

CALLS: dict[str, dict[str, Any]] = {
    "pause_sequence": {"paused_until": tomorrow(30)},
    "stop_sequence": {"reason": "LOSE"},
    "suppress_contact": {"reason": "asked us to stop"},
    "record_reply": {"answer": "replied"},
}
ANSWERS: dict[str, tuple[dict[str, Any], str]] = {
    "replied": ({}, "SUCCEEDED"),
    "not_interested": ({}, "STOPPED_EARLY"),
    "opt_out": ({}, "STOPPED_EARLY"),
    "out_of_office": ({"until": tomorrow(30)}, "WAITING_FOR_LEAD"),
}
AFTER = {
    "pause_sequence": "WAITING_FOR_LEAD",
    "stop_sequence": "STOPPED_EARLY",
    "suppress_contact": "STOPPED_EARLY",
    "record_reply": "SUCCEEDED",
}
WHO = {"suppress_contact": ("contact", "contact_id"), "record_reply": ("who", "id")}
Trouble = Callable[[Bureau, Desktop], Awaitable[Bureau]]


async def nothing(bureau: Bureau, desktop: Desktop) -> Bureau:
    """Return the bureau as it is: due, and not worked yet."""
    return bureau


async def spent_cap(bureau: Bureau, desktop: Desktop) -> Bureau:
    """Use up the day's e-mails with one."""
    capped = bureau.having(DAILY_CAP="1")
    async with capped.client("auto", yes) as other:
        extra = [{"email": "first@hopper.example", "first_name": "First"}]
        await other.call("start_sequence", blueprint_id=await other.blueprint(), contacts=extra)
        capped.work()
    return capped


async def closed_window(bureau: Bureau, desktop: Desktop) -> Bureau:
    """Let nothing leave today."""
    return bureau.having(WINDOW="Sun 10:00-11:00")


async def void_approval(bureau: Bureau, desktop: Desktop) -> Bureau:
    """Change a setting that the approval covered, and let the worker notice."""
    changed = bureau.having(DAILY_CAP="77")
    changed.work()
    return changed


async def edited_texts(bureau: Bureau, desktop: Desktop) -> Bureau:
    """Change every text, so that each waits for a person."""
    for run in await runs_of(desktop):
        await desktop.call("update_sequence", sequence_id=run["id"], variables={"firstname": "Amazing"})
    return bureau


async def open_tasks(bureau: Bureau, desktop: Desktop) -> Bureau:
    """Let the e-mails leave and the tasks become due."""
    bureau.work()
    bureau.forward(days=3)
    bureau.work()
    return bureau


async def unknown_fates(bureau: Bureau, desktop: Desktop) -> Bureau:
    """Lose the mail server's answer to every final dot; a person approves again for this server."""
    with mailing(bureau, {"dot": DROP}) as (connected, _):
        async with connected.client("auto", yes) as other:
            for run in await runs_of(desktop):
                await other.call("stop_sequence", sequence_id=run["id"], reason="LOSE")
            blueprint = await other.blueprint(MAIL, LINKEDIN)
            await other.call("start_sequence", blueprint_id=blueprint, contacts=people(len(CALLS)))
            connected.work()
    return bureau


async def no_sender(bureau: Bureau, desktop: Desktop) -> Bureau:
    """Forget who sends."""
    return bureau.having(SENDER="", ELICITATION="off")


TROUBLES: dict[str, Trouble] = {
    "due now": nothing,
    "the day's cap is spent": spent_cap,
    "the window is closed": closed_window,
    "the approval is void": void_approval,
    "every text waits for a person": edited_texts,
    "tasks are open": open_tasks,
    "nobody knows what arrived": unknown_fates,
    "no sender is set": no_sender,
}


async def runs_of(desktop: Desktop) -> list[dict[str, Any]]:
    """Return the runs of these tests' people that are not over."""
    found = (await desktop.call("list_sequences", size=100))["items"]
    return [run for run in found if run["email"].startswith("person") and run["status"] != "STOPPED_EARLY"]


CASES = [(trouble, False) for trouble in TROUBLES] + [("due now", True), ("nobody knows what arrived", True)]


@pytest.mark.parametrize(("trouble", "paused"), CASES, ids=[f"{t}{', paused' * p}" for t, p in CASES])
async def test_a_safe_tool_is_never_refused_in_a_live_run(bureau: Bureau, trouble: str, paused: bool) -> None:
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL, LINKEDIN)
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(len(CALLS)))
        troubled = await TROUBLES[trouble](bureau, desktop)
        if paused:
            for run in await runs_of(desktop):
                await desktop.call("pause_sequence", sequence_id=run["id"], paused_until=tomorrow(20))
    async with troubled.client("auto") as desktop:
        runs = await runs_of(desktop)
        assert len(runs) == len(CALLS)
        for tool, run in zip(sorted(CALLS), runs, strict=True):
            argument, fact = WHO.get(tool, ("sequence_id", "id"))
            assert (await desktop.call(tool, **{argument: run[fact]}, **CALLS[tool]))["outcome"] == "done"
            assert (await desktop.call("get_sequence", sequence_id=run["id"]))["status"] == AFTER[tool]


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_every_kind_of_answer_is_recorded_whatever_else_does_not_work(bureau: Bureau, trouble: str) -> None:
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL, LINKEDIN)
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(len(ANSWERS)))
        troubled = await TROUBLES[trouble](bureau, desktop)
    async with troubled.client("auto") as desktop:
        for run, (answer, (more, status)) in zip(await runs_of(desktop), ANSWERS.items(), strict=True):
            done = await desktop.call("record_reply", who=run["contact_id"], answer=answer, **more)
            assert (done["outcome"], list(done["runs"])) == ("done", [run["id"]])
            assert (await desktop.call("get_sequence", sequence_id=run["id"]))["status"] == status


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_waiting_plan_can_be_withdrawn_whatever_else_does_not_work(bureau: Bureau, trouble: str) -> None:
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL, LINKEDIN)
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(3))
        troubled = await TROUBLES[trouble](bureau, desktop)
    async with bureau.client("auto") as desktop:
        strangers = [{**one, "email": f"other.{one['email']}"} for one in people(2)]
        waiting = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=strangers)
    async with troubled.client("auto") as desktop:
        done = await desktop.call("withdraw_plan", plan_id=waiting["plan_id"])
        assert (done["outcome"], done["status"], done["people_left_out"]) == ("done", "withdrawn", 2)
    bureau.work()
    bureau.forward(days=400)
    bureau.work()
    assert not any(str(mail["To"]).startswith("other.") for mail in bureau.outbox)


def test_every_safe_tool_is_tried_above() -> None:
    assert {*CALLS, "withdraw_plan"} == {name for name in TOOLS if definition_of(name).safe}


async def test_a_safe_tool_waits_for_another_programs_lock_and_holds_up_nothing_meanwhile(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL, LINKEDIN)
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(len(CALLS)))
    async with bureau.client("auto") as desktop:
        strangers = [{**one, "email": f"other.{one['email']}"} for one in people(2)]
        waiting = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=strangers)
        runs = await runs_of(desktop)
        calls = [
            (tool, {WHO.get(tool, ("sequence_id", "id"))[0]: run[WHO.get(tool, ("", "id"))[1]], **CALLS[tool]})
            for tool, run in zip(sorted(CALLS), runs, strict=True)
        ]
        calls.append(("withdraw_plan", {"plan_id": waiting["plan_id"]}))
        with shell(bureau.folder) as other:
            other.hold()
            tasks = [asyncio.create_task(desktop.call(tool, **arguments)) for tool, arguments in calls]
            done, _ = await asyncio.wait(tasks, timeout=2)
            assert not done
            other.release()
        assert [answer["outcome"] for answer in await asyncio.gather(*tasks)] == ["done"] * len(calls)


async def test_what_was_stopped_or_suppressed_stays_silent_whatever_is_due(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL, LINKEDIN)
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(3))
        first, second, third = await runs_of(desktop)
        await desktop.call("stop_sequence", sequence_id=first["id"], reason="LOSE")
        await desktop.call("suppress_contact", contact=second["email"].upper(), reason="asked us to stop")
        bureau.work()
        bureau.forward(days=3)
        bureau.work()
        tasks = await desktop.call("list_tasks")
        bureau.forward(days=400)
        bureau.work()
    assert [mail["To"] for mail in bureau.outbox] == [third["email"]]
    assert [task["contact_id"] for task in tasks["items"]] == [third["contact_id"]]
