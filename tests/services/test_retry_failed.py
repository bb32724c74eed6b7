"""Those whose run failed are planned anew: what is left for them, after a person's yes, asked all again."""

from __future__ import annotations

from typing import Any

import pytest
from tests.world.mail_servers import Inbox
from tests.world.product import LINKEDIN, MAIL, Bureau, Desktop, mailing, people, yes

from sequences_mcp.domain.actors import Actor
from sequences_mcp.store import journals

SECOND = {
    **MAIL,
    "id": "again",
    "name": "Again",
    "temporalityType": "DELAYED",
    "delay": {"value": 2, "unit": "day"},
}
THIRD = {**SECOND, "id": "last", "name": "Last"}
REFUSED = "550 5.2.1 The email account that you tried to reach is disabled."


async def failed_at_the_second(
    connected: Bureau, inbox: Inbox, desktop: Desktop, number: int = 2, *, on_reply: str = "stop"
) -> str:
    """Send everybody the first e-mail, then have the second one refused; return the blueprint."""
    made = await desktop.call(
        "create_blueprint", name="Engineers", steps=[MAIL, SECOND, THIRD], job_title="Engineer", on_reply=on_reply
    )
    blueprint = str(made["blueprint_id"])
    await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(number))
    connected.work()
    assert len(inbox.taken) == number
    connected.forward(days=2, minutes=1)
    inbox.script["RCPT"] = REFUSED
    connected.work()
    inbox.script.clear()
    assert {run["status"] for run in (await desktop.call("list_sequences"))["items"]} == {"FAILED"}
    return blueprint


async def approved(connected: Bureau, plan: dict[str, Any]) -> None:
    async with connected.app() as app:
        await app.plans.approve_plan(plan["plan_id"], digest=plan["digest"], actor=Actor("terminal"))


async def test_the_steps_that_are_left_go_out_after_a_persons_yes_and_what_was_sent_does_not(
    bureau: Bureau,
) -> None:
    with mailing(bureau, {}) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            blueprint = await failed_at_the_second(connected, inbox, desktop)
            plan = await desktop.call("retry_failed", blueprint_id=blueprint)
            assert (plan["outcome"], plan["sent"], plan["people"]) == ("waiting_for_approval", "nothing", 2)
            assert [step["state"] for step in plan["sample"]["steps"]] == ["skipped", "planned", "planned"]
            assert "an earlier run" in plan["sample"]["steps"][0]["reason"]
            connected.work()
            assert len(inbox.taken) == 2  # nothing before the yes
            await approved(connected, plan)
            connected.work()
            assert len(inbox.taken) == 4  # at once: they have waited already
            connected.forward(days=2, minutes=1)
            connected.work()
            runs = (await desktop.call("list_sequences", status="COMPLETED"))["items"]
    assert len(inbox.taken) == 6
    assert len(runs) == 2


async def test_a_repeat_while_the_plan_waits_or_after_it_went_plans_nobody_twice(bureau: Bureau) -> None:
    with mailing(bureau, {}) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            blueprint = await failed_at_the_second(connected, inbox, desktop)
            plan = await desktop.call("retry_failed", blueprint_id=blueprint)
            again = await desktop.refused("retry_failed", blueprint_id=blueprint)
            assert again["code"] == "conflict"
            await approved(connected, plan)
            connected.work()
            after = await desktop.refused("retry_failed", blueprint_id=blueprint)
            assert after["code"] == "conflict"
    assert len(inbox.taken) == 4


@pytest.mark.parametrize("on_reply", ["stop", "continue"])
@pytest.mark.parametrize("answer", ["won", "lost", "not_interested"])
@pytest.mark.parametrize("names_run", [True, False], ids=["about the run", "about the person"])
async def test_whoever_was_recorded_as_done_with_since_is_left_out(
    bureau: Bureau, *, on_reply: str, answer: str, names_run: bool
) -> None:
    with mailing(bureau, {}) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            blueprint = await failed_at_the_second(connected, inbox, desktop, on_reply=on_reply)
            first = (await desktop.call("list_sequences"))["items"][0]
            who = first["id"] if names_run else first["contact_id"]
            await desktop.call("record_reply", who=who, answer=answer)
            plan = await desktop.call("retry_failed", blueprint_id=blueprint)
    assert (plan["people"], plan["left_out_count"]) == (1, 1)
    [reason] = plan["left_out"][0]["reasons"]
    assert ("answered" if answer == "not_interested" else f"recorded as {answer}") in reason


async def test_whoever_was_suppressed_since_or_does_not_exist_is_left_out(bureau: Bureau) -> None:
    with mailing(bureau, {}) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            blueprint = await failed_at_the_second(connected, inbox, desktop)
            await desktop.call("suppress_contact", contact="person0@hopper.example", reason="asked")
            plan = await desktop.call("retry_failed", blueprint_id=blueprint)
            assert (plan["people"], plan["left_out_count"]) == (1, 1)
            assert "suppressed" in plan["left_out"][0]["reasons"][0]


async def test_without_a_failed_run_there_is_nothing_to_retry(bureau: Bureau) -> None:
    with mailing(bureau, {}) as (connected, _):
        async with connected.client("auto", yes) as desktop:
            blueprint = await desktop.blueprint(MAIL, LINKEDIN)
            await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(1))
            refused = await desktop.refused("retry_failed", blueprint_id=blueprint)
    assert refused["code"] == "conflict"


async def test_a_blueprint_whose_steps_have_changed_since_leaves_them_out(bureau: Bureau) -> None:
    with mailing(bureau, {}) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            blueprint = await failed_at_the_second(connected, inbox, desktop)
            left = [SECOND, THIRD]
            await desktop.call("update_blueprint", blueprint_id=blueprint, expected_version=1, steps=left)
            refused = await desktop.refused("retry_failed", blueprint_id=blueprint)
    assert refused["code"] == "refused_by_guards"
    assert "has changed since" in str(refused["left_out"])


NOBODY = "550 5.1.1 User unknown"


async def test_whom_a_streak_of_unknown_users_put_on_the_list_is_off_it_again_and_can_be_retried(
    bureau: Bureau,
) -> None:
    with mailing(bureau, {}) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            blueprint = await desktop.blueprint(MAIL)
            inbox.script["RCPT"] = NOBODY
            await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(5))
            connected.work()
            failed = (await desktop.call("list_sequences", status="FAILED"))["items"]
            assert len(failed) == 2
            inbox.script.clear()
            connected.forward(hours=1)
            connected.work()
            assert len(inbox.taken) == 3
            plan = await desktop.call("retry_failed", blueprint_id=blueprint)
            assert (plan["people"], plan.get("left_out_count", 0)) == (2, 0)
            await approved(connected, plan)
            connected.work()
    noted = (connected.folder / journals.SUPPRESSIONS).read_text()
    assert (noted.count('"suppress"'), noted.count('"lift"')) == (2, 2)
    audited = "SELECT count(*) FROM audit WHERE action = 'suppression.lifted' AND actor = 'worker'"
    assert connected.rows(audited) == [(2,)]
    assert sorted(to for envelope in inbox.taken for to in envelope.rcpt_tos) == sorted(
        one["email"] for one in people(5)
    )


async def test_a_single_unknown_user_stays_on_the_list(bureau: Bureau) -> None:
    with mailing(bureau, {"RCPT": NOBODY}) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            blueprint = await desktop.blueprint(MAIL)
            await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(1))
            connected.work()
            refused = await desktop.refused("retry_failed", blueprint_id=blueprint)
    assert "bounced: " in str(refused["left_out"])
    assert inbox.taken == []


async def test_who_asked_not_to_be_written_to_stays_on_the_list_whatever_a_streak_turns_out_to_be(
    bureau: Bureau,
) -> None:
    with mailing(bureau, {}) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            blueprint = await desktop.blueprint(MAIL)
            await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(3))
            inbox.script["RCPT"] = NOBODY
            connected.work(most=1)
            [gone] = (await desktop.call("list_sequences", status="FAILED"))["items"]
            await desktop.call("suppress_contact", contact=gone["email"], reason="asked on the phone")
            connected.work()
            inbox.script.clear()
            connected.forward(hours=1)
            connected.work()
            plan = await desktop.call("retry_failed", blueprint_id=blueprint)
    assert (plan["people"], plan["left_out_count"]) == (1, 1)
    assert "asked on the phone" in plan["left_out"][0]["reasons"][0]
