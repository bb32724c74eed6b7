"""What comes in may be anything: large, deep, broken or made to be costly. It is read as far as it can be."""

from __future__ import annotations

import base64
import random
import re
import time
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.world.inbound_mail import AT, raw, reply
from tests.world.mail_corpus import SENT, absences, attached, bounces, machines
from tests.world.mail_replies import replies
from tests.world.texts import CHARACTERS

from sequences_mcp.engine.inbound.absence import LONGEST, away_until
from sequences_mcp.engine.inbound.kind import InboundKind, judge_inbound
from sequences_mcp.engine.inbound.opt_out import is_opt_out
from sequences_mcp.engine.inbound.own_text import new_text
from sequences_mcp.engine.inbound.parsing import inside_of, parse_inbound

OF_NO_MAILER = (InboundKind.REPLY, InboundKind.AWAY, InboundKind.AUTOMATIC)
OURS = (SENT.text, SENT.subject)
PERSON = b"From: bob@acme.example\r\nTo: ada@example.com\r\nSubject: Re: A role\r\n"
MAILER = b"From: postmaster@acme.example\r\nTo: ada@example.com\r\nSubject: Undelivered mail\r\n"
HTML = PERSON + b"Content-Type: text/html\r\n\r\n"


def read(data: bytes) -> InboundKind:
    """Do all that is done with a message before the database is asked."""
    message = parse_inbound(data)
    kind = judge_inbound(message).kind
    text = new_text(message.text, OURS)
    is_opt_out(text, message.subject)
    assert away_until(text, AT) <= AT + LONGEST
    assert len(message.own_ids) <= 1_000
    assert len(message.addresses) <= 100
    assert len(message.ids) <= 500
    assert len(message.sender) <= 320
    return kind


def _types(count: int, form: str) -> bytes:
    parameters = "; ".join(form % number for number in range(count)).encode()
    return PERSON + b"Content-Type: text/plain; " + parameters + b"\r\n\r\nhi"


def _nested(depth: int) -> bytes:
    parts = (b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth))
    return PERSON + b"".join(parts) + b"Content-Type: text/plain\r\n\r\nhi"


# Each of about 80 kB: what must not be is that one costs far more than as much plain text.
COSTLY = {
    "opened comments": HTML + b"<!--" * 20_000,
    "opened tags": HTML + b"<" * 80_000,
    "opened quotations": HTML + b"<blockquote>" * 7_000,
    "opened attributes": HTML + b'<a x="' * 13_000,
    "opened declarations": HTML + b"<![" * 27_000,
    "opened entities": HTML + b"&#" * 40_000,
    "parameters of a type": PERSON + b"Content-Type: text/plain; " + b"a=b; " * 16_000 + b"\r\n\r\nhi",
    "continuations of RFC 2231": _types(3_000, "name*%d*=utf-8''%%%%41"),
    "continued charsets": _types(3_000, "charset*%d=a"),
    "continued boundaries": _types(3_000, "boundary*%d=a").replace(b"text/plain", b"multipart/mixed"),
    "addresses in From": b"From: " + b"a@b.example, " * 6_000 + b"\r\n\r\nhi",
    "brackets in From": b"From: " + b"(" * 80_000 + b"\r\n\r\nhi",
    "encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 6_000 + b"\r\n\r\nhi",
    "references": PERSON + b"References: " + b"<a@b.example>\r\n " * 5_000 + b"\r\n\r\nhi",
    "headers": PERSON + b"X-A: b\r\n" * 7_000 + b"\r\nhi",
    "parts": PERSON
    + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    + b"--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n" * 2_000,
    "letters without a space": MAILER + b"\r\n" + b"a" * 80_000,
    "signs of an address": MAILER + b"\r\n" + b"a@" * 40_000,
    "numbers": MAILER + b"\r\n" + b"5.1.1.1.1 550 " * 6_000,
    "dashes": PERSON + b"\r\n" + b"-" * 80_000,
    "spaces": PERSON + b"\r\n" + b" " * 80_000 + b"x",
    "empty lines": MAILER + b"\r\n" + b"\r\n" * 40_000,
    "words of a mailer": MAILER + b"\r\n" + b"mailbox over the user address " * 2_700,
    "words of an opt-out": PERSON + b"\r\n" + b"please remove me " * 5_000,
    "dates": PERSON + b"Auto-Submitted: auto-replied\r\n\r\n" + b"1.1.2027 until " * 5_000,
}
PLAIN = MAILER + b"\r\n" + b"an ordinary line of a message\r\n" * 2_700
MOST = 40  # times what as much plain text costs


def cost(data: bytes) -> float:
    """Return the processor's seconds, the best of three."""
    spent = []
    for _ in range(3):
        began = time.process_time()
        read(data)
        spent.append(time.process_time() - began)
    return min(spent)


@pytest.mark.alone
def test_nothing_costs_far_more_than_as_much_plain_text() -> None:
    read(PLAIN)
    usual = cost(PLAIN)
    assert {name: share for name, data in COSTLY.items() if (share := cost(data) / usual) > MOST} == {}


BROKEN = {
    "25 MB": PERSON + b"\r\n" + b"words and more words of a text\r\n" * 800_000,
    "200 nested parts": _nested(200),
    "3,000 nested parts": _nested(3_000),
    "300 messages inside one another": PERSON + b"Content-Type: message/rfc822\r\n\r\n" * 300,
    "a wrong boundary": PERSON
    + b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--y\r\nContent-Type: text/plain\r\n\r\nhello\r\n--y--',
    "no boundary": PERSON + b"Content-Type: multipart/alternative\r\n\r\nhello",
    "an empty boundary": PERSON + b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n\r\nhello',
    "From missing": b"Subject: hi\r\n\r\nhello",
    "everything missing": b"\r\n\r\n",
    "a letter": b"x",
    "nothing but headers": b"From: a@b.example\r\nSubject: x",
    "two Froms": b"From: a@b.example\r\nFrom: c@d.example\r\n\r\nhi",
    "a From of ten thousand letters": b"From: " + b"x" * 10_000 + b"\r\n\r\nhi",
    "an address of ten thousand letters": b"From: " + b"x" * 10_000 + b"@" + b"y" * 10_000 + b"\r\n\r\nhi",
    "nulls": PERSON + b"\r\n" + b"\x00" * 10_000,
    "surrogates": PERSON + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + b"\xed\xa0\x80" * 1_000,
    "a charset that is a file": PERSON + b"Content-Type: text/plain; charset=../../etc/passwd\r\n\r\nhi\xff",
    "a charset that is a codec": PERSON + b"Content-Type: text/plain; charset=zlib\r\n\r\nhi\xff",
    "a charset with a null": PERSON + b'Content-Type: text/plain; charset="utf\x00-8"\r\n\r\nhi\xff',
    "a report in a wrong charset": MAILER
    + b"Content-Type: multipart/report; report-type*0*=utf-8''delivery%; boundary=b\r\n\r\n--b\r\n"
    + b"Content-Type: message/delivery-status; charset=utf-16\r\n\r\nAction: failed\r\n--b--",
    "uuencoded": PERSON + b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\nM\r\n",
    "bare carriage returns": PERSON.replace(b"\r\n", b"\r") + b"\rhi",
    "a year of five digits": PERSON + b"Date: Mon, 99 Foo 99999 99:99:99 +9999\r\n\r\nback on 99.99.9999",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_whatever_is_broken_is_read_as_far_as_it_can_be(data: bytes) -> None:
    assert read(data) in InboundKind


@pytest.mark.parametrize("name", ["punycode", "PunyCode", "idna", "unicode_escape", "raw_unicode_escape"])
def test_a_codec_that_is_no_charset_of_e_mails_decodes_nothing(name: str) -> None:
    # Python would take minutes for some hundred kilobytes in the first of these.
    forms = (f"charset={name}", f"charset*0={name[:3]}; charset*1={name[3:]}", f"charset*=us-ascii'en'{name}")
    for charset in forms:
        for body in (b"xn--egbpdaj6bu4bxfgehfvwxn \\x73top", b"\xc3\xa9-zzz \\x73top"):
            part = parse_inbound(PERSON + f"Content-Type: text/plain; {charset}\r\n\r\n".encode() + body)
            assert part.text == body.decode()
            assert str(inside_of(part.root))[2:] in (
                "",
                body.decode("latin-1")[2:],
                body.decode("ascii", "replace")[2:],
            )
    assert parse_inbound(b"Subject: =?punycode?q?a-zzz?=\r\n\r\n").subject == "a-zzz"


def test_what_outlook_packs_into_winmail_dat_hides_nothing_of_the_text() -> None:
    body = (
        "--B\nContent-Type: text/plain\n\nYes, Tuesday.\n"
        "--B\nContent-Type: application/ms-tnef; name=winmail.dat\n"
        "Content-Transfer-Encoding: base64\n\neJ8+IgYOAQaQCAAEAAAAAAABAAEAAQeQBgAIAAAA5AQAAAAAAADoAAEI\n--B--\n"
    )
    head = (
        f'From: {SENT.recipient}\nTo: {SENT.sender}\nSubject: Re: x\nContent-Type: multipart/mixed; boundary="B"'
    )
    message = parse_inbound(raw(head, body))
    assert judge_inbound(message).kind is InboundKind.REPLY
    assert message.text.strip() == "Yes, Tuesday."


def test_our_message_attached_by_a_person_makes_no_report_of_theirs() -> None:
    data = attached(
        SENT, words="Is this yours?", sender="Carol <carol@acme.example>", subject="Fwd: A role in Lyon"
    )
    message = parse_inbound(data.replace(b"Return-Path: <>\r\n", b""))
    assert judge_inbound(message).kind is InboundKind.REPLY
    assert message.sender == "carol@acme.example"
    assert not is_opt_out(new_text(message.text, OURS))


def test_a_report_of_a_report_that_a_person_forwards_is_a_persons() -> None:
    for item in bounces()[:40]:
        text = item.data.decode("utf-8", "replace").replace("\r\n", "\n")
        body = (
            f"--O\nContent-Type: text/plain\n\nWhat is this?\n--O\nContent-Type: message/rfc822\n\n{text}\n--O--\n"
        )
        head = f"From: Bob <{SENT.recipient}>\nTo: {SENT.sender}\nSubject: Fwd: Undelivered Mail\n"
        data = raw(f'{head}MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="O"', body)
        assert judge_inbound(parse_inbound(data)).kind is InboundKind.REPLY, item.name


SIGNS = (
    b"\r\n",
    b"\n\n",
    b":",
    b"<",
    b">",
    b"=?",
    b"?=",
    b"@",
    b"--",
    b";",
    b'"',
    b"\x00",
    b"\xff",
    b"(",
    b"5.1.1",
)


@cache
def corpus() -> list[bytes]:
    """Return every message of the corpora."""
    return [item.data for items in (bounces(), absences(), machines(), replies()) for item in items]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Return bytes with a few places changed, cut out, doubled or moved."""
    for _ in range(chance.randint(1, 6)):
        start = chance.randrange(len(data) + 1)
        end = min(start + chance.choice((0, 1, 8, 80, 800)), len(data))
        middle = chance.choice((b"", chance.choice(SIGNS), data[start:end] * 2, chance.choice(SIGNS) * 50))
        data = data[:start] + middle + data[end:]
    return data


@given(st.integers(min_value=0, max_value=2**32))
@settings(max_examples=150, deadline=None)
def test_no_damage_to_a_message_stops_the_reading(seed: int) -> None:
    chance = random.Random(seed)
    assert read(damaged(chance.choice(corpus()), chance)) in InboundKind


@given(st.binary(max_size=2_000))
@settings(max_examples=150, deadline=None)
def test_no_bytes_stop_the_reading(data: bytes) -> None:
    assert read(data) in InboundKind


@given(st.text(CHARACTERS, max_size=2_000))
@settings(max_examples=100, deadline=None)
def test_no_text_of_a_person_is_a_report(text: str) -> None:
    assert read(reply(SENT, text.replace("\r", " "))) in (
        InboundKind.REPLY,
        InboundKind.AWAY,
        InboundKind.AUTOMATIC,
    )


NO_TEXT_HOLDS = re.compile("[\0\ud800-\udfff]")


@pytest.mark.parametrize(
    ("charset", "body"),
    [
        ("utf-8", b"stop wri\0ting to me"),
        ("utf-16-le", "stop wri\0ting to me".encode("utf-16-le")),
        ("utf-7", b"stop wri+2AA-ting to me"),
        ("utf-8", b"<p>stop wri\0ting to me</p>"),
    ],
)
@pytest.mark.parametrize("mark", ["\0", "=?utf-8?q?=00?=", "=?utf-7?q?+2AA-?=", "=?utf-16-le?b?ANg=?="])
def test_characters_that_no_database_holds_are_left_out_wherever_they_stand(
    mark: str, charset: str, body: bytes
) -> None:
    kind = "html" if b"<p>" in body else "plain"
    lines = [
        f"From: Grace{mark} Hopper <gr{mark if mark == chr(0) else ''}ace@hopper.example>",
        f"Subject: Re: {mark} Hello",
        f"Message-ID: <one{mark}@hopper.example>",
        f"References: <two{mark}@hopper.example>",
        f"Content-Type: text/{kind}; charset={charset}",
        "Content-Transfer-Encoding: base64",
        "",
        base64.encodebytes(body).decode(),
    ]
    message = parse_inbound("\r\n".join(lines).encode())
    texts = [message.sender, message.sender_name, message.subject, message.text, message.everything]
    texts += [message.message_id, message.answered, *message.ids, *message.own_ids, *message.addresses]
    assert [text for text in texts if NO_TEXT_HOLDS.search(text)] == []
    assert message.sender == "grace@hopper.example" and message.text.strip() == "stop writing to me"
    assert is_opt_out(message.text)
