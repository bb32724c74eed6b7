"""An answer has one consequence, whichever way it is known: read, recorded by hand, or decided by a person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from email import message_from_bytes

import pytest
from tests.inbound.test_inbound_effects import begun_under, comes, dated, leaves, listed, run_of
from tests.services.test_retry_failed import approved, failed_at_the_second
from tests.world.answers import ADA, comes_in
from tests.world.engine import EngineWorld
from tests.world.inbound_mail import Sent, reply, report
from tests.world.mail_servers import Inbox, bytes_of
from tests.world.product import MAIL, Bureau, mailing, people, yes

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.run import ReplyKind, SequenceStatus, StepState
from sequences_mcp.ports.embedded import ReplyFilter

S = SequenceStatus
BOB, CAROL, EVE = "bob@acme.example", "carol@acme.example", "eve@other.example"
Answers = Callable[[EngineWorld, Sent], Awaitable[None]]


async def by_mail(world: EngineWorld, sent: Sent) -> None:
    """Have the person answer by e-mail."""
    assert comes(world, reply(sent, "Yes, gladly.")) is not None


async def by_hand(world: EngineWorld, sent: Sent) -> None:
    """Have somebody record that the person answered."""
    await world.local.record_reply((await run_of(world, sent.recipient)).contact_id, ReplyKind.REPLIED)


async def by_decision(world: EngineWorld, sent: Sent) -> None:
    """Have a person say that an e-mail from another address is the person's answer."""
    comes(world, reply(sent, "Yes, gladly.", sender="somebody@home.example"))
    run = await run_of(world, sent.recipient)
    [entry] = world.store.inbound.page(ReplyFilter(waiting=True)).items
    await world.local.resolve_reply(entry.id, sequence_id=run.id, actor=Actor("a person"))


EACH_WAY = pytest.mark.parametrize("answer", [by_mail, by_hand, by_decision], ids=["mail", "hand", "decision"])


@EACH_WAY
async def test_by_default_an_answer_ends_the_run(world: EngineWorld, answer: Answers) -> None:
    sent = await begun_under(world, BOB)
    await answer(world, sent[BOB])
    assert (await run_of(world, BOB)).status is S.SUCCEEDED
    assert leaves(world, days=9) == 0


@EACH_WAY
async def test_where_the_blueprint_says_hold_the_next_step_waits_for_a_person(
    world: EngineWorld, answer: Answers
) -> None:
    sent = await begun_under(world, BOB, on_reply="hold")
    await answer(world, sent[BOB])
    run = await run_of(world, BOB)
    assert (run.status, run.steps[1].state) == (S.WAITING_FOR_USER, StepState.HELD)
    assert run.steps[1].reason == "the contact answered"
    assert leaves(world, days=9) == 0


@pytest.mark.parametrize("answer", [by_mail, by_hand], ids=["mail", "hand"])
async def test_where_the_blueprint_says_continue_the_next_step_leaves(world: EngineWorld, answer: Answers) -> None:
    sent = await begun_under(world, BOB, on_reply="continue")
    await answer(world, sent[BOB])
    assert (await run_of(world, BOB)).status is S.ACTIVE
    assert leaves(world, days=9) == 1


@EACH_WAY
async def test_where_the_blueprint_says_so_the_companys_runs_are_held(world: EngineWorld, answer: Answers) -> None:
    sent = await begun_under(world, BOB, CAROL, EVE, stop_company=True)
    await answer(world, sent[BOB])
    carol = await run_of(world, CAROL)
    assert carol.steps[1].reason == "somebody at the same company answered"
    assert carol.steps[1].state is StepState.HELD
    assert (await run_of(world, EVE)).status is S.ACTIVE


@pytest.mark.parametrize("on_reply", ["hold", "continue"])
async def test_no_interest_ends_the_run_whatever_the_blueprint_says(world: EngineWorld, on_reply: str) -> None:
    await begun_under(world, BOB, on_reply=on_reply)
    await world.local.record_reply((await run_of(world, BOB)).contact_id, ReplyKind.NOT_INTERESTED)
    assert (await run_of(world, BOB)).status is S.STOPPED_EARLY


@pytest.mark.parametrize(
    ("on_reply", "status", "words"),
    [("hold", "WAITING_FOR_USER", "a person decides"), ("continue", "ACTIVE", "stop_sequence ends it")],
)
async def test_the_tool_says_what_the_blueprint_made_of_the_answer(
    bureau: Bureau, on_reply: str, status: str, words: str
) -> None:
    async with bureau.client("auto", yes) as desktop:
        later = {**MAIL, "id": "again", "temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}
        made = await desktop.call(
            "create_blueprint", name="Rules", steps=[MAIL, later], job_title="Engineer", on_reply=on_reply
        )
        await desktop.call("start_sequence", blueprint_id=made["blueprint_id"], contacts=people(1))
        bureau.work()
        said = await desktop.call("record_reply", who=people(1)[0]["email"], answer="replied")
        assert list(said["runs"].values()) == [status]
        assert words in said["next"]
        barred = await desktop.call("record_reply", who=people(1)[0]["email"], answer="opt_out")
        assert list(barred["runs"].values()) == ["STOPPED_EARLY"]
        start = {"blueprint_id": made["blueprint_id"], "contacts": people(1), "idempotency_key": "again"}
        again = await desktop.refused("start_sequence", **start)
    assert "asked not to be contacted" in str(again)


# A run that failed and was planned anew


def first_of(inbox: Inbox) -> Sent:
    """Return the first e-mail that was taken."""
    mail = message_from_bytes(bytes_of(inbox.taken[0]))
    return Sent(message_id=str(mail["Message-ID"]), sender=ADA, recipient=str(mail["To"]), subject="")


@pytest.mark.parametrize("is_approved", [True, False], ids=["begun", "waiting for its plan"])
@pytest.mark.parametrize("refers", [True, False], ids=["names it", "names nothing"])
async def test_an_answer_to_what_the_failed_run_sent_ends_the_run_that_goes_on(
    bureau: Bureau, *, is_approved: bool, refers: bool
) -> None:
    with mailing(bureau, {}) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            blueprint = await failed_at_the_second(connected, inbox, desktop, 1)
            plan = await desktop.call("retry_failed", blueprint_id=blueprint)
            if is_approved:
                await approved(connected, plan)
            elif not refers:
                return  # what has not begun is found by nobody's address alone
            data = reply(first_of(inbox), "Yes, gladly.", refers=refers)
            said = comes_in(connected, dated(data, connected.clock.now))
            assert said in ("the run succeeded", "the run was stopped")
            connected.forward(days=3)
            connected.work()
            assert len(inbox.taken) == 1
            [one] = (await desktop.call("list_replies"))["items"]
            detail = await desktop.call("get_sequence", sequence_id=one["sequence_id"])
    assert detail["status"] == ("SUCCEEDED" if is_approved else "STOPPED_EARLY")


async def test_who_is_away_as_an_answer_to_the_failed_runs_e_mail_says_is_waited_for(bureau: Bureau) -> None:
    with mailing(bureau, {}) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            blueprint = await failed_at_the_second(connected, inbox, desktop, 1)
            await approved(connected, await desktop.call("retry_failed", blueprint_id=blueprint))
            data = reply(first_of(inbox), "I am out of the office.", more="Auto-Submitted: auto-replied")
            assert str(comes_in(connected, data)).startswith("waits until")
            connected.work()
    assert len(inbox.taken) == 1


async def test_a_report_about_the_failed_runs_e_mail_keeps_the_run_that_goes_on_from_writing(
    bureau: Bureau,
) -> None:
    with mailing(bureau, {}) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            blueprint = await failed_at_the_second(connected, inbox, desktop, 1)
            await approved(connected, await desktop.call("retry_failed", blueprint_id=blueprint))
            assert comes_in(connected, report(first_of(inbox), status="5.1.1")) == "never written to again"
            connected.work()
    assert len(inbox.taken) == 1


async def test_whoever_answered_the_failed_run_is_not_planned_anew(bureau: Bureau) -> None:
    with mailing(bureau, {}) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            blueprint = await failed_at_the_second(connected, inbox, desktop, 2)
            assert comes_in(connected, reply(first_of(inbox), "Yes, gladly.")) == "noted: the run is over"
            plan = await desktop.call("retry_failed", blueprint_id=blueprint)
    assert (plan["people"], plan["left_out_count"]) == (1, 1)
    assert "they answered the earlier run" in plan["left_out"][0]["reasons"][0]


# Whose address a report gives up


def about(sent: Sent, final: str, *, original: str = "") -> bytes:
    """Return a report of an e-mail to ``sent`` that names another address as the one that failed."""
    data = report(sent, status="5.1.1").replace(
        f"Final-Recipient: rfc822; {sent.recipient}".encode(),
        f"Final-Recipient: rfc822; {final}".encode()
        + (f"\r\nOriginal-Recipient: rfc822; {original}".encode() if original else b""),
    )
    assert final.encode() in data
    return data


@pytest.mark.parametrize(
    "final",
    [
        "bob@acme.example",
        "BOB@Acme.Example",
        "bob@mx1.acme.example",
        "bob+x@acme.example",
        "bob@acme.onmicrosoft.com",
    ],
)
async def test_a_report_of_the_recipients_mailbox_however_servers_write_it_gives_the_address_up(
    world: EngineWorld, final: str
) -> None:
    sent = await begun_under(world, BOB)
    assert comes(world, about(sent[BOB], final)) == "never written to again"
    assert (await run_of(world, BOB)).status is S.FAILED
    assert list(await listed(world)) == [BOB]


@pytest.mark.parametrize(
    ("final", "original"),
    [
        ("carol@acme.example", ""),
        ("all-staff@acme.example", ""),
        ("bob.old@acme.example", ""),
        ("bob@home.example", ""),
        ("carol@acme.example", BOB),
        ("carol@sales.acme.example", ""),
    ],
)
async def test_a_report_of_another_address_holds_the_run_and_gives_nobody_up(
    world: EngineWorld, final: str, original: str
) -> None:
    sent = await begun_under(world, BOB)
    assert comes(world, about(sent[BOB], final, original=original)) == "held for a person"
    run = await run_of(world, BOB)
    assert (run.status, run.steps[1].state) == (S.WAITING_FOR_USER, StepState.HELD)
    assert not await listed(world)
