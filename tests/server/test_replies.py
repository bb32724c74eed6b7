"""Who answered: what came in by e-mail and what was recorded by hand, in one list that says how fresh it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from benchmarks import tokens
from tests.server.test_result_sizes import crowd
from tests.world.answers import ADA, LATER, as_read, begun, comes_in, was_read
from tests.world.data_folder import NOON
from tests.world.inbound_mail import Sent, complaint, reply, report
from tests.world.product import GRACE, LINUS, MAIL, Bureau, text_of, yes
from tests.world.stores import open_store

from sequences_mcp.domain.inbound import STORED_AS, TOLD_AS, ReceivedKind
from sequences_mcp.domain.run import ReplyKind
from sequences_mcp.engine.inbound.kind import InboundKind


async def test_who_answered_is_told_newest_first_with_their_words_and_what_it_stopped(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        sent = await begun(bureau, desktop, GRACE, LINUS)
        comes_in(bureau, reply(sent[LINUS["email"]], "Thank you, no."))
        bureau.forward(minutes=5)
        comes_in(bureau, reply(sent[GRACE["email"]], "Yes, on Tuesday."))
        told = await desktop.call("list_replies")
        assert [(one["name"], one["kind"], one["text"]) for one in told["items"]] == [
            ("Grace Hopper", "reply", "Yes, on Tuesday."),
            ("Linus Torvalds", "reply", "Thank you, no."),
        ]
        first = told["items"][0]
        assert (first["effect"], first["blueprint_name"], first["step_id"]) == (
            "the run succeeded",
            "Engineers",
            "hello",
        )
        assert first["sequence_id"].startswith("local:seq_")
        assert (told["total_count"], "needs_person" in first) == (2, False)


async def test_the_answer_says_up_to_when_each_mailbox_was_read(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        told = await desktop.call("list_replies")
        assert told["read_up_to"][ADA].startswith("not read: no IMAP is set")
    bureau = as_read(bureau)
    async with bureau.client("auto", yes) as desktop:
        assert (await desktop.call("list_replies"))["read_up_to"][ADA].startswith("never read so far")
        was_read(bureau, NOON)
        bureau.forward(seconds=40)
        assert (await desktop.call("list_replies"))["read_up_to"] == {ADA: "2026-11-23T12:00:00+00:00, 40 s ago"}
        with open_store(bureau.folder, now=bureau.clock.now) as store:
            store.inboxes.unread(ADA, why="the server did not answer in time", now=bureau.clock.now)
        bureau.forward(hours=3)
        [words] = (await desktop.call("list_replies"))["read_up_to"].values()
        assert words.endswith("3 h ago; since then it cannot be read: the server did not answer in time")


async def test_what_was_recorded_by_hand_stands_in_the_same_list(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        await begun(bureau, desktop, GRACE, LINUS)
        until = (bureau.clock.now + timedelta(days=4)).isoformat()
        await desktop.call("record_reply", who=GRACE["email"], answer="replied")
        await desktop.call("record_reply", who=LINUS["email"], answer="out_of_office", until=until)
        told = (await desktop.call("list_replies"))["items"]
        assert {(one["name"], one["kind"], one["effect"], one["recorded_by"]) for one in told} == {
            ("Grace Hopper", "reply", "the run succeeded", "agent"),
            ("Linus Torvalds", "out_of_office", "waits until 2026-11-27 12:00 UTC", "agent"),
        }
        away = (await desktop.call("list_replies", kind="out_of_office"))["items"]
        assert [(one["name"], one["until"]) for one in away] == [("Linus Torvalds", "2026-11-27T12:00:00+00:00")]


async def test_the_list_is_filtered_by_kind_run_blueprint_and_time(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        sent = await begun(bureau, desktop, GRACE, LINUS)
        comes_in(bureau, report(sent[LINUS["email"]], status="5.1.1"))
        bureau.forward(hours=2)
        comes_in(bureau, reply(sent[GRACE["email"]], "Please unsubscribe me."))

        async def names(**wanted: Any) -> list[str]:
            return [one["name"] for one in (await desktop.call("list_replies", **wanted))["items"]]

        both = (await desktop.call("list_replies"))["items"]
        assert [one["kind"] for one in both] == ["opt_out", "bounce"]
        assert [one["effect"] for one in both] == ["never written to again"] * 2
        assert "5.1.1" in both[1]["mail_system_said"]
        assert await names(kind="bounce") == ["Linus Torvalds"]
        assert await names(kind="reply") == []
        assert await names(contact="grace") == ["Grace Hopper"]
        assert await names(contact=LINUS["email"]) == ["Linus Torvalds"]
        assert await names(contact="%") == []
        assert await names(sequence_id=both[0]["sequence_id"]) == ["Grace Hopper"]
        assert await names(since=(bureau.clock.now - timedelta(hours=1)).isoformat()) == ["Grace Hopper"]
        other = await desktop.blueprint(MAIL)
        assert await names(blueprint_id=other) == []
        assert await names(size=1, page=2) == ["Linus Torvalds"]
        far = await desktop.call("list_replies", page=9)
        assert (far["items"], far["total_count"]) == ([], 2)
        assert far["note"] == "There is no page 9: the last is 1."
        assert (await desktop.call("report", page=9))["note"] == "There is no page 9: the last is 1."


async def test_what_a_person_has_to_decide_is_marked_and_can_be_asked_for(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        sent = await begun(bureau, desktop, GRACE, LINUS)
        comes_in(bureau, reply(sent[GRACE["email"]], "Yes."))
        colleague = reply(
            sent[LINUS["email"]],
            "He has left us.",
            sender="Eve <eve@torvalds.example>",
            refers=False,
            subject="Re: Engineer",
        )
        comes_in(bureau, colleague)
        told = await desktop.call("list_replies", needs_person=True)
        [one] = told["items"]
        assert (one["kind"], one["answered_from"], one["text"]) == (
            "unmatched",
            "eve@torvalds.example",
            "He has left us.",
        )
        assert one["effect"] == "shown: from somebody else at the company"
        assert one["perhaps_about"] == "Linus Torvalds"
        assert "name" not in one
        assert one["needs_person"] == "say_what_it_is"
        assert "say_what_it_is: a person says on the review page" in told["note"]


async def test_a_report_that_holds_a_run_waits_for_a_person_while_it_is_held(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        sent = await begun(bureau, desktop)
        forged = Sent(message_id="<nobody@else.example>", sender=ADA, recipient=GRACE["email"])
        comes_in(bureau, complaint(forged))
        [one] = (await desktop.call("list_replies", needs_person=True))["items"]
        assert (one["kind"], one["effect"]) == ("complaint", "held for a person")
        await desktop.call("stop_sequence", sequence_id=one["sequence_id"], reason="LOSE")
        assert (await desktop.call("list_replies", needs_person=True))["items"] == []
    assert sent


@pytest.mark.parametrize(
    "words",
    [
        "I would like to know very much more about this.\n",
        "我想了解更多关于这个职位的信息。\n",
        "Я хочу узнать об этом больше. 🚀\n",
    ],
)
async def test_ten_long_answers_fit_a_result_and_it_says_how_to_see_them_whole(bureau: Bureau, words: str) -> None:
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL, LATER)
        for start in (0, 6):
            await desktop.call("start_sequence", blueprint_id=blueprint, contacts=crowd(12)[start : start + 6])
        bureau.work()
        for mail in bureau.outbox:
            sent = Sent(message_id=str(mail["Message-ID"]), sender=ADA, recipient=str(mail["To"]))
            writer = f"Somebody <{'x' * 30}.{sent.recipient}>"
            comes_in(bureau, reply(sent, words * 300, sender=writer, subject=words.strip() * 3))
        raw = await desktop.raw("list_replies")
        told = await desktop.call("list_replies")
    assert (len(told["items"]), told["total_count"]) == (10, 12)
    assert "full: true" in told["note"]
    assert tokens.counter().count(text_of(raw)) <= 2_000


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"sequence_id": "local:bp_01ARZ3NDEKTSV4RRFFQ69G5FAV"}, "is not a sequence id"),
        ({"kind": "spam"}, "kind"),
        ({"provider": "clarky"}, "not connected"),
    ],
)
async def test_a_filter_that_means_nothing_is_refused(bureau: Bureau, wanted: dict[str, str], words: str) -> None:
    async with bureau.client("auto", yes) as desktop:
        refused = await desktop.refused("list_replies", **wanted)
        assert words in refused["message"]


async def test_a_run_shows_what_left_and_what_came_back_in_order(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        sent = await begun(bureau, desktop, GRACE, LINUS)
        bureau.forward(hours=1)
        comes_in(bureau, report(sent[GRACE["email"]], status="4.4.1", action="delayed"))
        bureau.forward(hours=1)
        comes_in(bureau, reply(sent[GRACE["email"]], "Yes, on Tuesday. " + "And so on. " * 400))
        [row] = (await desktop.call("list_replies", kind="reply"))["items"]
        run = await desktop.call("get_sequence", sequence_id=row["sequence_id"])
        assert [(one["direction"], one.get("step_id") or one["kind"]) for one in run["thread"]] == [
            ("out", "hello"),
            ("in", "bounce"),
            ("in", "reply"),
        ]
        assert (run["came_back"], run["thread"][2]["reply_id"]) == ({"bounce": 1, "reply": 1}, row["id"])
        assert run["thread"][2]["text"].startswith("Yes, on Tuesday.")
        assert "full: true" in run["note"]
        whole = await desktop.call("get_sequence", sequence_id=row["sequence_id"], full=True)
        assert len(whole["thread"][2]["text"]) > 4_000
        listed = await desktop.call("list_sequences")
        assert (listed["counts"], listed["came_back"]) == (
            {"ACTIVE": 1, "SUCCEEDED": 1},
            {"bounce": 1, "reply": 1},
        )
        assert "came_back" not in await desktop.call("list_sequences", contact=LINUS["email"])
        assert (await desktop.call("list_sequences", status="ACTIVE"))["came_back"] == {"bounce": 1, "reply": 1}


async def test_a_run_to_which_nothing_came_back_has_no_thread(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        await begun(bureau, desktop)
        [row] = (await desktop.call("list_sequences"))["items"]
        run = await desktop.call("get_sequence", sequence_id=row["id"])
        assert {"thread", "came_back"} & run.keys() == set()


async def test_a_run_with_many_returned_mails_shows_the_newest_and_all_when_asked(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        sent = await begun(bureau, desktop)
        for number in range(12):
            bureau.forward(minutes=1)
            comes_in(bureau, report(sent[GRACE["email"]], status="4.2.2", words=f"Try number {number}."))
        [row] = (await desktop.call("list_sequences"))["items"]
        run = await desktop.call("get_sequence", sequence_id=row["id"])
        assert (len(run["thread"]), run["came_back"], "full: true" in run["note"]) == (9, {"bounce": 12}, True)
        whole = await desktop.call("get_sequence", sequence_id=row["id"], full=True)
        assert len(whole["thread"]) == 13


async def test_a_date_that_cannot_be_is_not_taken_for_when_an_answer_came(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        sent = await begun(bureau, desktop, GRACE, LINUS)
        bureau.forward(hours=2)
        comes_in(bureau, reply(sent[GRACE["email"]], "Yes"))
        dated = reply(sent[LINUS["email"]], "Yes").replace(b"10:00:00", b"13:00:00")
        comes_in(bureau, dated)
        times = {one["name"]: one["at"] for one in (await desktop.call("list_replies"))["items"]}
    assert times == {
        "Grace Hopper": "2026-11-23T14:00:00+00:00",  # its Date is from before the e-mail left
        "Linus Torvalds": "2026-11-23T13:00:00+00:00",
    }


def test_every_kind_that_the_reader_and_a_person_store_is_told_under_a_kind_of_the_list() -> None:
    assert {*InboundKind, *ReplyKind} <= TOLD_AS.keys()
    assert set(STORED_AS) == set(ReceivedKind)
