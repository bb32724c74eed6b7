"""An answer that a person asked for stands in the Drafts folder, in its thread; nothing is sent."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from tests.world.answers import ADA, begun, comes_in
from tests.world.data_folder import NOON
from tests.world.dovecot import Dovecot, dovecot
from tests.world.inbound_mail import Sent, reply, report
from tests.world.product import GRACE, LINUS, Bureau, Desktop, yes

from sequences_mcp.domain.sender import Sender
from sequences_mcp.engine.inbound.appending import compose_draft
from sequences_mcp.ports.embedded import AnswerDraft

ANSWER = "Hello Grace,\n\nTuesday works. Shall we say ten?\n\nAda"


def with_mailbox(bureau: Bureau, server: Dovecot) -> Bureau:
    """Give the bureau the server's mailbox."""
    return bureau.having(IMAP_URL=server.url)


def drafts(server: Dovecot, folder: str = "Drafts") -> list[tuple[EmailMessage, frozenset[bytes]]]:
    """Return what is in the folder, with its flags."""
    with server.person() as person:
        person.select_folder(folder, readonly=True)
        uids = person.search("ALL")
        rows = person.fetch(uids, ["BODY.PEEK[]", "FLAGS"]) if uids else {}
    return [
        (message_from_bytes(rows[uid][b"BODY[]"], policy=policy.default), frozenset(rows[uid][b"FLAGS"]))
        for uid in uids
    ]


async def answered(bureau: Bureau, desktop: Desktop, text: str = "Does Tuesday suit you?", **more: Any) -> str:
    """Let Grace answer the first e-mail; return the id of what she wrote."""
    sent = await begun(bureau, desktop)
    comes_in(bureau, reply(sent[GRACE["email"]], text, **more))
    [row] = (await desktop.call("list_replies"))["items"]
    return str(row["id"])


async def test_the_answer_stands_in_drafts_in_its_thread_and_nothing_is_sent(
    bureau: Bureau, dovecot: Dovecot
) -> None:
    bureau = with_mailbox(bureau, dovecot)
    async with bureau.client("auto", yes) as desktop:
        reply_id = await answered(bureau, desktop)
        done = await desktop.call("draft_reply", reply_id=reply_id, content=ANSWER)
    assert (done["outcome"], done["sent"], done["folder"], done["to"]) == (
        "done",
        "nothing",
        "Drafts",
        GRACE["email"],
    )
    assert "Nothing was sent." in done["next"]
    [(mail, flags)] = drafts(dovecot)
    [first] = bureau.outbox
    assert (mail["To"], mail["Subject"]) == (GRACE["email"], "Re: A role in Lyon")
    assert (mail["In-Reply-To"], mail["References"]) == (
        "<answer-1@acme.example>",
        f"{first['Message-ID']} <answer-1@acme.example>",
    )
    assert str(mail["From"]) == f"Ada Lovelace <{ADA}>"
    assert mail.get_content().strip().replace("\r\n", "\n") == ANSWER
    assert b"\\Draft" in flags
    assert len(bureau.outbox) == 1


async def test_the_same_answer_is_one_draft_with_a_key_and_without(bureau: Bureau, dovecot: Dovecot) -> None:
    bureau = with_mailbox(bureau, dovecot)
    async with bureau.client("auto", yes) as desktop:
        reply_id = await answered(bureau, desktop)
        said = [
            await desktop.call("draft_reply", reply_id=reply_id, content=ANSWER, **key)
            for key in ({"idempotency_key": "k1"}, {"idempotency_key": "k1"}, {})
        ]
        assert said[0] == said[1] == said[2]
        other = await desktop.refused("draft_reply", reply_id=reply_id, content="Else", idempotency_key="k1")
        assert other["code"] == "key_reused"
        await desktop.call("draft_reply", reply_id=reply_id, content=ANSWER + "!")
    assert len(drafts(dovecot)) == 2


async def test_what_the_guards_refuse_is_not_put_there_and_its_fix_is_told(
    bureau: Bureau, dovecot: Dovecot
) -> None:
    bureau = with_mailbox(bureau, dovecot)
    async with bureau.client("auto", yes) as desktop:
        reply_id = await answered(bureau, desktop)
        refused = await desktop.refused(
            "draft_reply", reply_id=reply_id, content="Hi {{firstname}}, [date] works."
        )
        assert refused["code"] == "refused_by_guards"
        assert {one["rule"].partition(".")[0] for one in refused["findings"]} >= {"placeholders"}
    address = bureau.settings.mailbox.address
    async with bureau.having(SENDER=f"Your Name <{address}>").client("auto", yes) as desktop:
        refused = await desktop.refused("draft_reply", reply_id=reply_id, content=ANSWER)
        assert [one["field"] for one in refused["findings"]] == ["sender"]
    assert drafts(dovecot) == []


async def test_nobody_who_must_not_be_contacted_is_answered(bureau: Bureau, dovecot: Dovecot) -> None:
    bureau = with_mailbox(bureau, dovecot)
    async with bureau.client("auto", yes) as desktop:
        reply_id = await answered(bureau, desktop, "Please unsubscribe me.")
        refused = await desktop.refused("draft_reply", reply_id=reply_id, content=ANSWER)
        assert "must not be contacted" in refused["message"]
        sent = await begun(bureau, desktop, LINUS)
        writer = "Linus <linus@private.example>"
        comes_in(bureau, reply(sent[LINUS["email"]], "Yes", sender=writer))
        await desktop.call("suppress_contact", contact="private.example", reason="asked")
        [row] = (await desktop.call("list_replies", kind="unmatched"))["items"]
        refused = await desktop.refused("draft_reply", reply_id=row["id"], content=ANSWER)
        assert "must not be contacted" in refused["message"]
    assert drafts(dovecot) == []


async def test_an_automatic_message_and_one_recorded_by_hand_get_no_answer(
    bureau: Bureau, dovecot: Dovecot
) -> None:
    bureau = with_mailbox(bureau, dovecot)
    async with bureau.client("auto", yes) as desktop:
        sent = await begun(bureau, desktop, GRACE, LINUS)
        comes_in(bureau, report(sent[GRACE["email"]], status="4.2.2"))
        away = "Auto-Submitted: auto-replied"
        comes_in(bureau, reply(sent[GRACE["email"]], "I am away.", subject="Out of office", more=away))
        until = (bureau.clock.now + timedelta(days=4)).isoformat()
        await desktop.call("record_reply", who=LINUS["email"], answer="out_of_office", until=until)
        for row in (await desktop.call("list_replies"))["items"]:
            refused = await desktop.refused("draft_reply", reply_id=row["id"], content=ANSWER)
            words = "recorded by hand" if "recorded_by" in row else "automatic message"
            assert (refused["code"], words in refused["message"]) == ("conflict", True)
        unknown = await desktop.refused("draft_reply", reply_id="local:reply_e999", content=ANSWER)
        assert (unknown["code"], "list_replies" in unknown["next"]) == ("not_found", True)
        for other in ("local:reply_x1", "local:reply_e" + "9" * 40, "local:reply_e²"):
            assert (await desktop.refused("draft_reply", reply_id=other, content=ANSWER))["sent"] == "nothing"
    assert drafts(dovecot) == []


async def test_without_imap_it_says_so_and_what_to_do(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        reply_id = await answered(bureau, desktop)
        refused = await desktop.refused("draft_reply", reply_id=reply_id, content=ANSWER)
    assert (refused["code"], "no IMAP" in refused["message"]) == ("not_supported", True)
    assert "own mail program" in refused["next"]


async def test_a_mailbox_that_cannot_be_reached_is_told_and_the_same_call_works_later(
    bureau: Bureau, dovecot: Dovecot
) -> None:
    bureau = with_mailbox(bureau, dovecot)
    async with bureau.client("auto", yes) as desktop:
        reply_id = await answered(bureau, desktop)
        dovecot.stop()
        failed = await desktop.refused("draft_reply", reply_id=reply_id, content=ANSWER, idempotency_key="k")
        assert (failed["code"], failed["outcome"], failed["retryable"]) == ("inbox_unread", "not_done", True)
        dovecot.start()
        await desktop.call("draft_reply", reply_id=reply_id, content=ANSWER, idempotency_key="k")
    assert len(drafts(dovecot)) == 1


@pytest.mark.parametrize(
    ("folders", "wanted"),
    [
        ({"[Gmail]": "", "[Gmail]/Entwürfe": "\\Drafts", "Drafts": ""}, "[Gmail]/Entwürfe"),
        ({"Sent": "", "Brouillons": ""}, "Brouillons"),
        ({"Sent": "", "Box": "", "Box/drafts": ""}, "Box/drafts"),
    ],
)
async def test_the_folder_is_the_one_the_server_marks_or_else_one_with_a_usual_name(
    bureau: Bureau, folders: dict[str, str], wanted: str
) -> None:
    with dovecot(folders) as server:
        bureau = with_mailbox(bureau, server)
        async with bureau.client("auto", yes) as desktop:
            reply_id = await answered(bureau, desktop)
            assert (await desktop.call("draft_reply", reply_id=reply_id, content=ANSWER))["folder"] == wanted
        assert len(drafts(server, wanted)) == 1


async def test_a_mailbox_without_such_a_folder_is_told_what_to_create(bureau: Bureau) -> None:
    with dovecot({"Sent": "\\Sent"}) as server:
        bureau = with_mailbox(bureau, server)
        async with bureau.client("auto", yes) as desktop:
            reply_id = await answered(bureau, desktop)
            refused = await desktop.refused("draft_reply", reply_id=reply_id, content=ANSWER)
    assert "no folder of drafts" in refused["message"]
    assert refused["next"].startswith("Create a folder named Drafts")


async def test_a_strangers_headers_put_nothing_into_the_draft(bureau: Bureau, dovecot: Dovecot) -> None:
    bureau = with_mailbox(bureau, dovecot)
    async with bureau.client("auto", yes) as desktop:
        sent = await begun(bureau, desktop)
        given = Sent(message_id=sent[GRACE["email"]].message_id, sender=ADA, recipient=GRACE["email"])
        data = reply(given, "Yes", refers=False, subject="Here")
        data = data.replace(b"Subject: Here", b"Subject: =?utf-8?b?SGVsbG8NCkJjYzogeEB5LmV4YW1wbGU=?=")
        data = data.replace(b"Message-ID: <answer-1@acme.example>", b"Message-ID: <a b>\tBcc: x@y.example")
        comes_in(bureau, data)
        [row] = (await desktop.call("list_replies"))["items"]
        await desktop.call("draft_reply", reply_id=row["id"], content=ANSWER)
    [(mail, _)] = drafts(dovecot)
    assert mail.get_all("Bcc") is None
    [first] = bureau.outbox
    assert mail["In-Reply-To"] == first["Message-ID"]
    assert mail["Subject"] == "Re: Hello Bcc: x@y.example"
    assert sorted({name.lower() for name in mail} & {"to", "cc", "bcc"}) == ["to"]


@pytest.mark.parametrize("text", ["Tuesday works.", "Tuesday works.\n\nAda Lovelace\nExample Ltd"])
def test_the_answer_is_closed_by_the_senders_signature_once(text: str) -> None:
    line = (("en", 'Just reply "no thanks".'),)
    sender = Sender(ADA, "Ada", "Lovelace", signature="Ada Lovelace\nExample Ltd", opt_out_lines=line)
    answer = AnswerDraft(
        sender=sender,
        recipient=GRACE["email"],
        subject="Re: A role",
        content=text,
        answers="",
        refers_to=(),
        name="one",
        at=NOON,
    )
    mail = message_from_bytes(compose_draft(answer, key=b"k" * 32).data, policy=policy.default)
    assert mail.get_content().replace("\r\n", "\n").strip() == "Tuesday works.\n\nAda Lovelace\nExample Ltd"
    assert mail["In-Reply-To"] is None
