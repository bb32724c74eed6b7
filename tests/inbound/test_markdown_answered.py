"""What an e-mail in Markdown stands in: its conversation, its copy, its way out, and the answers that quote it."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from typing import Any

import pytest
from tests.inbound.test_sent_copies import sent_folder
from tests.world.answers import ADA, LATER, comes_in
from tests.world.dovecot import Dovecot
from tests.world.inbound_mail import Sent, reply
from tests.world.mail_servers import bytes_of
from tests.world.product import GRACE, MAIL, Bureau, Desktop, mailing, yes

CONTENT = """\
Hi {{firstname}},

I read *your* article on **queues** and [the talk that came of it](https://acme.com/talks/queues), and wondered:

- would you like to hear about a role
- would ten minutes suit you

If you do not want to hear from me again, reply STOP or unsubscribe."""
MARKDOWN = {**MAIL, "format": "markdown", "content": CONTENT}
ANSWER = "Sounds good, call me on Tuesday."


async def begun(bureau: Bureau, desktop: Desktop, *steps: dict[str, Any]) -> tuple[Sent, str, str]:
    """Send the first e-mail; return what its recipient got, its text and its HTML."""
    blueprint = await desktop.blueprint(*(steps or (MARKDOWN, {**LATER, "format": "markdown"})))
    await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
    bureau.work()
    [mail] = bureau.outbox
    text, html = mail.iter_parts()
    assert isinstance(text, EmailMessage) and isinstance(html, EmailMessage)
    sent = Sent(message_id=str(mail["Message-ID"]), sender=ADA, recipient=str(mail["To"]))
    return sent, text.get_content(), html.get_content()


def as_gmail(html: str) -> str:
    """Return the text that Gmail makes of an HTML that it quotes: stars around words, addresses in brackets."""
    text = re.sub(r"(?s)<head>.*?</head>", "", html)
    text = re.sub(r'<a href="([^"]*)">([^<]*)</a>', r"\2\n&lt;\1&gt;", text)
    text = re.sub(r"</?strong>|</?em>", "*", text).replace("<li>", "   - ")
    text = re.sub(r"<[^<>]*>", "", text).replace("&lt;", "<").replace("&gt;", ">")
    return "\n".join(f"> {line}" for line in text.strip().splitlines())


def quotations(sent: Sent, text: str, html: str) -> dict[str, bytes]:
    """Return the answer as mail programs write it that read the text, the HTML, or the HTML without addresses."""
    said = "On Mon, 23 Nov 2026 at 12:00, Ada Lovelace wrote:"
    body = re.sub(r"(?s).*<body[^<>]*>|</body>.*", "", html)
    quoted = "\n".join(f"> {line}" for line in text.splitlines())
    bare = "\n".join(f"> {line}" for line in re.sub(r" \(https://[^)]*\)", "", text).splitlines())
    whole = reply(sent, "x", subject="Re: Engineer").partition(b"\n\n")[0].replace(b"text/plain", b"text/html")
    alone = f"<html><body><div>{escape(ANSWER)}</div><hr><div><b>From:</b> Ada</div>{body}</body></html>"
    return {
        "the text": reply(sent, f"{ANSWER}\n\n{said}\n\n{quoted}\n", subject="Re: Engineer"),
        "Gmail": reply(sent, f"{ANSWER}\n\n{said}\n\n{as_gmail(html)}\n", subject="Re: Engineer"),
        "without addresses": reply(sent, f"{ANSWER}\n\n{said}\n\n{bare}\n", subject="Re: Engineer"),
        "unmarked": reply(sent, f"{ANSWER}\n\n{said}\n\n{text}\n", subject="Re: Engineer"),
        "unmarked, without addresses": reply(
            sent, f"{ANSWER}\n\n{re.sub(r' .https://[^)]*.', '', text)}\n", subject="Re: Engineer"
        ),
        "HTML alone": whole + b"\n\n" + alone.encode(),
        "both": reply(
            sent,
            f"{ANSWER}\n\n{said}\n\n{as_gmail(html)}\n",
            subject="Re: Engineer",
            html=f"<div>{ANSWER}</div><br><div>{said}<blockquote>{body}</blockquote></div>",
        ),
    }


@pytest.mark.parametrize("style", range(7))
async def test_an_answer_that_quotes_either_part_is_what_was_newly_written(bureau: Bureau, style: int) -> None:
    async with bureau.client("auto", yes) as desktop:
        name, data = list(quotations(*await begun(bureau, desktop)).items())[style]
        assert comes_in(bureau, data) == "the run succeeded", name
        [row] = (await desktop.call("list_replies"))["items"]
    assert row["kind"] == "reply" and row["text"].startswith(ANSWER), name
    assert not re.search("queues|STOP|ten minutes|https", row["text"]), name


async def test_an_opt_out_above_a_quotation_of_html_is_heard(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        sent, _, html = await begun(bureau, desktop)
        data = reply(sent, f"Please unsubscribe me.\n\n{as_gmail(html)}\n", subject="Re: Engineer")
        assert comes_in(bureau, data) == "never written to again"


async def test_a_follow_up_in_markdown_answers_the_e_mail_before_it_and_has_a_way_out(
    bureau: Bureau,
) -> None:
    follow_up = {**LATER, "format": "markdown", "subject": "", "content": "Hi {{firstname}}, *any* thoughts?"}
    async with bureau.client("auto", yes) as desktop:
        await begun(bureau, desktop, MARKDOWN, follow_up)
    bureau.forward(days=3, minutes=1)
    bureau.work()
    first, second = sorted(bureau.outbox, key=lambda mail: "Re:" in str(mail["Subject"]))
    assert str(second["Subject"]) == f"Re: {first['Subject']}"
    assert str(second["In-Reply-To"]) == str(second["References"]) == str(first["Message-ID"])
    assert all(str(mail["List-Unsubscribe"]).startswith("<mailto:") for mail in (first, second))
    [text, html] = second.iter_parts()
    assert "any thoughts?" in text.as_string() and "<em>any</em> thoughts?" in html.as_string()


async def test_the_copy_in_sent_is_byte_for_byte_what_left(bureau: Bureau, dovecot: Dovecot) -> None:
    with mailing(bureau.having(IMAP_URL=dovecot.url), {}) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            blueprint = await desktop.blueprint(MARKDOWN)
            await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
        connected.work()
        [(data, _)] = sent_folder(dovecot)
        [envelope] = inbox.taken
    assert data == bytes_of(envelope)
    assert message_from_bytes(data, policy=policy.default).get_content_type() == "multipart/alternative"


def rewrite_steps(bureau: Bureau, old: str, new: str) -> None:
    """Put another text in the place of one in the stored steps, as somebody with a shell could."""
    triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'blueprint_version'"
    with closing(sqlite3.connect(bureau.folder / "sequences.db")) as database, database:
        for (name,) in database.execute(triggers).fetchall():
            database.execute(f"DROP TRIGGER {name}")
        changed = database.execute("UPDATE blueprint_version SET steps = replace(steps, ?, ?)", (old, new))
        assert changed.rowcount == 1
        [(steps,)] = database.execute("SELECT steps FROM blueprint_version").fetchall()
        assert old not in steps and new in steps


async def test_an_approval_of_a_text_is_none_of_the_same_text_as_markdown(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint({**MAIL, "content": "Hi {{firstname}}, a call?"})
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
    rewrite_steps(bureau, '"format":"text"', '"format":"markdown"')
    bureau.work()
    assert bureau.outbox == []
    assert bureau.rows("SELECT state, reason FROM step_run") == [
        ("held", "this text is not the one that was approved")
    ]


async def test_a_step_of_an_older_database_says_nothing_of_its_format_and_is_text(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint({**MAIL, "content": "Hi {{firstname}}, 5 * 3 * 2?"})
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
    rewrite_steps(bureau, '"format":"text",', "")
    bureau.work()
    [mail] = bureau.outbox
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().strip() == "Hi Grace, 5 * 3 * 2?"
