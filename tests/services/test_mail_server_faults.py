"""A mail server that refuses, stalls or drops: what is told; nobody is lost, nobody written to twice."""

from __future__ import annotations

from typing import Any

import pytest
from tests.world.mail_servers import DROP, STALL, Inbox, free_port
from tests.world.product import LINKEDIN, MAIL, Bureau, Desktop, mailing, people, yes

from sequences_mcp.bootstrap import open_worker
from sequences_mcp.domain.actors import Actor

DEFERRED = {
    "greeted with 554": ({"greeting": "554 go away"}, ("554", "554 go away")),
    "dropped at once": ({"greeting": DROP}, ("(connect)", None)),
    "no greeting": ({"greeting": STALL}, ("timed out (connect)", None)),
    "EHLO refused": ({"EHLO": "550 who are you"}, ("550 to EHLO", "550 who are you")),
    "MAIL 451": ({"MAIL": "451 4.3.0 later"}, ("451 4.3.0 to MAIL", "451 4.3.0 later")),
    "MAIL 550": ({"MAIL": "550 5.7.1 account suspended"}, ("550 5.7.1 to MAIL", "550 5.7.1 account suspended")),
    "RCPT 450": ({"RCPT": "450 4.2.0 greylisted"}, ("450 4.2.0 to RCPT", "450 4.2.0 greylisted")),
    "RCPT stalls": ({"RCPT": STALL}, ("timed out (RCPT)", None)),
    "DATA 421": ({"DATA": "421 shutting down"}, ("421 to DATA", "421 shutting down")),
    "dot 451": ({"dot": "451 4.3.0 queue full"}, ("451 4.3.0 to the final dot", "451 4.3.0 queue full")),
}
FAILED = {
    "RCPT 550": ({"RCPT": "550 5.2.1 mailbox disabled"}, "550 5.2.1 mailbox disabled", 0),
    "RCPT 550, no such user": ({"RCPT": "550 5.1.1 no such user"}, "550 5.1.1 no such user", 1),
    "dot 550": ({"dot": "550 5.1.1 no such user"}, "550 5.1.1 no such user", 1),
}
WITHHELD = {
    "DATA 554": ({"DATA": "554 5.6.0 no"}, ("554 5.6.0 to DATA", "554 5.6.0 no")),
    "dot 552": ({"dot": "552 5.3.4 too big"}, ("552 5.3.4 to the final dot", "552 5.3.4 too big")),
}
UNKNOWN = {
    "dropped after the dot": ({"dot": DROP}, "the connection was lost before the server's answer"),
    "no answer to the dot": ({"dot": STALL}, "the connection was lost before the server's answer"),
    "nonsense after the dot": ({"dot": "354 go on"}, "the server's answer was none: 354"),
}


async def started(desktop: Desktop, number: int = 1) -> str:
    """Start so many people and return the first one's run."""
    blueprint = await desktop.blueprint(MAIL, LINKEDIN)
    begun = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(number))
    return str(begun["sample"]["sequence_id"])


async def first_step(desktop: Desktop, run: str) -> dict[str, Any]:
    """Return the state of the e-mail."""
    step: dict[str, Any] = (await desktop.call("get_sequence", sequence_id=run))["steps"][0]
    return step


def heal(inbox: Inbox) -> None:
    """Let the mail server behave from now on."""
    inbox.script.clear()


@pytest.mark.parametrize(("script", "words"), DEFERRED.values(), ids=DEFERRED.keys())
async def test_what_was_not_accepted_waits_says_why_and_arrives_once_later(
    bureau: Bureau, script: dict[str, str], words: tuple[str, str | None]
) -> None:
    with mailing(bureau, script) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            run = await started(desktop)
            connected.work()
            held = await first_step(desktop, run)
            assert (held["state"], held["until"]) == ("held", "2026-11-23T12:01:00+00:00")
            assert (words[0] in held["reason"], held.get("server_reply")) == (True, words[1])
            assert inbox.taken == []
            heal(inbox)
            connected.work()
            assert inbox.taken == []  # not before its time
            connected.forward(minutes=1)
            connected.work()
            assert (await first_step(desktop, run))["state"] == "sent"
        connected.forward(days=30)
        connected.work()
    assert [envelope.rcpt_tos for envelope in inbox.taken] == [["person0@hopper.example"]]


@pytest.mark.parametrize(("script", "words", "suppressed"), FAILED.values(), ids=FAILED.keys())
async def test_what_was_refused_for_good_ends_the_run_and_is_not_tried_again(
    bureau: Bureau, script: dict[str, str], words: str, suppressed: int
) -> None:
    with mailing(bureau, script) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            run = await started(desktop)
            connected.work()
            seen = await desktop.call("get_sequence", sequence_id=run)
            assert (seen["status"], seen["steps"][0]["state"]) == ("FAILED", "failed")
            assert (seen["steps"][0]["server_reply"], words in seen["reason"]) == (words, False)
            heal(inbox)
            connected.forward(days=30)
            connected.work()
            assert (await desktop.call("list_tasks"))["total_count"] == 0
    assert inbox.taken == []
    assert connected.rows("SELECT count(*) FROM suppression") == [(suppressed,)]


@pytest.mark.parametrize(("script", "words"), WITHHELD.values(), ids=WITHHELD.keys())
async def test_what_is_refused_for_its_text_waits_for_a_person_and_fails_nobody(
    bureau: Bureau, script: dict[str, str], words: tuple[str, str]
) -> None:
    with mailing(bureau, script) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            run = await started(desktop)
            connected.work()
            seen = await desktop.call("get_sequence", sequence_id=run)
            assert (seen["status"], seen["steps"][0]["state"]) == ("WAITING_FOR_USER", "held")
            step = seen["steps"][0]
            assert (words[0] in step["reason"], step["server_reply"]) == (True, words[1])
            [draft] = (await desktop.call("list_reviews"))["drafts"]["items"]
            assert draft["server_reply"] == words[1]
    assert inbox.taken == []


@pytest.mark.parametrize(("script", "words"), UNKNOWN.values(), ids=UNKNOWN.keys())
async def test_what_may_have_arrived_is_never_sent_again_by_itself(
    bureau: Bureau, script: dict[str, str], words: str
) -> None:
    with mailing(bureau, script) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            run = await started(desktop)
            connected.work()
            seen = await desktop.call("get_sequence", sequence_id=run)
            assert (seen["status"], seen["steps"][0]["state"]) == ("WAITING_FOR_USER", "unknown")
            assert words in seen["steps"][0]["reason"]
            tried = inbox.seen
            heal(inbox)
            connected.forward(days=30)
            connected.work()
            assert inbox.seen == tried == 1
            [waits] = (await desktop.call("list_reviews"))["drafts"]["items"]
            assert waits["why"] == "unknown"
            edit = await desktop.refused("edit_draft", draft_id=waits["id"], content="Hi {{firstname}}, again.")
            assert edit["code"] == "conflict"


async def test_an_unknown_e_mail_that_a_person_says_did_not_arrive_goes_out_again(bureau: Bureau) -> None:
    with mailing(bureau, {"dot": DROP}) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            run = await started(desktop)
            connected.work()
            heal(inbox)
            draft = (await first_step(desktop, run))["draft_id"]
            async with connected.app() as app:
                await app.local.resolve_unknown(draft, sent=False, actor=Actor("terminal"))
            connected.work()
            assert (await first_step(desktop, run))["state"] == "sent"
    assert len(inbox.taken) == 1


async def test_a_mail_server_that_is_not_there_loses_nobody(bureau: Bureau) -> None:
    away = bureau.having(SMTP_URL=f"smtp://127.0.0.1:{free_port()}")
    async with away.client("auto", yes) as desktop:
        await started(desktop, 3)
        away.work()
        runs = (await desktop.call("list_sequences"))["items"]
    assert [run["status"] for run in runs] == ["ACTIVE"] * 3
    held = [run["why"] for run in runs if "is held: The e-mail was not accepted" in run["why"]]
    assert len(held) == 1  # one try tells that nobody is there
    assert sum("the mailbox rests, tried in vain since 2026-11-23 12:00 UTC" in run["why"] for run in runs) == 2
    assert away.rows("SELECT count(*) FROM attempt WHERE counted = 1") == [(0,)]


async def test_one_bad_address_does_not_hold_up_the_others(bureau: Bureau) -> None:
    with mailing(bureau, {}) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            await started(desktop, 3)
            inbox.script["RCPT"] = "550 5.1.1 no such user"
            _work_once(connected)
            heal(inbox)
            connected.work()
            runs = (await desktop.call("list_sequences"))["items"]
    assert sorted(run["status"] for run in runs) == ["ACTIVE", "ACTIVE", "FAILED"]
    assert len(inbox.taken) == 2


def _work_once(bureau: Bureau) -> None:
    with open_worker(bureau.settings, clock=bureau.clock) as worker:
        assert worker.run_due(1) == 1


async def test_a_mail_server_that_never_wants_it_hands_it_to_a_person(bureau: Bureau) -> None:
    with mailing(bureau, {"RCPT": "450 4.2.0 greylisted"}) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            run = await started(desktop)
            for _ in range(14):
                connected.work()
                connected.forward(hours=2)
            seen = await desktop.call("get_sequence", sequence_id=run)
    assert seen["status"] == "WAITING_FOR_USER"
    assert "it was tried 12 times; the last answer:" in seen["steps"][0]["reason"]
    assert inbox.taken == []
