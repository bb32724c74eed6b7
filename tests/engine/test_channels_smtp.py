"""One e-mail over a real connection: what each answer, silence and cut at each phase means."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.world.mail_servers import CALM, DROP, HALF, STALL, free_port, mail_server, patience

from sequences_mcp.domain.sender import Sender
from sequences_mcp.engine.channels.mail_server import MailServer, Security, probe
from sequences_mcp.engine.channels.message import ComposedMessage, compose
from sequences_mcp.engine.channels.smtp import deliver_by_smtp
from sequences_mcp.errors import (
    ConflictError,
    DeliveryDeferredError,
    DeliveryError,
    DeliveryRejectedError,
    DeliveryUnknownError,
    DeliveryWithheldError,
)

ADA = Sender("ada@example.com", "Ada", "Lovelace")


def message(content: str = "Hi Bob,\n.\n..two dots\nBye\n", recipient: str = "bob@example.org") -> ComposedMessage:
    date = datetime(2026, 11, 23, 9, tzinfo=UTC)
    return compose(
        sender=ADA, recipient=recipient, subject="Hello", content=content, message_id="<a@example.com>", date=date
    )


class Dots:
    """Counts how often the point of no return was reached."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def test_an_e_mail_arrives_byte_for_byte_with_the_servers_own_words_as_receipt() -> None:
    dots, phases = Dots(), list[str]()
    with mail_server() as running:
        receipt = deliver_by_smtp(running.server(), message(), before_dot=dots, timeouts=CALM, at=phases.append)
    envelope = running.inbox.taken[0]
    assert (envelope.mail_from, envelope.rcpt_tos) == ("ada@example.com", ["bob@example.org"])
    assert envelope.original_content == message().data
    assert receipt.reply == "250 2.0.0 queued as 4Xy"
    assert dots.count == 1
    assert phases == ["connect", "auth", "rcpt", "data", "half", "body", "dot", "reply"]


def test_a_long_text_in_another_script_arrives_unchanged() -> None:
    text = "Привет, Боб — 你好.\n" + ".долго" * 40_000 + "\n"
    with mail_server() as running:
        deliver_by_smtp(running.server(), message(text), before_dot=Dots(), timeouts=CALM)
    assert running.inbox.taken[0].original_content == message(text).data


def test_nothing_is_accepted_before_the_final_dot() -> None:
    with mail_server() as running:

        def look() -> None:
            assert running.inbox.seen == 0

        deliver_by_smtp(running.server(), message(), before_dot=look, timeouts=CALM)
        assert running.inbox.seen == 1


def test_a_worker_that_lost_its_lease_leaves_without_the_dot() -> None:
    def lost() -> None:
        raise ConflictError("Lease 1 no longer covers it.", next_step="Nothing to do.")

    with mail_server() as running:
        with pytest.raises(ConflictError):
            deliver_by_smtp(running.server(), message(), before_dot=lost, timeouts=CALM)
        deliver_by_smtp(running.server(), message("Another\n"), before_dot=Dots(), timeouts=CALM)
    assert [envelope.original_content for envelope in running.inbox.taken] == [message("Another\n").data]


DEFERRED = {
    "greeting 554": {"greeting": "554 go away"},
    "greeting 421": {"greeting": "421 busy"},
    "greeting drop": {"greeting": DROP},
    "greeting stall": {"greeting": STALL},
    "EHLO 550": {"EHLO": "550 who are you"},
    "EHLO drop": {"EHLO": DROP},
    "MAIL 451": {"MAIL": "451 later"},
    "MAIL 550: our account": {"MAIL": "550 5.7.1 account suspended"},
    "MAIL drop": {"MAIL": DROP},
    "MAIL stall": {"MAIL": STALL},
    "RCPT 450": {"RCPT": "450 4.2.0 greylisted"},
    "RCPT 530: our account": {"RCPT": "530 5.7.0 authentication required"},
    "RCPT 535: our account": {"RCPT": "535 5.7.8 bad credentials"},
    "RCPT drop": {"RCPT": DROP},
    "RCPT stall": {"RCPT": STALL},
    "DATA 421": {"DATA": "421 shutting down"},
    "DATA drop": {"DATA": DROP},
    "DATA stall": {"DATA": STALL},
    "DATA answered with a yes": {"DATA": "250 what data"},
    "DATA and a yes in one breath": {"DATA": "354 go on\r\n250 2.0.0 queued already"},
    "dot 451": {"dot": "451 4.3.0 queue full"},
    "dot 421": {"dot": "421 4.3.2 shutting down"},
    "RCPT without a code": {"RCPT": "550 no"},
    "RCPT policy": {"RCPT": "550 5.7.1 not from you"},
    "RCPT about the sender": {"RCPT": "550 5.1.8 bad sender"},
    "RCPT other address status": {"RCPT": "550 5.1.0 sender rejected"},
    "RCPT full": {"RCPT": "552 5.2.2 mailbox full"},
    "DATA 554": {"DATA": "554 5.7.1 no"},
    "dot 554": {"dot": "554 5.7.1 spam"},
    "dot 500": {"dot": "500 Error: (FileNotFoundError) [Errno 2] No such file or directory"},
}


@pytest.mark.parametrize("script", DEFERRED.values(), ids=DEFERRED.keys())
def test_what_was_certainly_not_accepted_may_be_tried_again(script: dict[str, str]) -> None:
    dots = Dots()
    with mail_server(script) as running, pytest.raises(DeliveryDeferredError) as caught:
        deliver_by_smtp(running.server(), message(), before_dot=dots, timeouts=patience(script))
    assert running.inbox.taken == []
    assert dots.count == (1 if "dot" in script else 0)
    assert caught.value.retryable


@pytest.mark.parametrize("size", [1, 3_000_000], ids=["short", "long"])
def test_a_server_that_leaves_in_the_middle_of_the_text_has_accepted_nothing(size: int) -> None:
    dots = Dots()
    with mail_server({"DATA": HALF}) as running:

        def wait_for_the_cut(phase: str) -> None:
            assert phase != "half" or running.inbox.cut.wait(5)

        with pytest.raises(DeliveryDeferredError, match="text"):
            deliver_by_smtp(
                running.server(), message("x" * size), before_dot=dots, timeouts=CALM, at=wait_for_the_cut
            )
    assert (dots.count, running.inbox.seen) == (0, 0)


REJECTED = {
    "RCPT 5.1.1": ({"RCPT": "550 5.1.1 no such user"}, True),
    "RCPT 5.1.10": ({"RCPT": "556 5.1.10 domain takes no mail"}, True),
    "RCPT disabled": ({"RCPT": "550 5.2.1 mailbox disabled"}, False),
    "RCPT in words": ({"RCPT": "550 No such user here"}, True),
    "dot 5.1.1": ({"dot": "550 5.1.1 no such user"}, True),
}


@pytest.mark.parametrize(("script", "bounced"), REJECTED.values(), ids=REJECTED.keys())
def test_a_no_for_good_is_told_from_an_address_that_does_not_exist(script: dict[str, str], bounced: bool) -> None:
    with mail_server(script) as running, pytest.raises(DeliveryRejectedError) as caught:
        deliver_by_smtp(running.server(), message(), before_dot=Dots(), timeouts=CALM)
    assert caught.value.data["bounced"] is bounced
    [said] = script.values()
    assert caught.value.data["server_reply"] == said
    assert said.partition(" ")[0] in caught.value.message
    assert running.inbox.taken == []


UNKNOWN = {"drop": DROP, "stall": STALL, "no number": "fine by me", "a question": "354 go on"}


@pytest.mark.parametrize("answer", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_without_an_answer_after_the_dot_nobody_can_tell(answer: str) -> None:
    dots = Dots()
    with mail_server({"dot": answer}) as running, pytest.raises(DeliveryUnknownError) as caught:
        deliver_by_smtp(running.server(), message(), before_dot=dots, timeouts=patience({"dot": answer}))
    assert (dots.count, running.inbox.seen) == (1, 1)
    assert caught.value.outcome == "unknown"
    assert not caught.value.retryable


def test_a_server_that_is_not_there_defers() -> None:
    nowhere = MailServer(host="127.0.0.1", port=free_port(), security=Security.PLAIN)
    with pytest.raises(DeliveryDeferredError, match="refused"):
        deliver_by_smtp(nowhere, message(), before_dot=Dots(), timeouts=CALM)


def test_a_host_without_an_address_defers() -> None:
    nowhere = MailServer(host="mail.invalid", port=587, security=Security.STARTTLS)
    with pytest.raises(DeliveryDeferredError):
        deliver_by_smtp(nowhere, message(), before_dot=Dots(), timeouts=CALM)


def test_an_address_outside_ascii_goes_to_a_server_that_takes_it_and_waits_otherwise() -> None:
    eai = message(recipient="борис@example.org")
    with mail_server(enable_SMTPUTF8=True) as running:
        deliver_by_smtp(running.server(), eai, before_dot=Dots(), timeouts=CALM)
    assert running.inbox.taken[0].rcpt_tos == ["борис@example.org"]
    with mail_server(enable_SMTPUTF8=False) as running, pytest.raises(DeliveryWithheldError, match="SMTPUTF8"):
        deliver_by_smtp(running.server(), eai, before_dot=Dots(), timeouts=CALM)


FLAWS = {
    "another recipient": {"recipient": "eve@example.org"},
    "another sender": {"sender": "eve@example.org"},
    "another message id": {"message_id": "<b@example.com>"},
    "a wrong mark for its letters": {"smtputf8": True},
    "a bare line feed": {"data": message().data + b"a\nb\r\n"},
    "a smuggled end": {"data": message().data + b"\r.\r\nMAIL FROM:<x>\r\n"},
    "a NUL": {"data": message().data + b"\0\r\n"},
    "a long line": {"data": message().data + b"x" * 999 + b"\r\n"},
    "two recipients": {"data": message().data.replace(b"To: bob", b"To: eve@example.org, bob")},
    "a Bcc": {"data": b"Bcc: eve@example.org\r\n" + message().data},
    "a second From": {"data": b"From: eve@example.org\r\n" + message().data},
    "a folded Cc": {"data": b"cc:\r\n eve@example.org\r\n" + message().data},
}


@pytest.mark.parametrize("change", FLAWS.values(), ids=FLAWS.keys())
def test_bytes_that_do_not_say_what_the_envelope_says_never_leave(change: dict[str, str | bytes]) -> None:
    with mail_server() as running, pytest.raises(DeliveryWithheldError, match="was not sent"):
        deliver_by_smtp(running.server(), replace(message(), **change), before_dot=Dots(), timeouts=CALM)  # type: ignore[arg-type] # a mapping of any fields
    assert running.inbox.seen == 0


def test_a_hostile_answer_becomes_one_printable_line() -> None:
    script = {"RCPT": "550-\x1b[31mred\r\n550 " + "y" * 400}
    with mail_server(script) as running, pytest.raises(DeliveryError) as caught:
        deliver_by_smtp(running.server(), message(), before_dot=Dots(), timeouts=CALM)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 400


def test_the_probe_signs_in_and_sends_nothing() -> None:
    with mail_server() as running:
        found = probe(running.server(), timeouts=CALM)
    assert (found.ok, running.inbox.seen) == (True, 0)
    assert found.words == f"smtp://127.0.0.1:{running.port} answers (unencrypted, on this machine; no account)"


def test_the_probe_says_how_far_it_came() -> None:
    with mail_server({"EHLO": "550 who are you"}) as running:
        found = probe(running.server(), timeouts=CALM)
    assert not found.ok
    assert found.words.endswith("the server answered 550 to EHLO")
    assert found.server_reply == "550 who are you"
