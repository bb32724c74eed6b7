"""The life of a plan: whom it still concerns, how it ends, and that undoing an edit is undoing it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.world.product import GRACE, LINKEDIN, LINUS, MAIL, WRITTEN, Bureau, Desktop, people, yes

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.errors import ApprovalError
from sequences_mcp.review.decide import look_up
from sequences_mcp.services.reviews import approve_plan

ASK_NOBODY = {"ELICITATION": "off"}
LATER = {
    **MAIL,
    "id": "later",
    "name": "Later",
    "temporalityType": "DELAYED",
    "delay": {"value": 2, "unit": "day"},
}


async def waiting_plan(desktop: Desktop, contacts: list[Any], *steps: dict[str, Any]) -> dict[str, Any]:
    """Start something that waits for a person, and return what was said."""
    blueprint = await desktop.blueprint(*(steps or (MAIL, LINKEDIN)))
    return await desktop.call("start_sequence", blueprint_id=blueprint, contacts=contacts)


async def plan_of(bureau: Bureau, started: dict[str, Any]) -> Plan:
    async with bureau.app() as app:
        return await app.plans.get_plan(started["plan_id"])


async def seen(bureau: Bureau, started: dict[str, Any]) -> str:
    """Return the plan as a person at a terminal sees it."""
    async with bureau.app() as app:
        return "\n".join((await look_up(app, started["plan_id"])).lines)


async def runs_in(desktop: Desktop, started: dict[str, Any]) -> list[dict[str, Any]]:
    found = (await desktop.call("list_sequences", size=100, status="FOUND"))["items"]
    return [run for run in found if run["blueprint_id"] == started["blueprint_id"]]


async def test_whoever_is_stopped_or_suppressed_leaves_the_plan_that_waits(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        started = await waiting_plan(desktop, people(3))
        first, second, third = await runs_in(desktop, started)
        await desktop.call("stop_sequence", sequence_id=first["id"], reason="LOSE")
        await desktop.call("suppress_contact", contact=second["email"], reason="asked us to stop")
        [plan] = (await desktop.call("list_reviews"))["plans"]["items"]
    assert plan["people"] == 1
    shown = await seen(bureau, started)
    assert f"to {third['email']}" in shown
    assert f"to {first['email']}" not in shown and f"to {second['email']}" not in shown
    assert shown.count("leaves the plan") == 0 and "1 person" in shown


@pytest.mark.parametrize("how", ["stopped", "suppressed by domain", "stopped with their company"])
async def test_a_plan_that_nobody_is_left_in_is_closed_and_promises_nothing(bureau: Bureau, how: str) -> None:
    async with bureau.client("auto") as desktop:
        contacts = [{**one, "company": "Hopper"} for one in people(2)]
        started = await waiting_plan(desktop, contacts)
        runs = await runs_in(desktop, started)
        if how == "stopped":
            for run in runs:
                await desktop.call("stop_sequence", sequence_id=run["id"], reason="LOSE")
        elif how == "suppressed by domain":
            await desktop.call("suppress_contact", contact="hopper.example", reason="asked us to stop")
        else:
            await desktop.call("stop_sequence", sequence_id=runs[0]["id"], reason="LOSE", scope="COMPANY")
        waits = await desktop.call("list_reviews")
    assert waits["plans"]["total_count"] == 0
    plan = await plan_of(bureau, started)
    assert (plan.status, plan.people) == (PlanStatus.CLOSED, 0)
    shown = await seen(bureau, started)
    assert "leave" not in shown.casefold().replace("nobody is left", "")
    async with bureau.app() as app:
        with pytest.raises(ApprovalError, match="nobody is left in it"):
            await approve_plan(app, plan_id=plan.id, digest=plan.digest, actor=Actor("terminal"))


async def test_whoever_begins_in_one_plan_leaves_the_others(bureau: Bureau) -> None:
    quiet = bureau.having(**ASK_NOBODY)
    async with quiet.client("auto") as desktop:
        both = await waiting_plan(desktop, [GRACE, LINUS])
        alone = await waiting_plan(desktop, [LINUS], LATER)
    async with bureau.client("auto", yes) as desktop:
        began = await waiting_plan(desktop, [LINUS])
        assert began["outcome"] == "done"
    assert (await plan_of(bureau, both)).people == 1
    assert (await plan_of(bureau, alone)).status is PlanStatus.CLOSED


async def test_an_agent_withdraws_a_waiting_plan_and_may_say_so_twice(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        started = await waiting_plan(desktop, people(3))
        for _ in range(2):
            done = await desktop.call("withdraw_plan", plan_id=started["plan_id"], reason="wrong list")
            assert (done["outcome"], done["status"], done["people_left_out"]) == ("done", "withdrawn", 3)
            assert "idempotency_key" in done["next"]
    plan = await plan_of(bureau, started)
    assert (plan.decided_by, plan.reason) == ("withdraw_plan", "wrong list")
    async with bureau.app() as app:
        with pytest.raises(ApprovalError):
            await approve_plan(app, plan_id=plan.id, digest=plan.digest, actor=Actor("terminal"))


async def test_a_plan_that_is_under_way_is_not_withdrawn_but_its_runs_can_be_stopped(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        started = await waiting_plan(desktop, people(2))
        error = await desktop.refused("withdraw_plan", plan_id=started["plan_id"])
        runs = await desktop.call("list_sequences")
    assert error["code"] == "conflict"
    assert {run["status"] for run in runs["items"]} == {"ACTIVE"}


async def test_withdrawing_a_void_plan_stops_what_was_under_way(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        started = await waiting_plan(desktop, people(2))
    changed = bureau.having(DAILY_CAP="77")
    changed.work()
    async with changed.client("auto") as desktop:
        done = await desktop.call("withdraw_plan", plan_id=started["plan_id"])
        runs = await desktop.call("list_sequences")
    assert done["runs_stopped"] == 2
    assert {run["status"] for run in runs["items"]} == {"STOPPED_EARLY"}


async def test_an_edit_taken_back_before_the_yes_gives_the_plan_the_digest_it_had(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        started = await waiting_plan(desktop, [GRACE])
        draft = started["sample"]["steps"][0]
        other = await desktop.call("edit_draft", draft_id=draft["draft_id"], content="Hi Grace, another text.")
        assert (await plan_of(bureau, started)).digest != started["digest"]
        assert other["outcome"] == "waiting_for_approval"
        await desktop.call("edit_draft", draft_id=draft["draft_id"], content=draft["content"])
    plan = await plan_of(bureau, started)
    assert (plan.digest, plan.to_read) == (started["digest"], started["to_read"])
    async with bureau.app() as app:
        done = await approve_plan(app, plan_id=plan.id, digest=started["digest"], actor=Actor("terminal"))
    bureau.work()
    assert (done.status, len(bureau.outbox)) == (PlanStatus.APPROVED, 1)


async def test_an_edit_taken_back_after_the_yes_needs_no_other_and_says_so(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        started = await waiting_plan(desktop, [GRACE])
        draft = started["sample"]["steps"][0]
        await desktop.call("edit_draft", draft_id=draft["draft_id"], content="Hi Grace, another text.")
        held = (await desktop.call("list_sequences"))["items"][0]
        back = await desktop.call("edit_draft", draft_id=draft["draft_id"], content=draft["content"])
        waits = await desktop.call("list_reviews")
    assert held["status"] == "WAITING_FOR_USER"
    assert (back["outcome"], waits["drafts"]["total_count"]) == ("done", 0)
    assert "approved" in back["next"]
    bureau.work()
    [mail] = bureau.outbox
    assert draft["content"] in mail.get_content()


async def test_an_override_set_and_removed_leaves_the_approval_standing(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        await waiting_plan(desktop, [GRACE], MAIL, LATER)
        [run] = (await desktop.call("list_sequences"))["items"]
        for value in ("Amazing", "Great", None):
            run = await desktop.call("update_sequence", sequence_id=run["id"], variables={"firstname": value})
            assert run["status"] == ("ACTIVE" if value is None else "WAITING_FOR_USER")
    bureau.work()
    bureau.forward(days=3)
    bureau.work()
    assert len(bureau.outbox) == 2


async def test_a_text_that_nobody_approved_waits_again_and_one_with_its_own_yes_does_not(bureau: Bureau) -> None:
    texts = ["Hi Grace, a second text.", "Hi Grace, a third text.", "Hi Grace, a second text."]
    async with bureau.client("auto", yes) as desktop:
        started = await waiting_plan(desktop, [GRACE])
        draft_id = started["sample"]["steps"][0]["draft_id"]
        outcomes = []
        for text in texts:
            outcomes.append((await desktop.call("edit_draft", draft_id=draft_id, content=text))["outcome"])
            if text == texts[0] and len(outcomes) == 1:
                async with bureau.app() as app:
                    digest = (await app.local.get_draft(draft_id)).digest
                    await app.local.approve_draft(draft_id, digest=digest, actor=Actor("terminal"))
    assert outcomes == ["waiting_for_approval", "waiting_for_approval", "done"]
    bureau.work()
    [mail] = bureau.outbox
    assert texts[0] in mail.get_content()


async def test_a_text_taken_back_under_a_void_plan_waits_with_the_plan(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        started = await waiting_plan(desktop, [GRACE])
    changed = bureau.having(DAILY_CAP="77")
    changed.work()
    async with changed.client("auto") as desktop:
        draft = started["sample"]["steps"][0]
        for text in ("Hi Grace, another text.", draft["content"]):
            await desktop.call("edit_draft", draft_id=draft["draft_id"], content=text)
    changed.work()
    assert changed.outbox == []


async def test_a_written_text_changed_and_changed_back_counts_as_the_one_that_was_read(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        contacts = [{**GRACE, "texts": {"own": "Hello Grace, your talk was clear."}}]
        started = await waiting_plan(desktop, contacts, WRITTEN)
        draft = started["sample"]["steps"][0]
        for text in ("Hello Grace, another.", draft["content"]):
            await desktop.call("edit_draft", draft_id=draft["draft_id"], content=text)
    assert (await plan_of(bureau, started)).digest == started["digest"]
