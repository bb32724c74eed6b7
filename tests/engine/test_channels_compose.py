"""What goes into an e-mail comes out of it, and nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTPUTF8, default
from email.utils import getaddresses
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sequences_mcp.domain.addresses import is_address, wire_address
from sequences_mcp.domain.sender import Sender
from sequences_mcp.engine.channels.message import ComposedMessage, compose, message_flaw, message_id
from sequences_mcp.errors import InvalidArgumentsError

DATE = datetime(2026, 11, 23, 9, 30, tzinfo=timezone(timedelta(hours=1)))
KEY = b"k" * 32


def composed(**changes: Any) -> ComposedMessage:
    facts: dict[str, Any] = {
        "sender": Sender("ada@example.com", "Ada", "Lovelace"),
        "recipient": "bob@example.org",
        "subject": "Hello",
        "content": "Hi Bob,\nshort and plain.\n",
        "message_id": "<abc@example.com>",
        "date": DATE,
    }
    return compose(**facts | changes)


def parsed(message: ComposedMessage) -> EmailMessage:
    found = message_from_bytes(message.data, policy=SMTPUTF8 if message.smtputf8 else default)
    assert isinstance(found, EmailMessage)
    return found


def test_a_plain_e_mail_is_readable_as_it_is() -> None:
    assert composed().data.decode("ascii").split("\r\n") == [
        "From: Ada Lovelace <ada@example.com>",
        "To: bob@example.org",
        "Subject: Hello",
        "Date: Mon, 23 Nov 2026 09:30:00 +0100",
        "Message-ID: <abc@example.com>",
        'Content-Type: text/plain; charset="utf-8"',
        "Content-Transfer-Encoding: 7bit",
        "MIME-Version: 1.0",
        "",
        "Hi Bob,",
        "short and plain.",
        "",
    ]


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert composed(content="Grüße " * 99) == composed(content="Grüße " * 99)


# Any text a person could write on one line, the ends of lines aside.
LINES = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")) | st.sampled_from(list("=?\".,;:<>@()[]\\'_ \t")),
    max_size=120,
)


@given(first=LINES, last=LINES, subject=LINES, content=st.lists(LINES, max_size=5).map("\n".join))
@example(first="Ada ", last="Lovelace", subject="two  spaces", content="")
@settings(max_examples=300, deadline=None)
def test_whatever_is_written_arrives_as_written(first: str, last: str, subject: str, content: str) -> None:
    sender = Sender("ada@example.com", first, last)
    message = composed(sender=sender, subject=subject, content=content)
    mail = message_from_bytes(message.data)
    ((name, address),) = getaddresses([mail["From"]])
    assert (str(make_header(decode_header(name))), address) == (sender.name, "ada@example.com")
    assert str(make_header(decode_header(mail["Subject"]))) == subject
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode("utf-8").replace("\r\n", "\n").removesuffix("\n") == content.removesuffix("\n")
    assert max(map(len, message.data.split(b"\r\n"))) <= 998
    assert message.data.isascii()


HOSTILE = [
    "a\r\nBcc: eve@example.org",
    "a\nb",
    "a\rb",
    "a\0b",
    "a\x0bb",
    "a\x85b",
    "a\u2028b",
    "a\x1bb",
    "a\ud800b",
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
@pytest.mark.parametrize("field", ["subject", "recipient", "message_id", "name", "address"])
def test_no_header_value_can_begin_another_header(field: str, text: str) -> None:
    senders = {"name": Sender("ada@example.com", text, "x"), "address": Sender(f"{text}@example.com", "Ada", "x")}
    changes = {"sender": senders[field]} if field in senders else {field: text}
    with pytest.raises(InvalidArgumentsError) as caught:
        composed(**changes)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"], ids=ascii)
def test_a_text_that_has_no_bytes_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentsError, match="cannot be written"):
        composed(content=text)


def test_a_text_cannot_end_the_headers_or_the_message() -> None:
    mail = parsed(composed(content="\r\n\r\nBcc: eve@example.org\r\n.\r\nMAIL FROM:<x>\rlone\nend"))
    assert mail["Bcc"] is None
    assert mail.get_content().split() == ["Bcc:", "eve@example.org", ".", "MAIL", "FROM:<x>", "lone", "end"]


BAD_ADDRESSES = [
    "",
    "bob",
    "@example.org",
    "bob@",
    "bob @example.org",
    "bob@example.org, eve@example.org",
    "bob@example.org;eve@example.org",
    "Bob <bob@example.org>",
    "bob@eve@example.org",
    "bob..b@example.org",
    ".bob@example.org",
    "bob@-example.org",
    "bob@example..org",
    '"bob b"@example.org',
    "bob@[127.0.0.1]",
    "bob(eve@example.com)@example.org",
    "undisclosed-recipients:;",
    f"{'b' * 250}@example.org",
]


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_a_recipient_is_one_plain_address(address: str) -> None:
    assert not is_address(address)
    with pytest.raises(InvalidArgumentsError, match="is not an e-mail address"):
        composed(recipient=address)


ADDRESSES = {
    "bob@example.org": ("bob@example.org", False),
    "bob+tag_x@mail.example.org": ("bob+tag_x@mail.example.org", False),
    "o'bob@example.org": ("o'bob@example.org", False),
    "bob@bücher.example": ("bob@xn--bcher-kva.example", False),
    "bob@straße.example": ("bob@xn--strae-oqa.example", False),
    "борис@example.org": ("борис@example.org", True),
}


@pytest.mark.parametrize(("address", "expected"), ADDRESSES.items(), ids=ADDRESSES.keys())
def test_a_domain_is_written_in_ascii_as_idna_2008_has_it(address: str, expected: tuple[str, bool]) -> None:
    message = composed(recipient=address)
    assert (message.recipient, message.smtputf8) == expected
    assert parsed(message)["To"] == expected[0]
    assert message_flaw(message) is None


def test_another_domain_is_never_made_of_a_letter() -> None:
    assert wire_address("bob@straße.de") != "bob@strasse.de"


def test_there_is_no_other_recipient_and_no_header_that_was_not_asked_for() -> None:
    assert sorted(name.lower() for name in parsed(composed())) == [
        "content-transfer-encoding",
        "content-type",
        "date",
        "from",
        "message-id",
        "mime-version",
        "subject",
        "to",
    ]


def test_a_naive_date_is_refused() -> None:
    with pytest.raises(InvalidArgumentsError, match="offset from UTC"):
        composed(date=datetime(2026, 11, 23))  # noqa: DTZ001 - the very thing that is refused


def identified(**changes: Any) -> str:
    facts: dict[str, Any] = {
        "sequence_id": "local:seq_1",
        "step_key": "K1",
        "generation": 0,
        "sender": "ada@example.com",
    }
    return message_id(changes.pop("key", KEY), **facts | changes)


def test_a_message_id_is_the_same_at_each_attempt_and_fits_a_header() -> None:
    assert identified() == identified()
    local, at, domain = identified().strip("<>").partition("@")
    assert (len(local), local.isalnum(), at, domain) == (32, True, "@", "example.com")
    assert parsed(composed(message_id=identified()))["Message-ID"] == identified()


@pytest.mark.parametrize(
    "change", [{"sequence_id": "local:seq_2"}, {"step_key": "K2"}, {"generation": 1}, {"key": b"other"}], ids=str
)
def test_another_text_or_installation_has_another_message_id(change: dict[str, Any]) -> None:
    assert identified(**change) != identified()


def test_a_message_id_keeps_to_ascii_and_reveals_nothing() -> None:
    assert identified(sender="ada@bücher.example").endswith("@xn--bcher-kva.example>")
    assert "seq_1" not in identified()


def test_utc_is_written_as_an_offset() -> None:
    assert b"+0000" in composed(date=DATE.astimezone(UTC)).data
