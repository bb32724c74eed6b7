"""A yes is to a time as well: what would leave more than a week after it waits for another one."""

from __future__ import annotations

from typing import Any

from tests.world.product import GRACE, LINUS, MAIL, Bureau, Desktop, yes

from sequences_mcp.domain.actors import Actor
from sequences_mcp.review.decide import approve_in_terminal, look_up

LATER = {**MAIL, "id": "later", "temporalityType": "DELAYED", "delay": {"value": 20, "unit": "day"}}


async def begun(desktop: Desktop, *contacts: dict[str, Any], steps: tuple[dict[str, Any], ...] = (MAIL,)) -> str:
    """Start with a person's yes, and return the first run."""
    blueprint = await desktop.blueprint(*steps)
    started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=list(contacts) or [GRACE])
    assert started["approval"] == "given"
    return str(started["sample"]["sequence_id"])


async def approved_again(bureau: Bureau, identifier: str) -> None:
    """Read and approve it once more in a terminal."""
    async with bureau.app() as app:
        seen = await look_up(app, identifier, renew=True)
        await approve_in_terminal(app, identifier, seen=seen, people=None, actor=Actor("test"))


async def test_after_an_outage_of_400_days_nothing_leaves_before_another_yes(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        await begun(desktop, GRACE, LINUS)
        bureau.forward(days=400)
        bureau.work()
        assert bureau.outbox == []
        waiting = await desktop.call("list_reviews")
    [plan] = waiting["plans"]["items"]
    assert plan["status"] == "void"
    async with bureau.app() as app:
        why = (await app.plans.get_plan(plan["plan_id"])).reason
    assert plan["reason"] == why == "approved on 2026-11-23 for 2026-11-23 12:00 UTC, 400 days ago; approve again"
    await approved_again(bureau, plan["plan_id"])
    bureau.work()
    assert len(bureau.outbox) == 2


async def test_a_step_that_is_late_by_a_week_or_less_leaves(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        await begun(desktop)
    bureau.forward(days=7)
    bureau.work()
    assert len(bureau.outbox) == 1


async def test_a_step_with_a_long_delay_is_not_late(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        await begun(desktop, steps=(MAIL, LATER))
    bureau.work()
    bureau.forward(days=20)
    bureau.work()
    assert len(bureau.outbox) == 2


async def test_a_pause_does_not_carry_an_old_yes_into_another_month(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        run = await begun(desktop)
        until = (bureau.clock.now.replace(year=2027)).isoformat()
        await desktop.call("pause_sequence", sequence_id=run, paused_until=until)
        bureau.forward(days=30)
        await desktop.call("resume_sequence", sequence_id=run)
        bureau.work()
        assert bureau.outbox == []
        [draft] = (await desktop.call("list_reviews"))["drafts"]["items"]
        seen = await desktop.call("get_sequence", sequence_id=run)
    assert (draft["why"], "approve again" in seen["steps"][0]["reason"]) == ("held", True)
    await approved_again(bureau, draft["id"])
    bureau.work()
    assert len(bureau.outbox) == 1


async def test_a_pause_after_a_yes_to_the_text_itself_needs_another(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        run = await begun(desktop, steps=(MAIL, LATER))
        bureau.work()
        draft = (await desktop.call("get_sequence", sequence_id=run))["steps"][1]["draft_id"]
        await desktop.call("edit_draft", draft_id=draft, content="Hi {{firstname}}, other words.")
        await approved_again(bureau, draft)
        bureau.forward(days=1)
        await desktop.call("pause_sequence", sequence_id=run, paused_until="2027-12-01T00:00:00Z")
        bureau.forward(days=300)
        await desktop.call("resume_sequence", sequence_id=run)
        bureau.forward(days=30)
    bureau.work()
    assert len(bureau.outbox) == 1


async def test_a_long_queue_at_the_daily_cap_is_no_delay(bureau: Bureau) -> None:
    slow = bureau.having(DAILY_CAP="1")
    async with slow.client("auto", yes) as desktop:
        people = [{**GRACE, "email": f"p{n}@hopper{n}.example", "linkedin_url": None} for n in range(10)]
        await begun(desktop, *people)
    for _ in people:
        slow.work()
        slow.forward(days=1, minutes=1)
    assert len(slow.outbox) == 10


async def test_the_operator_says_how_late_is_too_late(bureau: Bureau) -> None:
    strict = bureau.having(LATE_DAYS="1")
    async with strict.client("auto", yes) as desktop:
        await begun(desktop)
    strict.forward(days=2)
    strict.work()
    assert strict.outbox == []
